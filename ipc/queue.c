#include "ipc/queue.h"

#include "base/memory.h"
#include "kernel/page_alloc.h"
#include "kernel/panic.h"
#include "kernel/slab.h"
#include "kernel/slice.h"

enum {
    RELEASE_STRETCH = 16, // table entries that one unit of budget looks at
    TABLE_STRETCH = 256,  // entries that are cleared at once
};

static size_t table_size(uint32_t depth) {
    return ring_pages(depth) * sizeof(struct ring_slot *);
}

static void page_return(struct ring_slot *page) {
    page_free(arch_virt_to_phys(page), 0);
}

// A page that holds no message any more: kept as the spare if there is none.
static void page_retire(struct queue *queue, uint32_t index) {
    struct ring_slot *page = queue->page[index];
    queue->page[index] = nullptr;
    if (queue->spare == nullptr) {
        queue->spare = page;
    } else {
        page_return(page);
    }
}

void queue_init(struct queue *queue, uint32_t depth, uint32_t message_max) {
    ring_init(&queue->shared);
    ring_init_producer(&queue->producer, &queue->shared, nullptr, depth, message_max);
    ring_init_consumer(&queue->consumer, &queue->shared, nullptr, depth, message_max);
    queue->producer.end.limit = 0;
    queue->page = nullptr;
    queue->spare = nullptr;
    queue->only = nullptr;
    queue->bytes_sent = queue->bytes_received = 0;
    queue->rejected = 0;
    queue->high_water = queue->discarded = 0;
    queue->known = 0;
    queue->closed = false;
}

static void table_set(struct queue *queue, struct ring_slot **table) {
    queue->page = table;
    queue->producer.end.page = table;
    queue->consumer.end.page = table;
}

// The producer comes to an entry of the table for the first time: clear that and some behind it. Indices grow one by one, and
// the consumer's stays behind, so nobody looks at one that is not known.
[[gnu::noinline]] static void know_more(struct queue *queue) {
    uint32_t left = ring_pages(queue_depth(queue)) - queue->known;
    uint32_t more = left < TABLE_STRETCH ? left : TABLE_STRETCH;
    memset(&queue->page[queue->known], 0, more * sizeof(struct ring_slot *));
    queue->known += more;
}

status_t queue_reserve(struct queue *queue) {
    KASSERT(!queue->closed);
    uint32_t depth = queue_depth(queue);
    if (queue->page == nullptr) {
        struct ring_slot **table = slab_alloc_partly(table_size(depth), 0);
        if (table == nullptr) {
            return ERR_NO_MEMORY;
        }
        table_set(queue, table);
    }
    if (queue->producer.end.index == queue->known) {
        know_more(queue);
    }
    if (queue->page[queue->producer.end.index] == nullptr && queue->spare == nullptr) {
        // The slots' contents need no clearing: only what a sender wrote is ever read.
        paddr_t page = page_alloc(0);
        if (page == 0) {
            return ERR_NO_MEMORY;
        }
        queue->spare = arch_phys_to_virt(page);
        queue->only = nullptr;
    }
    return 0;
}

// Each side's index as the other may know it.
static void sides_meet(struct queue *queue) {
    ring_publish(&queue->shared.tail, queue->producer.end.own);
    ring_publish(&queue->shared.head, queue->consumer.end.own);
    queue->consumer.end.limit = queue->consumer.end.own;
}

static void note_only_page(struct queue *queue) {
    bool only = (queue->producer.end.index | queue->consumer.end.index) == 0 && queue->spare == nullptr;
    queue->only = only ? queue->page[0] : nullptr;
}

void queue_put(struct queue *queue, const struct ring_header *header, const void *payload) {
    struct ring_slot **page = &queue->page[queue->producer.end.index];
    if (*page == nullptr) {
        *page = queue->spare;
        queue->spare = nullptr;
    }
    sides_meet(queue);
    enum ring_result result = ring_enqueue(&queue->producer, header, payload);
    KASSERT(result == RING_OK);
    note_only_page(queue);
    queue->bytes_sent += header->length;
    uint32_t count = queue_count(queue);
    if (count > queue->high_water) {
        queue->high_water = count;
    }
    queue->producer.end.limit = queue->consumer.end.own + queue->high_water;
}

bool queue_peek(struct queue *queue, struct ring_header *header, const uint8_t **payload) {
    sides_meet(queue);
    enum ring_result result = queue_count(queue) == 0 ? RING_EMPTY : ring_peek(&queue->consumer, header, payload);
    KASSERT(result == RING_OK || result == RING_EMPTY);
    return result == RING_OK;
}

// Empty: begin again at slot 0 on the page that was in use last. It is the only one: all others were left by the consumer
// with no message in them, and retired.
static void queue_rewind(struct queue *queue, uint32_t last) {
    if (last != 0) {
        KASSERT(queue->page[0] == nullptr);
        queue->page[0] = queue->page[last];
        queue->page[last] = nullptr;
    }
    ring_rewind(&queue->producer, &queue->consumer);
    if (queue->spare != nullptr) {
        page_return(queue->spare);
        queue->spare = nullptr;
    }
}

void queue_drop(struct queue *queue, uint32_t length) {
    struct ring_end *end = &queue->consumer.end;
    uint32_t index = end->index;
    ring_commit(&queue->consumer);
    queue->bytes_received += length;
    queue->producer.end.limit++;
    uint32_t count = queue_count(queue);
    if (count == 0) {
        queue_rewind(queue, index);
    } else if (end->slot == nullptr && count <= end->depth - ring_page_slots(end->depth, index)) {
        // The consumer has left the page. Otherwise, if more messages are queued than fit outside it, the producer is
        // back in it already, a whole round ahead.
        page_retire(queue, index);
    }
    note_only_page(queue);
}

uint32_t queue_discard(struct queue *queue) {
    uint32_t count = queue_count(queue);
    struct ring_end *end = &queue->consumer.end;
    end->own = queue->producer.end.own;
    end->limit = end->own;
    ring_publish(&queue->shared.head, end->own);
    queue->discarded = count;
    queue->closed = true;
    queue->only = nullptr;
    return count;
}

bool queue_release(struct queue *queue, unsigned *budget) {
    KASSERT(queue->closed);
    if (queue->spare != nullptr) {
        page_return(queue->spare);
        queue->spare = nullptr;
    }
    if (queue->page == nullptr) {
        return true;
    }
    for (unsigned looked = 0; queue->known > 0;) {
        if (*budget == 0) {
            return false;
        }
        struct ring_slot *page = queue->page[--queue->known];
        if (page != nullptr) {
            page_return(page);
            slice_spend(budget, PAGE_FREE_UNITS);
        } else if (++looked % RELEASE_STRETCH == 0) {
            slice_spend(budget, 1);
        }
    }
    slab_free(queue->page, table_size(queue_depth(queue)));
    table_set(queue, nullptr);
    return true;
}
