// A kernel queue: both sides of one ring, and the pages behind it. It owns memory only while it has messages, plus at
// most two pages: slots are taken page by page as the producer reaches them and given back as the consumer leaves them;
// when it runs empty it begins at slot 0 again with one page. A conversation of one message at a time thus stays on one
// page and allocates nothing, and a queue that was never used costs no memory at all.
//
// Nothing here loops over the depth: queue_discard forgets the messages at once, queue_release returns the pages in
// steps. Needs the kernel lock.
//
// A queue is its own book: how many messages went in, are in it and came out, its indices say. The producer's limit is not
// only where the queue is full but already where it would hold more messages than ever before: then its high-water mark is
// to be raised.
//
// Both sides are the kernel's. So what they tell each other, and how far the consumer may go without a look, is only
// written down where the ring asks for it: fast paths (queue_fast.c) move `own` and `slot` of a side and the limit.
#pragma once

#include "ipc/ring.h"

struct queue {
    struct ring_shared shared;
    struct ring_producer producer;
    struct ring_consumer consumer;
    struct ring_slot **page; // the table of pages; null until first used
    struct ring_slot *spare; // a page between two uses, or null
    struct ring_slot *only;  // the first page while there is no other: where an empty queue begins again; or null
    uint64_t bytes_sent, bytes_received;
    uint64_t rejected;   // messages that somebody wanted to put and could not; its owner counts them
    uint32_t high_water; // most messages ever in it at once
    uint32_t discarded;
    uint32_t known; // entries of the table that have been cleared, from the first on; fewer while it is released
    bool closed;    // discarded: takes no message ever again
};

void queue_init(struct queue *queue, uint32_t depth, uint32_t message_max); // within the limits of ring_init

// How many messages are in it.
static inline uint32_t queue_count(const struct queue *queue) {
    return (uint32_t)(queue->producer.end.own - queue->consumer.end.own);
}

static inline bool queue_full(const struct queue *queue) {
    return queue_count(queue) == queue->producer.end.depth;
}
static inline uint32_t queue_depth(const struct queue *queue) {
    return queue->producer.end.depth;
}
static inline uint32_t queue_message_max(const struct queue *queue) {
    return (uint32_t)queue->producer.end.message_max;
}
// Place of the last message ever put in the total order; 0 before the first.
static inline uint64_t queue_last_sequence(const struct queue *queue) {
    return queue->producer.end.own;
}
// And of the oldest one in it.
static inline uint64_t queue_first_sequence(const struct queue *queue) {
    return queue->consumer.end.own + 1;
}

// Make sure that the next message has a slot in memory; the queue is neither full nor closed. ERR_NO_MEMORY leaves
// nothing behind.
[[nodiscard]] status_t queue_reserve(struct queue *queue);
// Put a message; queue_reserve has succeeded and nothing happened to the queue since.
void queue_put(struct queue *queue, const struct ring_header *header, const void *payload);
// The oldest message, in place until queue_drop; false: empty.
[[nodiscard]] bool queue_peek(struct queue *queue, struct ring_header *header, const uint8_t **payload);
void queue_drop(struct queue *queue, uint32_t length); // the oldest one, of that length
// Forget every message and close: the number forgotten.
uint32_t queue_discard(struct queue *queue);
// Return the memory of a closed queue as far as *budget goes; true when all is returned.
[[nodiscard]] bool queue_release(struct queue *queue, unsigned *budget);
