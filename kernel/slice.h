// Long work in bounded steps. Nothing in the kernel loops over something that users can make long; it queues a slice, and
// steps are run on timer ticks, before a CPU goes idle, and at the end of kernel entries while work is queued. Never in
// the midst of a call: what a call has checked stays so until it has acted. A call refused for want of memory while
// slices are queued is made again after some of them (syscall.c): memory on its way back counts as there. Needs the
// kernel lock.
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

void slice_queue(struct slice *slice, bool (*step)(struct slice *slice, unsigned *budget)); // not queued already
void slice_cancel(struct slice *slice);                                                     // queued or not
void slice_run(unsigned budget);
bool slice_pending(void);
