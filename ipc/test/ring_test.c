// The ring against a model, of any depth, and against peers that break the protocol.
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/ring.h"
#include "property.h"

enum { DEPTH_MAX = 60, PAGES_MAX_HERE = DEPTH_MAX / RING_SLOTS_PER_PAGE + 1 };

static struct ring_slot slots[PAGES_MAX_HERE][RING_SLOTS_PER_PAGE];
static struct ring_slot *table[PAGES_MAX_HERE];
static struct ring_shared shared;
static struct ring_producer producer;
static struct ring_consumer consumer;

static void begin(uint32_t depth, uint32_t message_max) {
    for (unsigned i = 0; i < PAGES_MAX_HERE; i++) {
        table[i] = slots[i];
    }
    memset(slots, 0xee, sizeof slots);
    ring_init(&shared);
    ring_init_producer(&producer, &shared, table, depth, message_max);
    ring_init_consumer(&consumer, &shared, table, depth, message_max);
}

static uint8_t byte_of(uint64_t sequence, uint32_t at) {
    return (uint8_t)(sequence * 31 + at);
}

static struct ring_header message(uint64_t sequence, uint32_t length, uint8_t *payload) {
    for (uint32_t i = 0; i < length && i < MESSAGE_MAX; i++) {
        payload[i] = byte_of(sequence, i);
    }
    return (struct ring_header){.sender = (uint32_t)sequence + 7,
                                .length = length,
                                .id = sequence << 32,
                                .sent_at = sequence * 3,
                                .origin = ~sequence};
}

// What comes out is what went in, in order, whole; full and empty are where the model says; nothing else changes.
static void behaves_as_a_queue(struct property *p) {
    uint32_t depth = (uint32_t)property_between(p, "depth", 1, DEPTH_MAX);
    uint32_t message_max = (uint32_t)property_between(p, "message_max", 1, MESSAGE_MAX);
    begin(depth, message_max);
    uint64_t sent = 0, received = 0;
    uint32_t length_of[DEPTH_MAX];
    while (property_more(p, 150)) {
        uint8_t payload[MESSAGE_MAX];
        uint32_t count;
        property_equal(p, ring_count_produced(&producer, &count), RING_OK);
        property_equal(p, count, sent - received);
        property_equal(p, ring_count_consumable(&consumer, &count), RING_OK);
        property_equal(p, count, sent - received);
        switch (property_choose(p, "what", 8)) {
        case 0 ... 3: {
            uint32_t length = (uint32_t)property_choose(p, "length", message_max + 2);
            struct ring_header header = message(sent, length, payload);
            enum ring_result expected = length > message_max       ? RING_TOO_BIG
                                        : sent - received == depth ? RING_FULL
                                                                   : RING_OK;
            property_equal(p, ring_enqueue(&producer, &header, payload), expected);
            if (expected == RING_OK) {
                length_of[sent++ % depth] = length;
            }
            break;
        }
        case 4 ... 6: {
            struct ring_header header;
            uint8_t out[MESSAGE_MAX];
            memset(out, 0x77, sizeof out);
            uint32_t capacity = (uint32_t)property_choose(p, "missing", message_max + 1);
            capacity = message_max - capacity;
            enum ring_result expected = sent == received                         ? RING_EMPTY
                                        : length_of[received % depth] > capacity ? RING_TOO_BIG
                                                                                 : RING_OK;
            property_equal(p, ring_dequeue(&consumer, &header, out, capacity), expected);
            if (expected != RING_OK) {
                property_equal(p, out[0], 0x77);
                break;
            }
            uint32_t length = length_of[received % depth];
            struct ring_header want = message(received, length, payload);
            property_equal(p, memcmp(&header, &want, sizeof want), 0);
            property_equal(p, memcmp(out, payload, length), 0);
            property_check(p, length == MESSAGE_MAX || out[length] == 0x77);
            received++;
            break;
        }
        case 7:
            if (sent == received) {
                ring_rewind(&producer, &consumer);
            }
            break;
        }
    }
}

Test(ring, behaves_as_a_queue) {
    cr_assert(property_run("ring_behaves_as_a_queue", 3000, behaves_as_a_queue));
}

