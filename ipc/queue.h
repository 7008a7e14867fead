// A kernel queue: both sides of one ring, and the pages behind it. It owns memory only while it has messages, plus at
// most two pages: slots are taken page by page as the producer reaches them and given back as the consumer leaves them;
// when it runs empty it begins at slot 0 again with one page. A conversation of one message at a time thus stays on one
// page and allocates nothing, and a queue that was never used costs no memory at all.
//
// Nothing here loops over the depth: queue_discard forgets the messages at once, queue_release returns the pages in
// steps. Needs the kernel lock.
#pragma once

#include "ipc/ring.h"

struct queue {
    struct ring_shared shared;
    struct ring_producer producer;
    struct ring_consumer consumer;
    struct ring_slot **page; // the table of pages; null until first used
    struct ring_slot *spare; // a page between two uses, or null
    uint32_t released;       // entries of the table that queue_release has dealt with
    bool closed;             // discarded: takes no message ever again
};

void queue_init(struct queue *queue, uint32_t depth, uint32_t message_max); // within the limits of ring_init

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
    return queue->producer.end.message_max;
}
// Place of the last message ever put in the total order; 0 before the first.
static inline uint64_t queue_last_sequence(const struct queue *queue) {
    return queue->producer.end.own;
}

// Make sure that the next message has a slot in memory; the queue is neither full nor closed. ERR_NO_MEMORY leaves
// nothing behind.
[[nodiscard]] status_t queue_reserve(struct queue *queue);
// Put a message; queue_reserve has succeeded and nothing happened to the queue since. Sets header->sequence.
void queue_put(struct queue *queue, struct ring_header *header, const void *payload);
// The oldest message, in place until queue_drop; false: empty.
[[nodiscard]] bool queue_peek(struct queue *queue, struct ring_header *header, const uint8_t **payload);
void queue_drop(struct queue *queue);
// Forget every message and close: the number forgotten.
uint32_t queue_discard(struct queue *queue);
// Return the memory of a closed queue as far as *budget goes; true when all is returned.
[[nodiscard]] bool queue_release(struct queue *queue, unsigned *budget);
