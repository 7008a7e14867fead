#include "kernel/lock.h"

#include <stdatomic.h>

#include "kernel/cpu.h"
#include "kernel/panic.h"
#include "kernel/tlb.h"

// A ticket lock: who comes draws the next ticket and waits until it is served, so nobody is overtaken. The tickets may
// wrap: only equality counts, and no more than CPU_MAX are out at once.
//
// In what order memory shows this, by C's own model, on processors that reorder too:
//  - What a holder wrote, the next one reads: kernel_unlock stores now_serving with release, kernel_lock takes the lock by
//    a load with acquire that reads just that store. So all that the lock guards needs no order of its own.
//  - The drawing of a ticket guards nothing of that. It releases and acquires for the sake of `resting` alone; on arm64 and
//    riscv64 that costs no instruction.
//  - resting: below.
static _Atomic uint32_t next_ticket, now_serving;

// By ticket: the CPU that rests until its turn, plus 1; 0: none. Its store before it looks at now_serving once more, and
// the store of now_serving before kernel_unlock looks here, are in one total order: one of the two sees the other. That
// takes sequential consistency, since each is a store before a load of another word: acquire and release would let both
// loads come first. If kernel_unlock sees the other, its interrupt comes behind the store (arch_cpu_ipi), so whom it wakes
// finds its ticket served. Checked by tests/model/rest.pml.
//
// A place is used again by the ticket CPU_MAX later, and its store must not be overtaken by the older ticket's 0. Between
// the two, some CPU has drawn twice. It had the lock in between, so its second draw comes after that 0; and the draws are
// a chain of read-modify-writes that release and acquire, so the later ticket's store comes after it as well.
static _Atomic uint32_t resting[CPU_MAX];
enum { SPINS_BEFORE_REST = 200 };

// For assertions. A CPU that finds itself here wrote that itself and has not written null since: each CPU sees its own
// stores in order, and others only ever write themselves or null. Nothing follows for another CPU.
static struct cpu *_Atomic holder;
static struct lock_stats stats; // written by the holder

static void rest(uint32_t ticket, const struct cpu *cpu) {
    _Atomic uint32_t *place = &resting[ticket % CPU_MAX];
    atomic_store_explicit(place, cpu->index + 1, memory_order_seq_cst);
    // A request to drop translations comes with an interrupt, and trap_ipi answers it.
    if (atomic_load_explicit(&now_serving, memory_order_seq_cst) != ticket) {
        arch_cpu_rest();
    }
    atomic_store_explicit(place, 0, memory_order_relaxed);
}

void kernel_lock(void) {
    struct cpu *cpu = arch_cpu_current();
    KASSERT(atomic_load_explicit(&holder, memory_order_relaxed) != cpu);
    uint32_t ticket = atomic_fetch_add_explicit(&next_ticket, 1, memory_order_acq_rel);
    uint64_t spins = 0, rests = 0;
    // Acquire pairs with the release in kernel_unlock: what the last holder wrote is seen.
    while (atomic_load_explicit(&now_serving, memory_order_acquire) != ticket) {
        // The holder may be waiting for this CPU to drop translations.
        tlb_answer();
        if (++spins % SPINS_BEFORE_REST != 0) {
            arch_cpu_relax();
        } else {
            rest(ticket, cpu);
            rests++;
        }
    }
    atomic_store_explicit(&holder, cpu, memory_order_relaxed);
    stats.acquisitions++;
    stats.rests += rests;
    if (spins > 0) {
        stats.contended++;
        stats.spins += spins;
        if (spins > stats.spins_max) {
            stats.spins_max = spins;
        }
    }
}

void kernel_unlock(void) {
    KASSERT(kernel_lock_held());
    atomic_store_explicit(&holder, nullptr, memory_order_relaxed);
    uint32_t ticket = atomic_load_explicit(&now_serving, memory_order_relaxed);
    atomic_store_explicit(&now_serving, ticket + 1, memory_order_seq_cst);
    uint32_t next = atomic_load_explicit(&resting[(ticket + 1) % CPU_MAX], memory_order_seq_cst);
    if (next != 0) {
        arch_cpu_ipi(next - 1);
    }
}

bool kernel_lock_held(void) {
    return atomic_load_explicit(&holder, memory_order_relaxed) == arch_cpu_current();
}

struct lock_stats kernel_lock_stats(void) {
    return stats;
}
