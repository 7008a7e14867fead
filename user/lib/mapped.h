// Mapped connections: client and server share a ring for each direction (struct abi_ring_pair), and messages move without
// the kernel. What is in the shared memory the other side can write at any time: its indices are believed only within
// what is possible (ring/index.h), a length is read once and checked, and a message is copied out before it is looked at.
//
// Sleeping. Who waits for the other side to move its index sets `asleep`, looks at that index once more, and only then
// waits at the connection's queue. Who has moved its index looks whether the other is asleep, and if so clears that and
// sends it an empty message through the queue: the doorbell. Store before load on either side, with a full barrier in
// between: one of the two sees the other, so no wake-up is lost (tests/model/bell.pml). The end of the other side wakes too, for it ends
// the waiting at the queue. The queue belongs to the doorbell: other messages in it are dropped.
//
// Death. A message is published whole by one store, or not at all; so whatever the moment at which a side dies, the other
// finds the ring whole, receives what was published, and then is told.
//
// One thread at a time uses a struct mapped. Negative results are errors of the ABI table. A peer that breaks the
// protocol is as good as gone: ERR_PEER_CLOSED.
#pragma once

#include "abi/abi.h"
#include "base/barrier.h"
#include "base/memory.h"
#include "base/types.h"
#include "ring/index.h"

// One direction as one side sees it.
struct mapped_way {
    uint64_t own;   // this side's index; the shared one says what the peer may know of it
    uint64_t limit; // as ring/index.h has it
    struct abi_ring_slot *slot;
    struct abi_ring_ends *ends;
};

struct mapped {
    struct mapped_way out, in;
    handle_t queue;      // the client's connection, or the server's channel
    uint64_t connection; // of a server: which client; of a client: 0
    struct abi_ring_pair *pair;
};

// ---- moving messages, without waiting --------------------------------------------------------------------------------

// Wake a peer that is asleep: the consumer of what goes out, or the producer of what comes in. 0; ERR_NO_MEMORY: it is
// still asleep, and this may be tried again. A peer that is gone or has unread doorbells needs none.
[[nodiscard]] long mapped_ring_out(const struct mapped *mapped);
[[nodiscard]] long mapped_ring_in(const struct mapped *mapped);

// Let the peer see this side's index, and tell whether it sleeps.
[[nodiscard]] static inline bool mapped_publish(struct abi_ring_end *mine, const struct abi_ring_end *peer,
                                                uint64_t index) {
    ring_publish(&mine->index, index);
    barrier_full();
    return ring_read64(&peer->asleep) != 0;
}

// Put a message into the ring. 0, ERR_TOO_BIG, ERR_FULL, ERR_PEER_CLOSED; ERR_NO_MEMORY: it is in the ring, but the peer
// sleeps and could not be rung (mapped_ring_out tries again).
[[nodiscard]] static inline long mapped_try_send(struct mapped *mapped, const void *payload, size_t length,
                                                 uint64_t id) {
    struct mapped_way *out = &mapped->out;
    struct abi_ring_ends *ends = out->ends;
    uint64_t own = out->own; // what is written below may lie anywhere, as far as the compiler knows
    if (length > MESSAGE_MAX) {
        return ERR_TOO_BIG;
    }
    enum ring_result result = ring_room(own, &out->limit, &ends->head.index, RING_SLOTS);
    if (result != RING_OK) {
        return result == RING_FULL ? ERR_FULL : ERR_PEER_CLOSED;
    }
    struct abi_ring_slot *slot = &out->slot[own % RING_SLOTS];
    slot->length = (uint32_t)length;
    slot->id = id;
    __builtin_memcpy(slot->payload, payload, length);
    out->own = own + 1;
    return mapped_publish(&ends->tail, &ends->head, own + 1) ? mapped_ring_out(mapped) : 0;
}

// In words as long as they fit, the first one in any case: most messages are short.
static inline void mapped_copy(uint8_t *to, size_t capacity, const uint8_t *from, size_t length) {
    enum { WORD = sizeof(uint64_t) };
    static_assert(MESSAGE_MAX % WORD == 0);
    size_t at = 0;
    if (capacity >= WORD) {
        __builtin_memcpy(to, from, WORD);
        at = WORD;
    }
    for (; at < length && capacity - at >= WORD; at += WORD) {
        __builtin_memcpy(to + at, from + at, WORD);
    }
    for (; at < length; at++) {
        to[at] = from[at];
    }
}

