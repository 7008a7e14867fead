// Two real threads, one ring, no lock: built with ThreadSanitizer, which reports any access that the barriers do not
// order. Every message must arrive once, whole and in order, through rings of several depths.
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "ipc/ring.h"

enum { MESSAGES = 300000, SLOTS_MAX = 256, TABLE = SLOTS_MAX / RING_SLOTS_PER_PAGE + 1 };

static struct ring_slot slots[TABLE][RING_SLOTS_PER_PAGE];
static struct ring_slot *table[TABLE];
static struct ring_shared shared;
static struct ring_producer producer;
static struct ring_consumer consumer;

void panic(const char *text, ...) {
    va_list args;
    va_start(args, text);
    vfprintf(stderr, text, args);
    va_end(args);
    abort();
}

static uint32_t length_of(uint64_t number) {
    return (uint32_t)(number * 2654435761u >> 7) % (MESSAGE_MAX + 1);
}

static void *produce(void *unused) {
    uint8_t payload[MESSAGE_MAX];
    for (uint64_t i = 0; i < MESSAGES;) {
        struct ring_header header = {.sender = (uint32_t)i, .length = length_of(i), .id = ~i, .origin = i};
        for (uint32_t k = 0; k < header.length; k++) {
            payload[k] = (uint8_t)(i + k);
        }
        enum ring_result result = ring_enqueue(&producer, &header, payload);
        if (result == RING_OK) {
            i++;
        } else if (result == RING_FULL) {
            sched_yield();
        } else {
            panic("enqueue of %llu: %d\n", (unsigned long long)i, result);
        }
    }
    return unused;
}

static void *consume(void *unused) {
    uint8_t payload[MESSAGE_MAX];
    for (uint64_t i = 0; i < MESSAGES;) {
        struct ring_header header;
        enum ring_result result = ring_dequeue(&consumer, &header, payload, sizeof payload);
        if (result == RING_EMPTY) {
            sched_yield();
            continue;
        }
        if (result != RING_OK || header.origin != i || header.id != ~i || header.length != length_of(i)) {
            panic("dequeue of %llu: %d, got %llu\n", (unsigned long long)i, result, (unsigned long long)header.origin);
        }
        for (uint32_t k = 0; k < header.length; k++) {
            if (payload[k] != (uint8_t)(i + k)) {
                panic("message %llu is torn\n", (unsigned long long)i);
            }
        }
        i++;
    }
    return unused;
}

int main(void) {
    static const uint32_t depths[] = {1, 2, 13, 14, 100, SLOTS_MAX};
    for (unsigned i = 0; i < TABLE; i++) {
        table[i] = slots[i];
    }
    printf("1..%zu\n", sizeof depths / sizeof depths[0]);
    for (size_t i = 0; i < sizeof depths / sizeof depths[0]; i++) {
        ring_init(&shared);
        ring_init_producer(&producer, &shared, table, depths[i], MESSAGE_MAX);
        ring_init_consumer(&consumer, &shared, table, depths[i], MESSAGE_MAX);
        pthread_t threads[2];
        if (pthread_create(&threads[0], nullptr, produce, nullptr) != 0 ||
            pthread_create(&threads[1], nullptr, consume, nullptr) != 0) {
            panic("no threads\n");
        }
        pthread_join(threads[0], nullptr);
        pthread_join(threads[1], nullptr);
        printf("ok %zu - %d messages between two threads, depth %u\n", i + 1, MESSAGES, depths[i]);
    }
    return 0;
}
