// Parking: the only way a thread waits in the kernel. Nothing sleeps: a call that has to wait writes down in the thread
// what it waits for and returns; whoever makes the condition true, or the deadline, or the end of the process, finishes
// the operation exactly once through park_complete or park_cancel. Needs the kernel lock.
#pragma once

#include "base/types.h"
#include "kernel/timer.h"

struct thread;
struct object;

struct process;

// What a thread can be parked in.
struct park_kind {
    const char *operation;                   // for people: "wait"
    void (*withdraw)(struct thread *thread); // undo the links that the operation made; called exactly once
    // Who can wake it, as object_ops.wakers; null: whoever can make an event of an object true that it waits for.
    bool (*wakers)(const struct thread *thread, bool (*visit)(void *context, struct process *process), void *context);
};

struct park {
    const struct park_kind *kind; // of a thread that is parked
    struct object *object;        // the (first) object it waits for, or null; not referenced by park
    struct list link;             // the operation's own: a place in a queue
    uint64_t word;                // likewise: what it asked for
    struct timer_entry timer;     // the deadline, queued only if there is one
    uint64_t since;               // stamp (arch.h)
};

// Park the running thread. The call that does this returns PARKED (syscall.h) and must not touch the thread again.
void park_thread(struct thread *self, const struct park_kind *kind, struct object *object, uint64_t deadline);
// The operation is finished: withdraw, give the thread its answer, make it runnable.
void park_complete(struct thread *thread, int64_t status, const uint64_t word[4]);
// The same with status 0 and these bits, provided that the thread can be its CPU's woken one (sched_wake), and without
// withdrawing, which the caller does then. False: nothing has happened.
[[nodiscard]] bool park_complete_woken(struct thread *thread, uint64_t bits);
// The same, and it goes on at once in the turn of this CPU's current thread, which is parked by now (sched_next).
void park_complete_next(struct thread *thread, int64_t status, const uint64_t word[4]);
// The thread will never get an answer (it is being ended): withdraw only.
void park_cancel(struct thread *thread);
