// Long work in bounded steps. Nothing in the kernel loops over something that users can make long; it queues a slice, and
// steps are run on timer ticks, before a CPU goes idle, at the end of calls while work is queued, and by an allocator
// that has run dry. Needs the kernel lock.
#pragma once

#include "base/list.h"
#include "base/types.h"

struct slice {
    struct list link; // empty when not queued
    // Do up to *budget units of work and deduct them; true when all is done (the slice is then already off the queue and
    // may be freed by step itself just before it returns).
    bool (*step)(struct slice *slice, unsigned *budget);
};

enum { SLICE_BUDGET = 32 }; // units a kernel entry spends

void slice_queue(struct slice *slice, bool (*step)(struct slice *slice, unsigned *budget)); // not queued already
void slice_run(unsigned budget);
bool slice_pending(void);
