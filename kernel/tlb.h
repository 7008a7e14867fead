// TLB shoot-down: after pages were taken out of an address space and before they are reused, no CPU may hold a
// translation of them. The initiator holds the kernel lock, asks every CPU that runs in the space by a request in its
// struct cpu and an IPI, and waits for all. A CPU answers from trap_ipi, and while it spins for the kernel lock, without
// holding the lock: so the wait always ends.
#pragma once

#include "kernel/space.h"

void tlb_shootdown(struct space *space, uint64_t va, uint64_t pages);
void tlb_answer(void); // on this CPU, if it was asked; no lock
