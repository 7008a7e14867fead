#include "fiber.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mapped.h"

#if __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>

static void leave(struct fiber *from, struct fiber *to) {
    __sanitizer_start_switch_fiber(&from->shadow, to->stack, to->size);
}

// The first switch away from the program's own stack is the moment to learn where that is.
static void arrive(struct fiber *self, struct fiber *origin) {
    const void *stack;
    size_t size;
    __sanitizer_finish_switch_fiber(self->shadow, &stack, &size);
    if (origin != nullptr) {
        origin->stack = (void *)(uintptr_t)stack;
        origin->size = size;
    }
}

static void forget(void *stack, size_t size) {
    __asan_unpoison_memory_region(stack, size);
}
#else
static void leave(struct fiber *from, struct fiber *to) {
    (void)from, (void)to;
}
static void arrive(struct fiber *self, struct fiber *origin) {
    (void)self, (void)origin;
}
static void forget(void *stack, size_t size) {
    (void)stack, (void)size;
}
#endif

enum { GUARD = 4096 };

// Whom the running one was switched from, for its first moments.
static struct fiber *previous, *starting;
static void (*entry_of_starting)(void);

static void begin(void) {
    arrive(starting, previous->stack == nullptr ? previous : nullptr);
    entry_of_starting();
    abort();
}

#if defined(__x86_64__)
// Save what a call keeps on the stack that is left, take it from the one that is entered. As a function of its own it
// spares the signal mask's system calls, which would be most of the cost.
[[gnu::naked]] static void swap(void **, void *) {
    __asm__("push %rbp; push %rbx; push %r12; push %r13; push %r14; push %r15\n"
            "mov %rsp, (%rdi); mov %rsi, %rsp\n"
            "pop %r15; pop %r14; pop %r13; pop %r12; pop %rbx; pop %rbp; ret");
}

static void prepare(struct fiber *fiber) {
    void **top = (void **)((char *)fiber->stack + fiber->size);
    *--top = nullptr; // begin returns to nowhere, and finds its stack aligned as after a call
    *--top = (void *)(uintptr_t)begin;
    for (unsigned i = 0; i < 6; i++) {
        *--top = nullptr;
    }
    fiber->stack_pointer = top;
}

static void go(struct fiber *from, struct fiber *to) {
    swap(&from->stack_pointer, to->stack_pointer);
}
#else
static void prepare(struct fiber *fiber) {
    getcontext(&fiber->context);
    fiber->context.uc_stack.ss_sp = fiber->stack;
    fiber->context.uc_stack.ss_size = fiber->size;
    fiber->context.uc_link = nullptr;
    makecontext(&fiber->context, begin, 0);
}

static void go(struct fiber *from, struct fiber *to) {
    swapcontext(&from->context, &to->context);
}
#endif

// Stacks are kept for the next one: mapping memory costs more than most tests do with it.
static struct {
    void *stack;
    size_t size;
} kept[256];
static unsigned kept_count;

void fiber_create(struct fiber *fiber, size_t size, void (*entry)(void)) {
    memset(fiber, 0, sizeof *fiber);
    for (unsigned i = kept_count; i-- > 0;) {
        if (kept[i].size == size) {
            fiber->stack = kept[i].stack;
            kept[i] = kept[--kept_count];
            break;
        }
    }
    if (fiber->stack == nullptr) {
        char *memory = mapped_create(size + GUARD);
        mapped_forbid(memory, GUARD);
        fiber->stack = memory + GUARD;
    }
    fiber->size = size;
    prepare(fiber);
    fiber->entry = entry;
}

void fiber_destroy(struct fiber *fiber) {
    if (fiber->stack == nullptr) {
        return;
    }
    forget(fiber->stack, fiber->size);
    if (kept_count < sizeof kept / sizeof kept[0]) {
        kept[kept_count].stack = fiber->stack;
        kept[kept_count++].size = fiber->size;
    } else {
        mapped_destroy((char *)fiber->stack - GUARD, fiber->size + GUARD);
    }
    fiber->stack = nullptr;
}

void fiber_switch(struct fiber *from, struct fiber *to) {
    previous = from;
    if (to->entry != nullptr) {
        starting = to;
        entry_of_starting = to->entry;
        to->entry = nullptr;
    }
    leave(from, to);
    go(from, to);
    arrive(from, nullptr);
}
