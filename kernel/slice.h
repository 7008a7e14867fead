// Long work in bounded steps. Nothing in the kernel loops over something that users can make long; it queues a slice, and
// steps are run on timer ticks, before a CPU goes idle, and at the end of calls while work is queued. Needs the kernel
// lock.
//
// Work that only gives memory back is queued apart: an allocator that has run dry does some of it before it refuses.
// That is in the midst of whatever needs the memory, so such a step must not touch anything that has a name, a waiter or
// a user: it frees what nobody can reach any more, allocates nothing and wakes nobody.
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

// Not queued already.
void slice_queue(struct slice *slice, bool (*step)(struct slice *slice, unsigned *budget));
void slice_queue_memory(struct slice *slice, bool (*step)(struct slice *slice, unsigned *budget));
void slice_cancel(struct slice *slice); // queued or not
void slice_run(unsigned budget);
bool slice_pending(void);
// For the page allocator: one share of what gives memory back; false if there is nothing.
bool slice_reclaim(void);
