// The kernel queue against a model: order, memory on demand with allocations that fail, release in steps.
#include <criterion/criterion.h>
#include <string.h>

#include "fake.h"
#include "ipc/queue.h"
#include "property.h"

static struct queue queue;

static uint64_t pages_for(uint64_t messages) {
    // Those they fill, one more at either end, the last of the table, which is short, and the spare.
    return messages / RING_SLOTS_PER_PAGE + 4;
}

static void release_all(struct property *p) {
    unsigned budget;
    do {
        budget = (unsigned)property_choose(p, "budget", 4);
    } while (!queue_release(&queue, &budget));
    property_equal(p, fake_memory_pages(), 0);
    property_equal(p, fake_memory_objects(), 0);
}

static void keeps_order_and_little_memory(struct property *p) {
    static uint32_t lengths[CHANNEL_DEPTH_MAX];
    uint32_t depth = (uint32_t)property_between(p, "depth", 1, 70);
    if (property_chance(p, "deep", 5)) {
        depth = CHANNEL_DEPTH_MAX - (uint32_t)property_choose(p, "less", 2);
    }
    memset(&queue, 0xa5, sizeof queue); // it sets all
    queue_init(&queue, depth, MESSAGE_MAX);
    uint64_t sent = 0, received = 0;
    while (property_more(p, 300)) {
        uint8_t payload[MESSAGE_MAX];
        property_equal(p, queue_count(&queue), sent - received);
        property_equal(p, queue_full(&queue), sent - received == depth);
        property_check(p, fake_memory_pages() <= pages_for(sent - received));
        if (property_chance(p, "take", 45)) {
            struct ring_header header;
            const uint8_t *at;
            property_equal(p, queue_peek(&queue, &header, &at), sent > received);
            if (sent == received) {
                continue;
            }
            property_equal(p, queue_first_sequence(&queue), ++received);
            property_equal(p, header.length, lengths[received % depth]);
            memset(payload, (int)received, header.length);
            property_equal(p, memcmp(at, payload, header.length), 0);
            queue_drop(&queue, header.length);
            property_check(p, sent != received || fake_memory_pages() <= 1);
        } else if (sent - received < depth) {
            fake_memory_fail((unsigned)property_choose(p, "fail", 4), false);
            status_t status = queue_reserve(&queue);
            property_equal(p, status, fake_memory_failed() ? ERR_NO_MEMORY : 0);
            fake_memory_fail(0, false);
            if (status != 0 || property_chance(p, "think better of it", 5)) {
                continue;
            }
            struct ring_header header = {.length = (uint32_t)property_choose(p, "length", MESSAGE_MAX + 1)};
            lengths[++sent % depth] = header.length;
            memset(payload, (int)sent, header.length);
            queue_put(&queue, &header, payload);
            property_equal(p, queue_last_sequence(&queue), sent);
        }
    }
    property_equal(p, queue_discard(&queue), sent - received);
    property_equal(p, queue_count(&queue), 0);
    release_all(p);
}

Test(queue, keeps_order_and_little_memory) {
    cr_assert(property_run("queue_keeps_order_and_little_memory", 2000, keeps_order_and_little_memory));
}

static void fill(uint64_t messages) {
    for (uint64_t i = 0; i < messages; i++) {
        struct ring_header header = {.length = 1};
        cr_assert_eq(queue_reserve(&queue), 0);
        queue_put(&queue, &header, "x");
    }
}

Test(queue, unused_costs_nothing_and_one_at_a_time_allocates_nothing) {
    queue_init(&queue, CHANNEL_DEPTH_MAX, MESSAGE_MAX);
    cr_assert_eq(fake_memory_pages() + fake_memory_objects(), 0);
    fill(1);
    fake_memory_fail(1, true);
    for (int i = 0; i < 1000; i++) {
        struct ring_header header;
        const uint8_t *payload;
        cr_assert(queue_peek(&queue, &header, &payload));
        queue_drop(&queue, header.length);
        fill(1);
    }
    cr_assert_eq(fake_memory_pages(), 1);
    cr_assert_not(fake_memory_failed());
}

Test(queue, deepest_is_released_in_steps) {
    queue_init(&queue, CHANNEL_DEPTH_MAX, MESSAGE_MAX);
    fill(CHANNEL_DEPTH_MAX);
    cr_assert(queue_full(&queue));
    uint64_t before = fake_memory_pages();
    cr_assert_eq(before, ring_pages(CHANNEL_DEPTH_MAX));
    cr_assert_eq(queue_discard(&queue), CHANNEL_DEPTH_MAX);
    uint64_t steps = 0;
    for (bool done = false; !done; steps++) {
        unsigned budget = 32;
        done = queue_release(&queue, &budget);
        cr_assert_leq(before - fake_memory_pages(), 32);
        before = fake_memory_pages();
    }
    cr_assert_eq(fake_memory_pages() + fake_memory_objects(), 0);
    cr_assert_geq(steps, ring_pages(CHANNEL_DEPTH_MAX) / 32);
}

// The share of a kernel entry: four units a page, one for sixteen places in the table that are empty, of those that were ever
// cleared. No step does more, and none less.
Test(queue, release_does_what_its_budget_is_worth) {
    enum { PAGES = 10, PAGE_WORTH = 4, PLACES_FOR_A_UNIT = 16, CLEARED_AT_ONCE = 256 };
    queue_init(&queue, CHANNEL_DEPTH_MAX, MESSAGE_MAX);
    fill(CHANNEL_DEPTH_MAX);
    queue_discard(&queue);
    for (unsigned freed = 1; freed <= PAGES; freed++) {
        uint64_t before = fake_memory_pages();
        unsigned budget = freed * PAGE_WORTH;
        cr_assert_not(queue_release(&queue, &budget));
        cr_assert_eq(budget, 0);
        cr_assert_eq(before - fake_memory_pages(), freed);
    }
    for (unsigned plenty = UINT_MAX; !queue_release(&queue, &plenty);) {
    }

    queue_init(&queue, CHANNEL_DEPTH_MAX, MESSAGE_MAX);
    fill(1);
    queue_discard(&queue);
    uint64_t places = CLEARED_AT_ONCE - 1; // and the one page
    unsigned units = UINT_MAX;
    cr_assert(queue_release(&queue, &units));
    cr_assert_eq(UINT_MAX - units, PAGE_WORTH + places / PLACES_FOR_A_UNIT);
    cr_assert_eq(fake_memory_objects() + fake_memory_pages(), 0);
}