// Take the oldest message: its length; id may be null. What is in the buffer behind the message may change too. ERR_EMPTY,
// ERR_PEER_CLOSED, ERR_TOO_BIG: longer than capacity, it stays; ERR_NO_MEMORY as for mapped_try_send (mapped_ring_in): the
// message is in the buffer, and gone from the ring.
[[nodiscard]] static inline long mapped_try_recv(struct mapped *mapped, void *buffer, size_t capacity, uint64_t *id) {
    struct mapped_way *in = &mapped->in;
    struct abi_ring_ends *ends = in->ends;
    uint64_t own = in->own;
    enum ring_result result = ring_any(own, &in->limit, &ends->tail.index, RING_SLOTS);
    if (result != RING_OK) {
        return result == RING_EMPTY ? ERR_EMPTY : ERR_PEER_CLOSED;
    }
    const struct abi_ring_slot *slot = &in->slot[own % RING_SLOTS];
    uint32_t length = ring_read32(&slot->length);
    if (length > capacity || length > MESSAGE_MAX) {
        return length > MESSAGE_MAX ? ERR_PEER_CLOSED : ERR_TOO_BIG;
    }
    if (id != nullptr) {
        *id = ring_read64(&slot->id);
    }
    mapped_copy(buffer, capacity, slot->payload, length);
    in->own = own + 1;
    long status = mapped_publish(&ends->head, &ends->tail, own + 1) ? mapped_ring_in(mapped) : 0;
    return status < 0 ? status : (int)length;
}

// ---- a client --------------------------------------------------------------------------------------------------------

// Connect to the mapped channel at `path` as channel_connect does, map its rings and let the server know. 0;
// ERR_WRONG_KIND if the channel is not mapped, and what channel_connect, map and send refuse.
[[nodiscard]] long mapped_connect(struct mapped *mapped, const char *path, uint64_t deadline);

// Send, waiting for room; receive, waiting for a message. Deadlines in nanoseconds since boot: 0 tries once. ERR_TIMED_OUT,
// ERR_REMOVED, and as above; ERR_PEER_CLOSED comes when all that was sent has been received.
[[nodiscard]] long mapped_send(struct mapped *mapped, const void *payload, size_t length, uint64_t id,
                               uint64_t deadline);
[[nodiscard]] long mapped_recv(struct mapped *mapped, void *buffer, size_t capacity, uint64_t *id, uint64_t deadline);

// Hang up. What was sent can still be received.
void mapped_close(struct mapped *mapped);

// ---- a server --------------------------------------------------------------------------------------------------------

// All clients of one mapped channel. Begin with the channel's handle and zeroes. Messages of each client come in order;
// clients get their turns one after another.
struct mapped_server {
    handle_t channel;
    struct mapped_client **client;
    unsigned count, capacity;
    unsigned turn;     // of whom the last message was
    unsigned received; // messages, for the queue to get its turn too
    bool leaving;      // somebody is over and has hung up
    uint64_t pending;  // a connection that could not be attached for want of memory, 0 for none; and its client
    uint32_t pending_pid;
};

struct mapped_client {
    struct mapped mapped;
    uint32_t pid;
    bool hung_up;  // what is left in its ring is still received
    bool over;     // its end has been told
    void *context; // the server's own
};

// Receive the next message of any client: its length. When a client has hung up and all that it sent has been received, or
// when it has broken its ring, ERR_PEER_CLOSED comes with *from, which is valid until the next call, for the last time. Any
// other error is not of a client, and *from is null: ERR_TIMED_OUT, ERR_REMOVED, ERR_NO_MEMORY and ERR_LIMIT when a new
// client could not be attached, which the next call tries again. A server must not wait for a client that does not read:
// it answers with mapped_try_send.
[[nodiscard]] long mapped_serve(struct mapped_server *server, struct mapped_client **from, void *buffer,
                                size_t capacity, uint64_t *id, uint64_t deadline);
// Give up all clients; the channel's handle stays.
void mapped_server_close(struct mapped_server *server);
