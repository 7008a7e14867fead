// The two indices of a ring with one producer and one consumer (RING-1, RING-3): who may touch which slot, and when. The
// same for the queues of the kernel (ipc/ring.h) and for rings in pages that two processes share (user/lib/mapped.h).
//
// `tail` counts messages ever produced, `head` messages ever consumed; tail - head is the number queued, so all slots are
// usable and no index is ambiguous. Only the producer writes tail, only the consumer writes head. The producer fills the
// slot and then stores tail with release; the consumer loads tail with acquire before it reads the slot, reads it, then
// stores head with release; the producer loads head with acquire before it uses the slot again. Each side keeps its own
// index in private memory and believes of the other's only a value that leaves 0 to depth messages queued: anything else
// is a hostile peer (RING_CORRUPT). Whoever dies in between has published a message whole or not at all.
//
// Against the memory model of Arm (and RISC-V's, which is no weaker here): the slot's stores come before the release of
// tail, and who acquires that tail loads the slot behind it; the slot's loads come before the release of head, and who
// acquires that head stores into the slot behind it. A slot is touched without looking at the peer's index only below a
// value of it that was acquired before, which covers all slots up to there. Nothing asks for an order between a store and
// a later load, so no full barrier is needed (on arm64 STLR and LDAR, where LDAPR would do as well) until somebody sleeps
// on an index (user/lib/mapped.h). A slot's own words may be torn by a hostile peer only: between honest sides no two
// accesses of a slot are unordered, which ThreadSanitizer confirms (ipc/test/ring_threads_test.c).
#pragma once

#include "base/types.h"

enum ring_result {
    RING_OK,
    RING_EMPTY,   // nothing to dequeue
    RING_FULL,    // no room to enqueue
    RING_TOO_BIG, // longer than the ring's message size, or than the buffer; nothing was moved
    RING_NO_PAGE, // the slot's page is missing
    RING_CORRUPT, // the peer broke the protocol; the ring is of no further use
};

// The paired barriers. Whoever publishes an index has finished with the slots below it; whoever takes it may touch them.
static inline void ring_publish(uint64_t *index, uint64_t value) {
    __atomic_store_n(index, value, __ATOMIC_RELEASE);
}

static inline uint64_t ring_take(const uint64_t *index) {
    return __atomic_load_n(index, __ATOMIC_ACQUIRE);
}

// Where the peer may write, a word is read once and for all: a compiler that read it again after the check would let the
// peer change it in between.
static inline uint32_t ring_read32(const uint32_t *word) {
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static inline uint64_t ring_read64(const uint64_t *word) {
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}

// Producer: whether slot own % depth is free; limit is at first depth. RING_FULL, RING_CORRUPT.
[[nodiscard]] static inline enum ring_result ring_room(uint64_t own, uint64_t *limit, const uint64_t *peer,
                                                       uint32_t depth) {
    if (own == *limit) {
        uint64_t head = ring_take(peer);
        if (own - head >= depth) {
            return own - head == depth ? RING_FULL : RING_CORRUPT;
        }
        *limit = head + depth;
    }
    return RING_OK;
}

// Consumer: whether slot own % depth has a message; limit is at first 0. RING_EMPTY, RING_CORRUPT.
[[nodiscard]] static inline enum ring_result ring_any(uint64_t own, uint64_t *limit, const uint64_t *peer,
                                                      uint32_t depth) {
    if (own == *limit) {
        uint64_t tail = ring_take(peer);
        if (tail - own - 1 >= depth) {
            return tail == own ? RING_EMPTY : RING_CORRUPT;
        }
        *limit = tail;
    }
    return RING_OK;
}
