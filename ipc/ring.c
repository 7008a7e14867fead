#include "ipc/ring.h"

#include "base/memory.h"
#include "kernel/panic.h"

static_assert(sizeof(struct ring_slot) * RING_SLOTS_PER_PAGE <= PAGE_SIZE);
static_assert(sizeof(struct ring_slot) % alignof(struct ring_slot) == 0);

static void end_init(struct ring_end *end, struct ring_shared *shared, struct ring_slot *const *page, uint32_t depth,
                     uint32_t message_max) {
    KASSERT(depth >= 1 && depth <= CHANNEL_DEPTH_MAX);
    KASSERT(message_max >= 1 && message_max <= MESSAGE_MAX);
    *end = (struct ring_end){.shared = shared, .page = page, .depth = depth, .message_max = message_max};
}

void ring_init(struct ring_shared *shared) {
    *shared = (struct ring_shared){};
}

void ring_init_producer(struct ring_producer *producer, struct ring_shared *shared, struct ring_slot *const *page,
                        uint32_t depth, uint32_t message_max) {
    end_init(&producer->end, shared, page, depth, message_max);
    producer->end.limit = depth;
}

void ring_init_consumer(struct ring_consumer *consumer, struct ring_shared *shared, struct ring_slot *const *page,
                        uint32_t depth, uint32_t message_max) {
    end_init(&consumer->end, shared, page, depth, message_max);
}

// own's slot; null: its page is missing.
static struct ring_slot *end_slot(struct ring_end *end) {
    if (end->slot == nullptr && end->page[end->index] != nullptr) {
        end->slot = end->page[end->index];
        end->last = end->slot + ring_page_slots(end->depth, end->index) - 1;
    }
    return end->slot;
}

static void end_advance(struct ring_end *end) {
    end->own++;
    if (end->slot != end->last) {
        end->slot++;
        return;
    }
    end->slot = end->last = nullptr;
    end->index = end->index + 1 == ring_pages(end->depth) ? 0 : end->index + 1;
}

static void end_rewind(struct ring_end *end) {
    end->slot = end->last = nullptr;
    end->index = 0;
    (void)end_slot(end);
}

static void header_read(struct ring_header *to, const struct ring_header *from) {
    to->sender = ring_read32(&from->sender);
    to->length = ring_read32(&from->length);
    to->id = ring_read64(&from->id);
    to->sent_at = ring_read64(&from->sent_at);
    to->origin = ring_read64(&from->origin);
}

enum ring_result ring_enqueue(struct ring_producer *producer, const struct ring_header *header, const void *payload) {
    struct ring_end *end = &producer->end;
    if (header->length > end->message_max) {
        return RING_TOO_BIG;
    }
    enum ring_result result = ring_room(end->own, &end->limit, &end->shared->head, end->depth);
    if (result != RING_OK) {
        return result;
    }
    struct ring_slot *slot = end_slot(end);
    if (slot == nullptr) {
        return RING_NO_PAGE;
    }
    slot->header = *header;
    memcpy(slot->payload, payload, header->length);
    end_advance(end);
    ring_publish(&end->shared->tail, end->own);
    return RING_OK;
}

enum ring_result ring_peek(struct ring_consumer *consumer, struct ring_header *header, const uint8_t **payload) {
    struct ring_end *end = &consumer->end;
    enum ring_result result = ring_any(end->own, &end->limit, &end->shared->tail, end->depth);
    if (result != RING_OK) {
        return result;
    }
    struct ring_slot *slot = end_slot(end);
    if (slot == nullptr) {
        return RING_NO_PAGE;
    }
    header_read(header, &slot->header);
    if (header->length > end->message_max) {
        return RING_CORRUPT;
    }
    *payload = slot->payload;
    return RING_OK;
}

void ring_commit(struct ring_consumer *consumer) {
    struct ring_end *end = &consumer->end;
    KASSERT(end->own != end->limit);
    end_advance(end);
    ring_publish(&end->shared->head, end->own);
}

enum ring_result ring_dequeue(struct ring_consumer *consumer, struct ring_header *header, void *buffer,
                              uint32_t capacity) {
    const uint8_t *payload;
    enum ring_result result = ring_peek(consumer, header, &payload);
    if (result != RING_OK) {
        return result;
    }
    if (header->length > capacity) {
        return RING_TOO_BIG;
    }
    memcpy(buffer, payload, header->length);
    ring_commit(consumer);
    return RING_OK;
}

static enum ring_result count_between(uint64_t head, uint64_t tail, uint32_t depth, uint32_t *count) {
    if (tail - head > depth) {
        return RING_CORRUPT;
    }
    *count = (uint32_t)(tail - head);
    return RING_OK;
}

enum ring_result ring_count_produced(const struct ring_producer *producer, uint32_t *count) {
    const struct ring_end *end = &producer->end;
    return count_between(ring_take(&end->shared->head), end->own, end->depth, count);
}

enum ring_result ring_count_consumable(const struct ring_consumer *consumer, uint32_t *count) {
    const struct ring_end *end = &consumer->end;
    return count_between(end->own, ring_take(&end->shared->tail), end->depth, count);
}

void ring_rewind(struct ring_producer *producer, struct ring_consumer *consumer) {
    KASSERT(producer->end.own == consumer->end.own);
    end_rewind(&producer->end);
    end_rewind(&consumer->end);
}
