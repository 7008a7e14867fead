// User registers: a thread's first ones, and how a report shows them.
#include "kernel/include/arch.h"

#include "base/format.h"

#include "copy.h"
#include "layout.h"
#include "vectors.h"

enum { FLAGS_INITIAL = 0x202 }; // interrupts on

void arch_frame_init(struct arch_frame *frame, uint64_t entry, uint64_t stack, uint64_t argument) {
    *frame = (struct arch_frame){
        .rdi = argument,
        .rip = entry,
        .cs = X86_SELECTOR_USER_CODE,
        .rflags = FLAGS_INITIAL,
        .rsp = stack,
        .ss = X86_SELECTOR_USER_DATA,
    };
}

uint64_t arch_frame_pc(const struct arch_frame *frame) {
    return frame->rip;
}

static void print(void (*emit)(void *context, const char *text, size_t length), void *context, const char *name,
                  uint64_t value) {
    char line[40];
    size_t length = format(line, sizeof line, "%s %016llx\n", name, (unsigned long long)value);
    emit(context, line, length < sizeof line ? length : sizeof line - 1);
}

void arch_frame_print(const struct arch_frame *frame, void (*emit)(void *context, const char *text, size_t length),
                      void *context) {
    print(emit, context, "rip", frame->rip);
    print(emit, context, "rsp", frame->rsp);
    print(emit, context, "rbp", frame->rbp);
    print(emit, context, "rflags", frame->rflags);
    print(emit, context, "rax", frame->rax);
    print(emit, context, "rdi", frame->rdi);
    print(emit, context, "rsi", frame->rsi);
    print(emit, context, "rdx", frame->rdx);
    print(emit, context, "r10", frame->r10);
    print(emit, context, "r8", frame->r8);
    print(emit, context, "r9", frame->r9);
    if (frame->vector == X86_FRAME_CALL) {
        return; // the others are not kept over a call
    }
    print(emit, context, "rbx", frame->rbx);
    print(emit, context, "rcx", frame->rcx);
    print(emit, context, "r11", frame->r11);
    print(emit, context, "r12", frame->r12);
    print(emit, context, "r13", frame->r13);
    print(emit, context, "r14", frame->r14);
    print(emit, context, "r15", frame->r15);
}

// Each function's frame begins with the caller's frame pointer, then the return address. Frame pointers must ascend, and
// stay on the side of the address space where the pc is: user code must not make the kernel read its own memory here.
unsigned arch_frame_backtrace(const struct arch_frame *frame, uint64_t *pc, unsigned capacity) {
    bool user = frame->vector == X86_FRAME_CALL || (frame->cs & 3) != 0;
    uint64_t link[2], at = frame->rbp;
    unsigned count = 0;
    if (capacity > 0) {
        pc[count++] = frame->rip;
    }
    while (count < capacity && at % 8 == 0) {
        bool is_user = at >= ARCH_USER_BASE && at < ARCH_USER_TOP - sizeof link;
        bool is_kernel = at >= X86_DIRECT_MAP && at < UINT64_MAX - sizeof link;
        if (!(user ? is_user : is_kernel) || !x86_copy(link, (const void *)at, sizeof link) || link[1] == 0) {
            break;
        }
        pc[count++] = link[1];
        if (link[0] <= at) {
            break;
        }
        at = link[0];
    }
    return count;
}