// Whatever the peer writes into what is shared, each side answers, stays within its slots and moves at most one message.
static void hostile_peer_is_harmless(struct property *p) {
    uint32_t depth = (uint32_t)property_between(p, "depth", 1, DEPTH_MAX);
    begin(depth, MESSAGE_MAX / 2);
    while (property_more(p, 60)) {
        uint8_t payload[MESSAGE_MAX];
        switch (property_choose(p, "what", 8)) {
        case 0:
            shared.tail = property_word(p, "tail");
            break;
        case 1:
            shared.head = property_word(p, "head");
            break;
        case 2: {
            unsigned slot = (unsigned)property_choose(p, "slot", depth);
            slots[slot / RING_SLOTS_PER_PAGE][slot % RING_SLOTS_PER_PAGE].header.length =
                (uint32_t)property_word(p, "length");
            break;
        }
        case 3: {
            unsigned page = (unsigned)property_choose(p, "page", PAGES_MAX_HERE);
            table[page] = table[page] == nullptr ? slots[page] : nullptr; // the owner's page is not there yet
            break;
        }
        case 4: {
            uint64_t own = producer.end.own;
            struct ring_header header = message(own, MESSAGE_MAX / 2, payload);
            enum ring_result result = ring_enqueue(&producer, &header, payload);
            property_check(p, result != RING_EMPTY && result != RING_TOO_BIG);
            property_equal(p, producer.end.own - own, result == RING_OK);
            break;
        }
        case 5: {
            uint64_t own = consumer.end.own;
            struct ring_header header;
            enum ring_result result = ring_dequeue(&consumer, &header, payload, MESSAGE_MAX);
            property_check(p, result != RING_FULL && result != RING_TOO_BIG);
            property_equal(p, consumer.end.own - own, result == RING_OK);
            property_check(p, result != RING_OK || header.length <= MESSAGE_MAX / 2);
            break;
        }
        case 6: { // a number that cannot be is called so, and no other
            uint32_t count = UINT32_MAX;
            uint64_t want = producer.end.own - shared.head;
            enum ring_result result = ring_count_produced(&producer, &count);
            property_equal(p, result, want > depth ? RING_CORRUPT : RING_OK);
            property_equal(p, count, want > depth ? UINT32_MAX : want);
            break;
        }
        case 7: {
            uint32_t count = UINT32_MAX;
            uint64_t want = shared.tail - consumer.end.own;
            enum ring_result result = ring_count_consumable(&consumer, &count);
            property_equal(p, result, want > depth ? RING_CORRUPT : RING_OK);
            property_equal(p, count, want > depth ? UINT32_MAX : want);
            break;
        }
        }
        property_check(p, producer.end.index < ring_pages(depth) && consumer.end.index < ring_pages(depth));
    }
}

Test(ring, hostile_peer_is_harmless) {
    cr_assert(property_run("ring_hostile_peer_is_harmless", 3000, hostile_peer_is_harmless));
}

Test(ring, impossible_indices_are_refused) {
    uint8_t payload[MESSAGE_MAX] = {};
    struct ring_header header = {};
    begin(4, 8);
    shared.tail = 5;
    cr_assert_eq(ring_dequeue(&consumer, &header, payload, sizeof payload), RING_CORRUPT);
    shared.tail = UINT64_MAX;
    cr_assert_eq(ring_dequeue(&consumer, &header, payload, sizeof payload), RING_CORRUPT);
    begin(1, 8);
    header.length = 0;
    cr_assert_eq(ring_enqueue(&producer, &header, payload), RING_OK);
    shared.head = 2;
    cr_assert_eq(ring_enqueue(&producer, &header, payload), RING_CORRUPT);
}

Test(ring, a_length_that_changes_after_the_check_is_not_believed) {
    uint8_t payload[MESSAGE_MAX] = {};
    struct ring_header header = {.length = 8};
    const uint8_t *at;
    begin(4, 8);
    cr_assert_eq(ring_enqueue(&producer, &header, payload), RING_OK);
    cr_assert_eq(ring_peek(&consumer, &header, &at), RING_OK);
    slots[0][0].header.length = UINT32_MAX;
    cr_assert_eq(header.length, 8);
    cr_assert_eq(ring_peek(&consumer, &header, &at), RING_CORRUPT);
}

Test(ring, indices_wrap) {
    uint8_t payload[MESSAGE_MAX] = {};
    begin(7, 8);
    // As if 2^64 - 3 messages had gone through.
    uint64_t start = UINT64_MAX - 2;
    producer.end.own = consumer.end.own = consumer.end.limit = start;
    producer.end.limit = start + producer.end.depth;
    shared.head = start;
    shared.tail = start;
    for (uint64_t i = 0; i < 100; i++) {
        struct ring_header header = {.id = i};
        cr_assert_eq(ring_enqueue(&producer, &header, payload), RING_OK);
        cr_assert_eq(ring_dequeue(&consumer, &header, payload, 8), RING_OK);
        cr_assert_eq(header.id, i);
    }
}
