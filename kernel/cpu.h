// One CPU: what it runs, its run queue and deadlines, its counters. Found by arch_cpu_current(). Fields need the kernel
// lock, except the tlb request (tlb.h) and the counters: those are written by their own CPU alone, some of them without the
// lock (COUNT_IPI, COUNT_SPURIOUS). Who adds them up reads whole words of some recent moment; nothing is concluded from
// one about another.
#pragma once

#include "abi/abi.h"
#include "base/list.h"
#include "kernel/include/arch.h"
#include "kernel/timer.h"

struct space;
struct thread;

// Events counted per CPU; each is a column of a statistics file.
enum cpu_counter {
    COUNT_SYSCALL,
    COUNT_SYSCALL_ERROR,
    COUNT_FAULT, // faults from user mode, resolved or not
    COUNT_FAULT_FATAL,
    COUNT_TIMER, // interrupts, by kind
    COUNT_IPI,
    COUNT_CONSOLE,
    COUNT_SPURIOUS,
    COUNT_SWITCH,     // thread switches
    COUNT_PREEMPTION, // of those, involuntary ones
    COUNT_STEAL,      // threads taken over from another CPU
    COUNT_WAKE,
    COUNT_PARK,
    COUNT_SHOOTDOWN,    // TLB shoot-downs started here
    COUNT_CALL,         // calls made to servers
    COUNT_REPLY,        // of those: replied to
    COUNT_CALL_LOST,    // of those: ended without a reply
    COUNT_FAST_VERSION, // done by a fast path, and not counted above: the calls abi_version, …
    COUNT_FAST_CALL,
    COUNT_FAST_REPLY,
    COUNT_FAST, // all of these together
    COUNT_KINDS = COUNT_FAST
};

struct run_queue {
    uint32_t occupied; // bit per priority
    uint32_t length;
    struct list ready[PRIORITIES];
};

struct cpu {
    struct arch_cpu arch;
    struct thread *current; // running in user mode or in a call; null: idle
    unsigned index;
    bool online;         // takes threads
    bool resched;        // what it runs is to be chosen anew at its next leave of the kernel
    struct space *space; // in place on this CPU; null: the kernel's
    struct run_queue queue;
    struct timer_wheel timers;
    uint64_t armed;       // what the port's timer is set to
    uint64_t switched_at; // stamp: when current began to run
    uint64_t slice_end;   // when current must let its equals run
    uint64_t idle_ticks;  // without an idleness that still lasts: cpu_idle_time
    uint64_t count[COUNT_KINDS];
    struct { // written by the one CPU that shoots down, cleared by this one; atomic
        struct space *space;
        uint64_t va, pages;
        uint32_t pending;
    } tlb;
};

static_assert(offsetof(struct cpu, arch) == 0);
static_assert(offsetof(struct cpu, current) == CPU_CURRENT_OFFSET);

extern struct cpu *cpu_table[CPU_MAX]; // by index; null: not started
extern unsigned cpu_slots;             // no entry from here on is in use: where loops over the table end
unsigned cpu_online_count(void);
uint64_t cpu_count_of(const struct cpu *cpu, enum cpu_counter counter); // with what the fast paths did
uint64_t cpu_count_total(enum cpu_counter counter);                     // over all CPUs

uint64_t cpu_idle_time(const struct cpu *cpu); // nanoseconds, up to now
// How long current has been running, or the CPU idle. The clocks of two CPUs may differ by as little as can be measured.
static inline uint64_t cpu_ticks_since_switch(const struct cpu *cpu) {
    uint64_t now = arch_stamp();
    return now > cpu->switched_at ? now - cpu->switched_at : 0;
}
// Choose anew what that CPU runs: interrupt it if it is another one and was not told yet.
void cpu_resched(struct cpu *cpu);
// This CPU: have trap_timer come no later than that.
void cpu_arm(struct cpu *cpu, uint64_t when);
// This CPU: be in that address space, or in no process's.
void cpu_enter_space(struct cpu *cpu, struct space *space);

static inline void cpu_count(enum cpu_counter counter) {
    arch_cpu_current()->count[counter]++;
}
