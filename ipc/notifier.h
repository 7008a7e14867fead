// A notifier: a word of bits and a bounded queue of event records (IPC-2). Bits are signalled and taken; records come from
// the notifier's watches (kernel/watch.h) and are read. It is ready (EVENT_READABLE) while it has either.
//
// Bits. A signal offers its bits to the threads parked in take, longest wait first: each gets those it asked for, and each
// bit goes to one of them. What nobody takes stays. Both happen in one step under the kernel lock, so a signal cannot
// fall between the look and the parking (IPC-2.4). Where one signal wakes many, some wake by a slice: what they are about to
// get is theirs from the signal on.
//
// Records. A full queue loses nothing silently (IPC-2.7): events are counted instead, and an EVENT_OVERFLOW record with
// their number stands where they would have stood. While that record has no place yet, every further event is counted
// too. With WATCH_COALESCE an event like the last queued one of its watch only adds to that one's count.
//
// The last handle's closing ends all watches and every take; a kernel-internal notifier (an events file's) has no handle,
// and its owner calls notifier_silence. So takers hold no reference. Needs the kernel lock.
#pragma once

#include "abi/abi.h"
#include "kernel/object.h"
#include "kernel/watch.h"

struct notifier;
struct thread;

extern const struct object_ops notifier_ops;

// depth 1 to NOTIFIER_DEPTH_MAX; owner for show. One reference. ERR_NO_MEMORY.
[[nodiscard]] status_t notifier_new(uint32_t depth, uint32_t owner_pid, struct notifier **notifier);
struct object *notifier_object(struct notifier *notifier);
struct notifier *notifier_of(struct object *object); // of an OBJECT_NOTIFIER

void notifier_signal(struct notifier *notifier, uint64_t bits);
// As sys_take; parks self.
long notifier_take(struct notifier *notifier, struct thread *self, uint64_t mask, uint64_t deadline, uint64_t *bits);

// Subscribe to a thing. spec is valid. ERR_LIMIT, ERR_NO_MEMORY.
[[nodiscard]] status_t notifier_watch(struct notifier *notifier, struct watched *thing,
                                      const struct abi_watch_spec *spec, uint64_t *id);
// Be signalled when an entry of this name is made in or leaves a directory, or the directory is removed. *id 0: a watch of
// its own, whose id is set; else one more part of that one. ERR_LIMIT, ERR_NO_MEMORY.
[[nodiscard]] status_t notifier_watch_entry(struct notifier *notifier, struct watched *directory, const char *name,
                                            size_t length, uint64_t bits, uint64_t *id);
[[nodiscard]] status_t notifier_unwatch(struct notifier *notifier, uint64_t id); // ERR_NOT_FOUND
// Hear no more, and end every take; what is long in steps. Once, and nobody begins anything with it afterwards.
void notifier_silence(struct notifier *notifier);

// The oldest record, in place of which the queue has room afterwards; false: none.
[[nodiscard]] bool notifier_peek(struct notifier *notifier, struct abi_event_record *event);
void notifier_drop(struct notifier *notifier); // after a peek that found one

struct notifier_info {
    uint64_t id, created, bits;
    uint32_t owner_pid, depth, queued, watches, takers;
    uint64_t sequence;                              // events that came by its watches, silent ones aside
    uint64_t lost, coalesced, read, signals, taken; // of those: lost, added to another record; records read; …
};
void notifier_get_info(const struct notifier *notifier, struct notifier_info *info);
struct notifier *notifier_after(uint64_t id); // the next higher id, or null; not a new reference

struct notifier_totals {
    uint64_t active, created, watches;
    uint64_t events, lost, coalesced, read, signals, taken;
};
void notifier_get_totals(struct notifier_totals *totals);
