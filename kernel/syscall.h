// How a call is made and answered. The generated dispatcher decodes the arguments; the implementation, sys_<name>, stands
// beside its object in <object>_sys.c: it refuses first, then acts, and returns a status.
#pragma once

#include "base/types.h"

// Returned by an implementation that has parked the calling thread or ended it: there is no answer yet, or never.
// Outside the range of statuses.
enum { CALL_PENDING = -1000000 };

struct thread;

// Make the call that the running thread's frame holds; answer it unless it is pending. A refused call has changed nothing,
// so one that found no memory is made again once queued slices have returned some. Needs the kernel lock.
void call_make(struct thread *self);
