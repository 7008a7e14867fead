#include "kernel/lock.h"

#include "base/barrier.h"
#include "kernel/cpu.h"
#include "kernel/panic.h"
#include "kernel/tlb.h"

_Atomic int32_t lock_contenders = -1;
uint32_t lock_other;

void kernel_lock_share(uint32_t other) {
    KASSERT(kernel_lock_held());
    if (lock_other == 0) {
        atomic_store_explicit(&lock_contenders, 0, memory_order_relaxed);
        lock_other = other;
    }
}

// Tickets may wrap: only their difference counts, and no more than CPU_MAX are out at once. Their drawing releases and
// acquires for the sake of `resting` alone.
static _Atomic uint32_t next_ticket, granted; // granted: how many were

// By ticket: the CPU that rests until its turn, plus 1; 0: none. Its store before it looks at granted once more, and the
// store of granted before kernel_lock_grant looks here, have a full barrier behind them: one of the two sees the other. If
// kernel_lock_grant sees the other, its interrupt comes behind the store (arch_cpu_ipi), so whom it wakes finds its ticket
// granted. Checked by tests/model/rest.pml.
//
// A place is used again by the ticket CPU_MAX later, and its store must not be overtaken by the older ticket's 0. Between
// the two, some CPU has drawn twice. It had the lock in between, so its second draw comes after that 0; and the draws are
// a chain of read-modify-writes that release and acquire, so the later ticket's store comes after it as well.
static _Atomic uint32_t resting[CPU_MAX];
enum { SPINS_BEFORE_REST = 200 };

struct cpu *_Atomic lock_holder;
static struct lock_stats stats; // written by the holder

static bool is_granted(uint32_t ticket, memory_order order) {
    return (int32_t)(atomic_load_explicit(&granted, order) - ticket) > 0;
}

static void rest(uint32_t ticket, const struct cpu *cpu) {
    _Atomic uint32_t *place = &resting[ticket % CPU_MAX];
    atomic_store_explicit(place, cpu->index + 1, memory_order_relaxed);
    barrier_full();
    // A request to drop translations comes with an interrupt, and trap_ipi answers it.
    if (!is_granted(ticket, memory_order_relaxed)) {
        arch_cpu_rest();
    }
    atomic_store_explicit(place, 0, memory_order_relaxed);
}

void kernel_lock_queue(void) {
    struct cpu *cpu = arch_cpu_current();
    KASSERT(atomic_load_explicit(&lock_holder, memory_order_relaxed) != cpu);
    uint32_t ticket = atomic_fetch_add_explicit(&next_ticket, 1, memory_order_acq_rel);
    uint64_t spins = 0, rests = 0;
    while (!is_granted(ticket, memory_order_acquire)) {
        // The holder may be waiting for this CPU to drop translations.
        tlb_answer();
        if (++spins % SPINS_BEFORE_REST != 0) {
            arch_cpu_relax();
        } else {
            rest(ticket, cpu);
            rests++;
        }
    }
    stats.contended++;
    stats.rests += rests;
    stats.spins += spins;
    if (spins > stats.spins_max) {
        stats.spins_max = spins;
    }
}

void kernel_lock_grant(void) {
    // Nobody else writes it: the next to do so has the lock only after this.
    uint32_t ticket = atomic_load_explicit(&granted, memory_order_relaxed);
    atomic_store_explicit(&granted, ticket + 1, memory_order_release);
    barrier_full();
    uint32_t next = atomic_load_explicit(&resting[ticket % CPU_MAX], memory_order_relaxed);
    if (next != 0) {
        arch_cpu_ipi(next - 1);
    }
}

void kernel_lock(void) {
    KASSERT(!kernel_lock_held());
    kernel_lock_counted(arch_cpu_current());
    stats.acquisitions++;
}

void kernel_unlock(void) {
    KASSERT(kernel_lock_held());
    kernel_unlock_counted();
}

void kernel_lock_count(void) {
    stats.acquisitions++;
}

bool kernel_lock_held(void) {
    return atomic_load_explicit(&lock_holder, memory_order_relaxed) == arch_cpu_current();
}

struct lock_stats kernel_lock_stats(void) {
    struct lock_stats now = stats;
    now.acquisitions += cpu_count_total(COUNT_SYSCALL);
    return now;
}
