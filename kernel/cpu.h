// One CPU: what it runs, its run queue and deadlines, its counters. Found by arch_cpu_current(). Fields need the kernel
// lock, except the tlb request (tlb.h) and the counters: those are written by their own CPU alone, some of them without the
// lock (COUNT_IPI, COUNT_SPURIOUS). Who adds them up reads whole words of some recent moment; nothing is concluded from
// one about another.
#pragma once

#include "abi/abi.h"
#include "base/list.h"
#include "kernel/include/arch.h"
#include "kernel/space.h"
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
    COUNT_FAST_YIELD, // without anybody to yield to
    COUNT_FAST_PASS,  // yield with a switch
    COUNT_FAST_SIGNAL,
    COUNT_FAST_WAKE, // signal that wakes somebody
    COUNT_FAST_TAKE,
    COUNT_FAST_MISS, // take that is refused at once
    COUNT_FAST_PARK, // take that parks
    COUNT_FAST_SEND,
    COUNT_FAST_RECV,
    COUNT_FAST_READ, // of a notifier's record
    COUNT_FAST,      // all of these together
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
    struct space *space;    // in place on this CPU; null: the kernel's
    unsigned index;
    bool online;     // takes threads
    bool resched;    // what it runs is to be chosen anew at its next leave of the kernel
    bool turn_timed; // the timer comes no later than the end of the turn
    bool timer_came; // since it was armed for the next deadline
    // A thread that has been woken here and has no place in the queue yet: it comes behind its equals that are in it, and
    // before those that come later. Whoever looks at the queue puts it there first (sched_admit); as a rule the current
    // thread parks before that, and the CPU goes straight on with this one. It is no more urgent than current, and nothing
    // but a change of registers is needed to go on with it. sched_nobody: there is none. sched_closed: nor may there be
    // one, nor may a fast path begin a turn; that is so while another CPU is up, while the timer might come after the end of
    // the turn, and in a turn that is not a whole one.
    struct thread *woken;
    uint64_t woken_bits;  // its answer is status 0 and these bits that it took; 0: what its frame says
    uint64_t armed;       // what the port's timer is set to
    uint64_t switched_at; // stamp: when current began to run
    uint64_t turn_began;  // stamp: current's turn among its equals
    uint64_t turn_length; // nanoseconds of it
    uint64_t idle_ticks;  // without an idleness that still lasts: cpu_idle_time
    uint64_t count[COUNT_KINDS];
    struct run_queue queue;
    struct timer_wheel timers;
    struct { // written by the one CPU that shoots down, cleared by this one; atomic
        struct space *space;
        uint64_t va, pages;
        uint32_t pending;
    } tlb;
};

static_assert(offsetof(struct cpu, arch) == 0);
static_assert(offsetof(struct cpu, current) == CPU_CURRENT_OFFSET);
static_assert(offsetof(struct cpu, space) == CPU_SPACE_OFFSET && offsetof(struct space, arch) == 0);

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
// When current must let its equals run, in nanoseconds since boot.
static inline uint64_t cpu_turn_end(const struct cpu *cpu) {
    return arch_stamp_time(cpu->turn_began) + cpu->turn_length;
}
// Choose anew what that CPU runs: interrupt it if it is another one and was not told yet.
void cpu_resched(struct cpu *cpu);
// This CPU: have trap_timer come no later than that.
void cpu_arm(struct cpu *cpu, uint64_t when);
// This CPU: be in that address space, or in no process's.
void cpu_enter_space(struct cpu *cpu, struct space *space);

static inline void cpu_count(enum cpu_counter counter) {
    ARCH_CPU_FIELD(struct cpu, count)[counter]++;
}
