// The scheduler: preemptive, fixed priorities, round robin among equals, one run queue per CPU. A woken or new thread goes
// to its home CPU, unless that one is busy with something at least as urgent and another is less so: then it moves to the
// least urgent one. A CPU that chooses takes over the most urgent ready thread of another if it has none as urgent. So,
// but for interrupts under way, no CPU runs a thread while one of higher priority waits. Needs the kernel lock.
#pragma once

#include "abi/abi.h"
#include "base/types.h"

struct cpu;
struct thread;

enum { SCHED_SLICE = 10000000 }; // nanoseconds a thread runs before its equals do

// How many threads wait in all queues together, by priority; and a bit for each priority that has some.
struct sched_waiting {
    uint32_t mask;
    uint32_t count[PRIORITIES];
};
extern struct sched_waiting sched_waiting;

void sched_init_cpu(struct cpu *cpu);
void sched_ready(struct thread *thread); // it can run: queue it, interrupt a CPU if that changes what runs there
// The same as this CPU's woken thread (cpu.h), if it can be that: its answer is then status 0 and these bits, or for 0 what
// its frame says. False: nothing has happened.
[[nodiscard]] bool sched_wake(struct thread *thread, uint64_t bits);
// It can run and does so here at once, unless something more urgent waits: it takes over the turn of this CPU's current
// thread, which has just parked for it.
void sched_next(struct thread *thread);
// Change how urgent it is, in whatever state it is.
void sched_set_priority(struct thread *thread, unsigned priority);
// This CPU's woken thread, if any, takes its place in the queue. Comes before every look at the queue from outside.
void sched_admit(void);
// The timer has come: it is armed for nothing now.
void sched_timer_came(struct cpu *cpu);
void sched_remove(struct thread *thread); // out of the run queue (READY only)
void sched_pass(struct thread *self);     // behind its equals (not "yield", which hosted C libraries have)
void sched_leave(void);                   // this CPU's current thread runs here no more: account for it, forget it
// What this CPU runs next: switches address space and vector state, arms the timer. null: nothing, idle.
[[nodiscard]] struct thread *sched_pick(void);
