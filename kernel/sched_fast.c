// The fast paths of calls without an object: abi_version and yield.
#include "kernel/fast.h"

struct fast_answer FAST_PATH(abi_version)(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                                          uint64_t a5) {
    FAST_LOCK(CALL_ABI_VERSION, a0, a1, a2, a3, a4, a5);
    FAST_CPU(count[COUNT_FAST_VERSION])++;
    struct thread *self = FAST_CPU(current);
    self->process->calls++;
    FAST_STAY(self, ABI_VERSION, 0);
}

// To an equal on this CPU, while nothing more urgent waits. Nobody can have ended the caller: no other CPU is up.
struct fast_answer FAST_PATH(yield)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t) {
    FAST_LOCK(CALL_YIELD, 0, 0, 0, 0, 0, 0);
    struct cpu *cpu = arch_cpu_current();
    struct thread *self = cpu->current;
    struct process *process = self->process;
    unsigned priority = self->priority;
    struct list *ready = &cpu->queue.ready[priority], *first = ready->next;
    const struct thread *woken = FAST_CPU(woken);
    if (first == ready) {
        if (woken != &sched_nobody && woken != &sched_closed) { // it may be an equal
            FAST_UNLOCK_LEAVE(CALL_YIELD, 0, 0, 0, 0, 0, 0);
        }
        process->calls++;
        FAST_CPU(count[COUNT_FAST_YIELD])++;
        FAST_STAY(self, 0, 0);
    }
    struct thread *next = container_of(first, struct thread, ready);
    struct process *next_process = next->process;
    // Where a turn may begin, no other CPU has a queue.
    if (woken != &sched_nobody || cpu->queue.occupied >> priority > 1 || !fast_can_switch(self, next, next_process)) {
        FAST_UNLOCK_LEAVE(CALL_YIELD, 0, 0, 0, 0, 0, 0);
    }
    // Behind its equals: how many wait stays as it was.
    struct list *second = first->next;
    if (second != ready) {
        ready->next = second;
        second->previous = ready;
        list_push_back(ready, &self->ready);
    } else {
        self->ready.next = ready;
        self->ready.previous = ready;
        ready->next = &self->ready;
        ready->previous = &self->ready;
    }
    arch_frame_answer(&self->frame, 0, (const uint64_t[4]){});
    FAST_CPU(count[COUNT_FAST_PASS])++;
    uint64_t now = arch_stamp();
    fast_turn(now);
    fast_enter(self, process, next, next_process, now, THREAD_READY);
    FAST_FRAME_DONE(self, next);
}
