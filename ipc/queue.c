#include "ipc/queue.h"

#include "kernel/page_alloc.h"
#include "kernel/panic.h"
#include "kernel/slab.h"
#include "kernel/slice.h"

enum {
    RELEASE_STRETCH = 16, // table entries that one unit of budget looks at
    PAGE_UNITS = 3,       // to give back a page
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
    queue->page = nullptr;
    queue->spare = nullptr;
    queue->released = 0;
    queue->closed = false;
}

static void table_set(struct queue *queue, struct ring_slot **table) {
    queue->page = table;
    queue->producer.end.page = table;
    queue->consumer.end.page = table;
}

static uint32_t producer_page(const struct queue *queue) {
    return queue->producer.end.position / RING_SLOTS_PER_PAGE;
}

status_t queue_reserve(struct queue *queue) {
    KASSERT(!queue->closed);
    uint32_t depth = queue_depth(queue);
    if (queue->page == nullptr) {
        struct ring_slot **table = slab_alloc(table_size(depth));
        if (table == nullptr) {
            return ERR_NO_MEMORY;
        }
        table_set(queue, table);
    }
    if (queue->page[producer_page(queue)] == nullptr && queue->spare == nullptr) {
        // The slots' contents need no clearing: only what a sender wrote is ever read.
        paddr_t page = page_alloc(0);
        if (page == 0) {
            return ERR_NO_MEMORY;
        }
        queue->spare = arch_phys_to_virt(page);
    }
    return 0;
}

void queue_put(struct queue *queue, struct ring_header *header, const void *payload) {
    header->sequence = queue_last_sequence(queue) + 1;
    struct ring_slot **page = &queue->page[producer_page(queue)];
    if (*page == nullptr) {
        *page = queue->spare;
        queue->spare = nullptr;
    }
    enum ring_result result = ring_enqueue(&queue->producer, header, payload);
    KASSERT(result == RING_OK);
}

bool queue_peek(struct queue *queue, struct ring_header *header, const uint8_t **payload) {
    enum ring_result result = queue_count(queue) == 0 ? RING_EMPTY : ring_peek(&queue->consumer, header, payload);
    KASSERT(result == RING_OK || result == RING_EMPTY);
    return result == RING_OK;
}

// Empty: begin again at slot 0 on the page that was in use last. It is the only one: all others were left by the consumer
// with no message in them, and retired.
static void queue_rewind(struct queue *queue, uint32_t last) {
    ring_rewind(&queue->producer, &queue->consumer);
    if (last != 0) {
        KASSERT(queue->page[0] == nullptr);
        queue->page[0] = queue->page[last];
        queue->page[last] = nullptr;
    }
    if (queue->spare != nullptr) {
        page_return(queue->spare);
        queue->spare = nullptr;
    }
}

void queue_drop(struct queue *queue) {
    struct ring_end *end = &queue->consumer.end;
    uint32_t index = end->position / RING_SLOTS_PER_PAGE;
    ring_commit(&queue->consumer);
    uint32_t count = queue_count(queue);
    if (count == 0) {
        queue_rewind(queue, index);
    } else if (end->position / RING_SLOTS_PER_PAGE != index) {
        // The consumer has left the page. The producer may be back in it already, a whole round ahead: that is so when
        // more messages are queued than fit outside it.
        uint32_t first = index * RING_SLOTS_PER_PAGE;
        uint32_t slots = end->depth - first < RING_SLOTS_PER_PAGE ? end->depth - first : RING_SLOTS_PER_PAGE;
        if (count <= end->depth - slots) {
            page_retire(queue, index);
        }
    }
}

uint32_t queue_discard(struct queue *queue) {
    uint32_t count = queue_count(queue);
    struct ring_end *end = &queue->consumer.end;
    end->own = queue->producer.end.own;
    end->limit = end->own;
    ring_publish(&queue->shared.head, end->own);
    queue->closed = true;
    return count;
}

bool queue_release(struct queue *queue, unsigned *budget) {
    KASSERT(queue->closed);
    uint32_t depth = queue_depth(queue);
    if (queue->spare != nullptr) {
        page_return(queue->spare);
        queue->spare = nullptr;
    }
    if (queue->page == nullptr) {
        return true;
    }
    for (uint32_t looked = 0; queue->released < ring_pages(depth); queue->released++) {
        if (*budget == 0) {
            return false;
        }
        struct ring_slot *page = queue->page[queue->released];
        if (page != nullptr) {
            page_return(page);
            queue->page[queue->released] = nullptr;
            slice_spend(budget, PAGE_UNITS);
        } else if (++looked % RELEASE_STRETCH == 0) {
            slice_spend(budget, 1);
        }
    }
    slab_free(queue->page, table_size(depth));
    table_set(queue, nullptr);
    return true;
}
