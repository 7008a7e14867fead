// What the files of the notifier share; nobody else looks inside.
#pragma once

#include "ipc/notifier.h"
#include "kernel/id_tree.h"
#include "kernel/park.h"
#include "kernel/slice.h"

enum {
    RECORDS_PER_PAGE = PAGE_SIZE / sizeof(struct abi_event_record),
    RECORD_PAGES_MAX = (NOTIFIER_DEPTH_MAX + RECORDS_PER_PAGE - 1) / RECORDS_PER_PAGE,
};

// A slot, and where those end that follow it in memory.
struct notifier_place {
    struct abi_event_record *slot;
    const struct abi_event_record *end;
};

struct notifier {
    struct object object;
    struct id_node node; // in the registry
    uint64_t created, bits;
    uint32_t owner_pid, depth;
    struct thread *taker; // parked in take for longer than those in the list; null: nobody, or the list has all
    struct list takers;   // threads parked in take, longest wait first
    uint32_t taker_count; // in the list
    struct list watches;  // of struct subscription.by_notifier
    uint32_t watch_count;

    // Records head to tail - 1 are queued, number n in slot n % depth.
    uint64_t head, tail;
    struct notifier_place out, in; // of records head and tail
    uint64_t overdue; // events lost behind the last record, for which no overflow record has been queued yet
    uint64_t sequence;
    uint64_t lost, coalesced, read, signals, taken;
    bool offers_due;       // bits are set that a taker wants: it gets them by a slice, and nobody else does
    struct slice offering; // queued while offers are due
    struct slice ending;   // queued: silenced with a reference of this, or freed
    struct abi_event_record *page[RECORD_PAGES_MAX];
};

// The place of record number n.
void notifier_find(const struct notifier *notifier, struct notifier_place *place, uint64_t number);
// From the place of the record before to that of this one.
[[gnu::always_inline]] static inline void notifier_advance(const struct notifier *notifier,
                                                           struct notifier_place *place, uint64_t number) {
    if (++place->slot == place->end) {
        notifier_find(notifier, place, number);
    }
}

extern struct notifier_totals notifier_books;
extern const struct park_kind take_parked;
