#include "kernel/park.h"

#include "kernel/cpu.h"
#include "kernel/panic.h"
#include "kernel/sched.h"
#include "kernel/thread.h"

static void deadline_passed(struct timer_entry *entry) {
    struct thread *thread = container_of(entry, struct thread, park.timer);
    park_complete(thread, ERR_TIMED_OUT, (const uint64_t[4]){});
}

void park_thread(struct thread *self, const struct park_kind *kind, struct object *object, uint64_t deadline) {
    struct cpu *cpu = arch_cpu_current();
    KASSERT(cpu->current == self && self->state == THREAD_RUNNING);
    self->park.kind = kind;
    self->park.object = object;
    self->park.since = arch_stamp();
    if (deadline != FOREVER) {
        self->holds |= HOLD_TIMED;
        self->park.timer.expired = deadline_passed;
        timer_add(cpu, &self->park.timer, deadline);
        cpu_arm(cpu, timer_due(deadline));
    }
    cpu->count[COUNT_PARK]++;
    self->state = THREAD_PARKED;
    cpu_resched(cpu);
}

static void unpark(struct thread *thread) {
    KASSERT(thread->state == THREAD_PARKED);
    timer_remove(&thread->park.timer);
    thread->holds &= (uint16_t)~HOLD_TIMED;
    thread->park.kind->withdraw(thread);
    thread->park.object = nullptr;
}

void park_complete(struct thread *thread, int64_t status, const uint64_t word[4]) {
    unpark(thread);
    arch_frame_answer(&thread->frame, status, word);
    cpu_count(COUNT_WAKE);
    sched_ready(thread);
}

bool park_complete_woken(struct thread *thread, uint64_t bits) {
    KASSERT(thread->state == THREAD_PARKED);
    if (!sched_wake(thread, bits)) { // nor one with a deadline, which holds it
        return false;
    }
    thread->park.object = nullptr;
    cpu_count(COUNT_WAKE);
    return true;
}

void park_complete_next(struct thread *thread, int64_t status, const uint64_t word[4]) {
    unpark(thread);
    arch_frame_answer(&thread->frame, status, word);
    cpu_count(COUNT_WAKE);
    sched_next(thread);
}

void park_cancel(struct thread *thread) {
    unpark(thread);
}
