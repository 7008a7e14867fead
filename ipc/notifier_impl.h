// What the files of the notifier share; nobody else looks inside.
#pragma once

#include "ipc/id_tree.h"
#include "ipc/notifier.h"
#include "kernel/park.h"

enum {
    RECORDS_PER_PAGE = PAGE_SIZE / sizeof(struct abi_event_record),
    RECORD_PAGES_MAX = (NOTIFIER_DEPTH_MAX + RECORDS_PER_PAGE - 1) / RECORDS_PER_PAGE,
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
    uint64_t overdue; // events lost behind the last record, for which no overflow record has been queued yet
    uint64_t sequence;
    uint64_t lost, coalesced, read, signals, taken;
    struct abi_event_record *page[RECORD_PAGES_MAX];
};

// Where record number n is, or will be.
[[gnu::always_inline]] static inline struct abi_event_record *notifier_record(const struct notifier *notifier,
                                                                              uint64_t number) {
    uint32_t slot = (uint32_t)(number % notifier->depth);
    return &notifier->page[slot / RECORDS_PER_PAGE][slot % RECORDS_PER_PAGE];
}

extern struct notifier_totals notifier_books;
extern const struct park_kind take_parked;
