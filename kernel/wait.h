// Waiting for events of objects: the `wait` call. Events are levels. A thread that waits is linked to each source; who
// makes an event true calls object_notify, which completes the wait of every thread that asked for it. Links are part of
// the thread: waiting cannot fail for memory. An object with
// many waiters is looked after in slices. Needs the kernel lock.
#pragma once

#include "kernel/object.h"

struct wait_link {
    struct list link;      // in object->waiters
    struct object *object; // referenced while linked
    struct thread *thread;
    uint32_t events;
};

uint64_t wait_ready(const struct thread *thread); // bit i: the i-th source that it waits for has one of the events
void wait_withdraw(struct thread *thread);        // undo the links; for park

// Some of these events hold now: complete the waits of those who asked for one.
void object_notify(struct object *object, uint32_t events);
// The same as far as *budget goes, in units as of slices; the others learn of it by a slice.
void object_notify_within(struct object *object, uint32_t events, unsigned *budget);
// The same for not more than `limit` of them, longest wait first; the others go on waiting in their order, and are the
// caller's to remember. Returns how many were completed; those left to a slice do not count.
unsigned object_notify_some(struct object *object, uint32_t events, unsigned limit);
