// Hashes of short names for tables in memory. hash_bytes is FNV-1a, finished so that the low bits depend on all of them;
// it does not resist somebody who seeks collisions, and is the same in every run. hash_keyed depends on a key of which
// who chooses the names knows nothing.
#pragma once

#include "base/types.h"
#include "base/word.h"

static inline uint64_t hash_bytes(const void *bytes, size_t length) {
    const unsigned char *at = bytes;
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ at[i]) * 0x100000001b3u;
    }
    hash ^= hash >> 32;
    hash *= 0x9e3779b97f4a7c15u;
    return hash ^ (hash >> 29);
}

static inline uint64_t hash_u64(uint64_t value) {
    value ^= value >> 32;
    value *= 0x9e3779b97f4a7c15u;
    value ^= value >> 29;
    value *= 0xbf58476d1ce4e5b9u;
    return value ^ (value >> 32);
}

// Both halves of the product, on each other.
static inline uint64_t hash_fold(uint64_t a, uint64_t b) {
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

// The key is odd and random in all its bits, and so is what the seed is made of.
static inline uint64_t hash_keyed(uint64_t seed, uint64_t key, const char *bytes, size_t length) {
    uint64_t hash = seed ^ length;
    for (; length >= WORD_BYTES; bytes += WORD_BYTES, length -= WORD_BYTES) {
        hash = hash_fold(hash ^ word_load(bytes), key);
    }
    return hash_fold(hash ^ word_load_part(bytes, length), key);
}
