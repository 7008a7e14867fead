#include "talk.h"

#include <string.h>

#include "lib/clock.h"

enum { SERVER_DEPTH = 64 };

struct lane {
    struct message message[SERVER_DEPTH];
    unsigned count;
    bool closed;
};

uint64_t talk_now = 1000;
void (*talk_idle)(void);

static struct lane lanes[CLIENTS_MAX + 1]; // of the server, and of each client

static long put(handle_t to, unsigned depth, uint64_t from, uint32_t kind, const void *payload, size_t length,
                uint64_t id) {
    struct lane *lane = &lanes[to];
    if (lane->closed) {
        return ERR_NOT_FOUND;
    }
    if (lane->count == depth) {
        return ERR_FULL;
    }
    struct message *message = &lane->message[lane->count++];
    *message =
        (struct message){.length = length, .sender = 100 + (uint32_t)from, .kind = kind, .id = id, .connection = from};
    if (length > 0) {
        memcpy(message->payload, payload, length);
    }
    return 1;
}

void talk_close(handle_t client) {
    lanes[client].closed = true;
    (void)put(0, SERVER_DEPTH, client, MESSAGE_HANGUP, nullptr, 0, 0);
}

void talk_inject(handle_t client, const void *payload, size_t length, uint64_t id) {
    (void)put(client, SERVER_DEPTH, client == 0, MESSAGE_DATA, payload, length, id);
}

long channel_send(handle_t connection, const void *payload, size_t length, uint64_t id, uint64_t) {
    return put(0, SERVER_DEPTH, connection, MESSAGE_DATA, payload, length, id);
}

long channel_reply(handle_t, uint64_t connection, const void *payload, size_t length, uint64_t id, unsigned) {
    return put((handle_t)connection, TALK_DEPTH, 0, MESSAGE_DATA, payload, length, id);
}

long channel_recv(handle_t handle, struct message *message, uint64_t deadline) {
    struct lane *lane = &lanes[handle];
    if (lane->count == 0 && talk_idle != nullptr && deadline > talk_now) {
        talk_idle();
    }
    if (lane->count == 0) {
        talk_now = deadline > talk_now ? deadline : talk_now;
        return ERR_TIMED_OUT;
    }
    *message = lane->message[0];
    memmove(&lane->message[0], &lane->message[1], --lane->count * sizeof *message);
    return 0;
}

uint64_t clock_now(void) {
    return talk_now;
}

uint64_t clock_deadline(uint64_t duration) {
    return duration >= FOREVER - talk_now ? FOREVER : talk_now + duration;
}

void clock_sleep(uint64_t duration) {
    talk_now += duration;
}
