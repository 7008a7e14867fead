#include "fake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/call.h"
#include "kernel/cpu.h"
#include "kernel/page_alloc.h"
#include "kernel/panic.h"
#include "kernel/park.h"
#include "kernel/process.h"
#include "kernel/slab.h"
#include "kernel/syscall.h"
#include "kernel/thread.h"
#include "kernel/wait.h"

static unsigned fail_in;
static bool fail_on, failed;
static uint64_t pages, objects, notified;
bool fake_user_faults;
uint64_t fake_time;

// The direct map starts at null here: a page's physical address is its pointer.
unsigned char *host_direct_map;

void fake_memory_fail(unsigned nth, bool and_all_later) {
    fail_in = nth;
    fail_on = and_all_later;
    failed = false;
}

bool fake_memory_failed(void) {
    return failed;
}

uint64_t fake_memory_pages(void) {
    return pages;
}

uint64_t fake_memory_objects(void) {
    return objects;
}

uint64_t fake_notified(void) {
    return notified;
}

static bool refuse(void) {
    if (fail_in == 0 || --fail_in > 0) {
        return false;
    }
    fail_in = fail_on ? 1 : 0;
    failed = true;
    return true;
}

paddr_t page_alloc(unsigned order) {
    if (refuse()) {
        return 0;
    }
    size_t size = (size_t)PAGE_SIZE << order;
    void *page = aligned_alloc(PAGE_SIZE, size);
    memset(page, 0xa5, size);
    pages += 1u << order;
    return (uintptr_t)page;
}

paddr_t page_alloc_zeroed(void) {
    paddr_t page = page_alloc(0);
    if (page != 0) {
        memset((void *)(uintptr_t)page, 0, PAGE_SIZE);
    }
    return page;
}

void page_free(paddr_t page, unsigned order) {
    pages -= 1u << order;
    free((void *)(uintptr_t)page);
}

void *slab_alloc_partly(size_t size, size_t cleared) {
    void *object = refuse() ? nullptr : malloc(size);
    if (object != nullptr) {
        objects++;
        memset(object, 0x5a, size);
        memset(object, 0, cleared);
    }
    return object;
}

void *slab_alloc(size_t size) {
    return slab_alloc_partly(size, size);
}

void slab_free(void *pointer, size_t size) {
    if (pointer != nullptr) {
        memset(pointer, 0x5a, size);
        objects--;
        free(pointer);
    }
}

static status_t copy(void *to, const void *from, uint64_t length) {
    if (length == 0) {
        return 0;
    }
    if (fake_user_faults) {
        memcpy(to, from, length / 2);
        return ERR_FAULT;
    }
    memcpy(to, from, length);
    return 0;
}

status_t user_copy_in(void *to, user_ptr_t from, uint64_t length) {
    return copy(to, (const void *)(uintptr_t)from.va, length);
}

status_t user_copy_out(user_ptr_t to, const void *from, uint64_t length) {
    return copy((void *)(uintptr_t)to.va, from, length);
}

uint64_t cpu_count_total(enum cpu_counter) {
    return 0;
}

// Nobody calls here: tests/host/call_test.c.
void call_abandon(struct channel *) {}

bool call_tell(struct channel *, unsigned *) {
    return true;
}

void call_message_came(struct channel *) {}

// Nobody holds anything here.
bool process_visit_holders(const struct object *, uint32_t, bool (*)(void *, struct process *), void *) {
    return true;
}

uint32_t thread_current_pid(void) {
    return 0;
}

// As kernel/park.c has it; the answer stays in the frame.
void park_thread(struct thread *self, const struct park_kind *kind, struct object *object, uint64_t deadline) {
    (void)deadline;
    self->park.kind = kind;
    self->park.object = object;
}

void park_complete(struct thread *thread, int64_t status, const uint64_t word[4]) {
    const struct park_kind *kind = thread->park.kind;
    thread->park.kind = nullptr;
    kind->withdraw(thread);
    thread->park.object = nullptr;
    thread->frame.status = status;
    memcpy(thread->frame.word, word, sizeof thread->frame.word);
}

bool park_complete_woken(struct thread *thread, uint64_t bits) {
    thread->park.kind = nullptr;
    thread->park.object = nullptr;
    thread->frame.status = 0;
    memcpy(thread->frame.word, (const uint64_t[4]){bits}, sizeof thread->frame.word);
    return true;
}

// Nothing is made again: who tests calls itself, does that.
bool call_made_again(long) {
    return false;
}

uint64_t arch_time_now(void) {
    return ++fake_time;
}

uint64_t host_stamp(void) {
    return ++fake_time;
}

uint64_t arch_ticks_time(uint64_t ticks) {
    return ticks;
}

void panic(const char *text, ...) {
    va_list args;
    va_start(args, text);
    vfprintf(stderr, text, args);
    va_end(args);
    fputc('\n', stderr);
    abort();
}

void fake_wait(struct fake_waiter *waiter, struct object *object, uint32_t events) {
    if ((object->ops->events(object) & events) != 0) {
        waiter->woken++;
        return;
    }
    object_ref(object);
    waiter->object = object;
    waiter->events = events;
    list_push_back(&object->waiters, &waiter->link);
}

void fake_wait_end(struct fake_waiter *waiter) {
    struct object *object = waiter->object;
    if (object != nullptr) {
        waiter->object = nullptr;
        list_remove(&waiter->link);
        object_unref(object);
    }
}

// As kernel/wait.c has it: levels are looked at once more, and a wait that ends drops its reference.
unsigned object_notify_some(struct object *object, uint32_t events, unsigned limit) {
    unsigned completed = 0;
    notified++;
    object_ref(object);
    list_for_each_safe(link, &object->waiters) {
        struct fake_waiter *waiter = container_of(link, struct fake_waiter, link);
        if (completed < limit && (waiter->events & events) != 0 &&
            (object->ops->events(object) & waiter->events) != 0) {
            waiter->woken++;
            completed++;
            fake_wait_end(waiter);
        }
    }
    object_unref(object);
    return completed;
}

void object_notify(struct object *object, uint32_t events) {
    object_notify_some(object, events, UINT_MAX);
}

void object_notify_within(struct object *object, uint32_t events, unsigned *) {
    object_notify(object, events);
}

// ---- deadlines: one unordered list ----

static struct list timers = LIST_INIT(timers);
static struct cpu cpu;
thread_local struct cpu *host_cpu_current = &cpu;

void timer_add(struct cpu *, struct timer_entry *entry, uint64_t deadline) {
    entry->deadline = deadline;
    list_push_back(&timers, &entry->link);
}

void timer_remove(struct timer_entry *entry) {
    list_remove(&entry->link);
}

uint64_t timer_due(uint64_t deadline) {
    return deadline;
}

void cpu_arm(struct cpu *, uint64_t) {}

void fake_time_pass(uint64_t nanoseconds) {
    fake_time += nanoseconds;
    list_for_each_safe(link, &timers) {
        struct timer_entry *entry = container_of(link, struct timer_entry, link);
        if (entry->deadline <= fake_time) {
            list_remove(&entry->link);
            entry->expired(entry);
        }
    }
}

bool fake_timer_runs(void) {
    return !list_empty(&timers);
}
