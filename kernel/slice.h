// Long work in bounded steps. Nothing in the kernel loops over something that users can make long; it queues a slice, and
// steps are run at the end of kernel entries while work is queued, of which a timer makes enough, and before a CPU goes
// idle. Never in the midst of a call: what a call has checked stays so until it has acted. A call refused for want of memory while
// slices are queued is made again after some of them (syscall.c): memory on its way back counts as there. Needs the
// kernel lock.
//
// A unit of work is about a hundred instructions: each step says what its parts are worth. So the share that a kernel entry
// does keeps it well below 10,000 instructions with interrupts off (scripts/bench --stay).
#pragma once

#include "base/list.h"
#include "base/types.h"

struct slice {
    struct list link; // empty or zero when not queued
    // Do up to *budget units of work and deduct them; true when all is done (the slice is then already off the queue and
    // may be freed by step itself just before it returns).
    bool (*step)(struct slice *slice, unsigned *budget);
};

enum { SLICE_BUDGET = 32 }; // units a kernel entry spends

// Deduct what a part of the work is worth; the last part may be worth more than is left.
static inline void slice_spend(unsigned *budget, unsigned units) {
    *budget -= *budget < units ? *budget : units;
}

void slice_queue(struct slice *slice, bool (*step)(struct slice *slice, unsigned *budget)); // not queued already
void slice_cancel(struct slice *slice);                                                     // queued or not
void slice_run(unsigned budget);
bool slice_pending(void);
