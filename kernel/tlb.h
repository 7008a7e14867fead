// TLB shoot-down: after pages were taken out of an address space and before they are reused, no CPU may hold a
// translation of them. The initiator holds the kernel lock, asks every CPU that runs in the space by a request in its
// struct cpu and an IPI, and waits for all. A CPU answers from trap_ipi, and while it spins for the kernel lock, without
// holding the lock: so the wait always ends.
//
// A CPU has at most one request at a time, because only the holder of the lock makes them and waits for the answer. The
// request's fields are written before `pending` is set (release) and read after it is seen set (acquire); the flush is
// done before it is cleared (release), and the initiator goes on once it sees that (acquire): then nobody uses the old
// translation any more, and nothing that the initiator writes into the reused page comes earlier.
//
// That a walk of the tables after the flush finds the entry as the initiator left it is no matter of these orders: a walk
// is no load. arch_tlb_flush sees to it on each port (arm64: a barrier for stores to tables comes before the invalidation;
// riscv64: the fence orders earlier stores, those acquired from the initiator among them, before later walks).
//
// A port whose invalidations reach all CPUs by themselves names only the calling one as stale, and nobody is interrupted.
#pragma once

#include "kernel/space.h"

void tlb_shootdown(struct space *space, uint64_t va, uint64_t pages);
void tlb_answer(void); // on this CPU, if it was asked; no lock
