// The transport primitive (RING-1..3): a bounded single-producer single-consumer queue of messages. Enqueue and dequeue
// are O(1), copy a message whole, never wait, never retry, never overwrite; full and empty are answers.
//
// The protocol of the indices stands in lib/ring/index.h, which rings in shared pages use too. Here a length above the
// ring's message size is RING_CORRUPT as well, and a header is read from the slot once, into private memory, before
// anything in it is believed.
//
// Storage. Slots lie in pages of RING_SLOTS_PER_PAGE, given by the owner through a table of pointers; a page may be
// missing until its first use. Kernel queues take pages on demand (queue.h) and begin at slot 0 again when the queue is
// empty (ring_rewind: both sides quiet, which the kernel lock grants).
#pragma once

#include "abi/abi.h"
#include "base/types.h"
#include "ring/index.h"

struct ring_header {
    uint32_t sender;  // pid, set by the kernel (RING-2)
    uint32_t length;  // bytes of payload
    uint64_t id;      // the application's
    uint64_t sent_at; // the owner's: when
    uint64_t origin;  // the owner's: where from
};

struct ring_slot {
    struct ring_header header;
    uint8_t payload[MESSAGE_MAX];
};

enum { RING_SLOTS_PER_PAGE = PAGE_SIZE / sizeof(struct ring_slot) };

// What the two sides share: nothing in it is trusted by either.
struct ring_shared {
    uint64_t tail;
    uint64_t head;
};

// One side's private view.
struct ring_end {
    struct ring_shared *shared;
    struct ring_slot *const *page; // ring_pages(depth) pointers, null where missing; only its owner changes it
    uint64_t own;                  // this side's index; shared holds what the peer may know of it
    struct ring_slot *slot;        // own's, or null until its page was looked up
    uint64_t limit;                // up to where own may go without a look at the peer's
    struct ring_slot *last;        // the last slot of that page, or null
    uint32_t index;                // of that page: advances as own does, and wraps
    uint32_t depth;
    uint64_t message_max;
};

struct ring_producer {
    struct ring_end end;
};

struct ring_consumer {
    struct ring_end end;
};

// Pages of slots that a ring of this depth needs.
static inline uint32_t ring_pages(uint32_t depth) {
    return (depth + RING_SLOTS_PER_PAGE - 1) / RING_SLOTS_PER_PAGE;
}

// Slots on one of these pages: the last page may be a short one.
static inline uint32_t ring_page_slots(uint32_t depth, uint32_t index) {
    uint32_t rest = depth - index * RING_SLOTS_PER_PAGE;
    return rest < RING_SLOTS_PER_PAGE ? rest : RING_SLOTS_PER_PAGE;
}

// Begin with an empty ring. depth is 1 to CHANNEL_DEPTH_MAX, message_max 1 to MESSAGE_MAX; page stays valid.
void ring_init(struct ring_shared *shared);
void ring_init_producer(struct ring_producer *producer, struct ring_shared *shared, struct ring_slot *const *page,
                        uint32_t depth, uint32_t message_max);
void ring_init_consumer(struct ring_consumer *consumer, struct ring_shared *shared, struct ring_slot *const *page,
                        uint32_t depth, uint32_t message_max);

// Producer: put header and header->length bytes of payload behind all that is queued.
// RING_TOO_BIG, RING_FULL, RING_NO_PAGE, RING_CORRUPT.
[[nodiscard]] enum ring_result ring_enqueue(struct ring_producer *producer, const struct ring_header *header,
                                            const void *payload);
// Consumer: look at the oldest message; its payload stays in the slot until ring_commit, which takes the message away.
// A payload shared with a hostile peer may change meanwhile: copy it once. RING_EMPTY, RING_NO_PAGE, RING_CORRUPT.
[[nodiscard]] enum ring_result ring_peek(struct ring_consumer *consumer, struct ring_header *header,
                                         const uint8_t **payload);
void ring_commit(struct ring_consumer *consumer); // after a ring_peek that found one
// Consumer: peek, copy out, commit. RING_TOO_BIG if it does not fit capacity; besides as ring_peek.
[[nodiscard]] enum ring_result ring_dequeue(struct ring_consumer *consumer, struct ring_header *header, void *buffer,
                                            uint32_t capacity);

// Messages queued, as this side may believe: exact for a quiet peer. RING_CORRUPT.
[[nodiscard]] enum ring_result ring_count_produced(const struct ring_producer *producer, uint32_t *count);
[[nodiscard]] enum ring_result ring_count_consumable(const struct ring_consumer *consumer, uint32_t *count);

// An empty ring whose two sides are quiet begins at slot 0 again.
void ring_rewind(struct ring_producer *producer, struct ring_consumer *consumer);
