// Two real threads, a client and a server, that send each other bursts and sleep whenever there is nothing to do or no
// room: built with ThreadSanitizer, which reports any access that the barriers do not order. Every message must arrive
// once, whole and in order; if a wake-up were lost, this would not end.
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/mapped.h"
#include "mapped_kernel.h"

enum { MESSAGES = 200000 };

[[noreturn]] static void fail(const char *what, uint64_t number, long status) {
    fprintf(stderr, "%s %llu: %ld\n", what, (unsigned long long)number, status);
    exit(1);
}

static size_t length_of(uint64_t number) {
    return (size_t)(number * 2654435761u >> 7) % (MESSAGE_MAX + 1);
}

static void check(const uint8_t *payload, long length, uint64_t id, uint64_t number) {
    if (length < 0 || id != number || (size_t)length != length_of(number)) {
        fail("received instead of", number, length);
    }
    for (long i = 0; i < length; i++) {
        if (payload[i] != (uint8_t)(number + (uint64_t)i)) {
            fail("torn", number, i);
        }
    }
}

static void fill(uint8_t *payload, uint64_t number) {
    for (size_t i = 0; i < length_of(number); i++) {
        payload[i] = (uint8_t)(number + i);
    }
}

// How many before it looks for answers: mostly few, sometimes more than the ring holds.
static uint64_t burst_at(uint64_t number) {
    uint64_t turn = number * 2654435761u >> 9;
    return turn % 16 == 0 ? 1 + turn % 700 : 1 + turn % 3;
}

static void *client_main(void *unused) {
    struct mapped mapped;
    uint8_t payload[MESSAGE_MAX];
    mapped_kernel_client(1);
    if (mapped_connect(&mapped, "/x", 0) != 0) {
        fail("connect", 0, 0);
    }
    uint64_t sent = 0, received = 0, id = 0;
    while (received < MESSAGES) {
        uint64_t until = sent + burst_at(sent);
        for (; sent < until && sent < MESSAGES && sent - received < RING_SLOTS; sent++) {
            fill(payload, sent);
            long status = mapped_send(&mapped, payload, length_of(sent), sent, FOREVER);
            if (status < 0) {
                fail("send", sent, status);
            }
        }
        for (; received < sent; received++) {
            long length = mapped_recv(&mapped, payload, sizeof payload, &id, FOREVER);
            check(payload, length, id, received);
        }
    }
    // One way, so that the ring gets full and this side sleeps for room.
    for (; sent < 2 * MESSAGES; sent++) {
        fill(payload, sent);
        long status = mapped_send(&mapped, payload, length_of(sent), sent, FOREVER);
        if (status < 0) {
            fail("send", sent, status);
        }
    }
    mapped_close(&mapped);
    return unused;
}

static void *server_main(void *unused) {
    struct mapped_server server = {.channel = MAPPED_SERVER};
    struct mapped_client *from;
    uint8_t payload[MESSAGE_MAX];
    uint64_t id = 0;
    for (uint64_t number = 0;; number++) {
        long length = mapped_serve(&server, &from, payload, sizeof payload, &id, FOREVER);
        if (length == ERR_PEER_CLOSED) {
            if (number != 2 * MESSAGES) {
                fail("hung up after", number, length);
            }
            break;
        }
        check(payload, length, id, number);
        if (number >= MESSAGES) {
            if (number % 1000 == 0) {
                sched_yield();
            }
            continue;
        }
        long status;
        while ((status = mapped_try_send(&from->mapped, payload, (size_t)length, id)) == ERR_FULL) {
            sched_yield();
        }
        if (status < 0) {
            fail("answer", number, status);
        }
    }
    mapped_server_close(&server);
    return unused;
}

int main(void) {
    pthread_t client, server;
    printf("1..1\n");
    mapped_kernel_reset();
    pthread_create(&server, nullptr, server_main, nullptr);
    pthread_create(&client, nullptr, client_main, nullptr);
    pthread_join(client, nullptr);
    pthread_join(server, nullptr);
    printf("# %u doorbells for %u messages\n", mapped_kernel_doorbells(), 3 * MESSAGES);
    printf("ok 1 - two_threads_lose_nothing_and_wake_each_other\n");
    mapped_kernel_reset();
    return 0;
}
