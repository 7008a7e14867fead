// How long messages took from send to receive: a histogram by powers of two (IPC-6.5). Bucket 0 holds less than 1 ns,
// bucket i from 2^(i-1) up to 2^i ns; the last one holds everything longer.
#pragma once

#include "base/bits.h"
#include "base/types.h"

enum { LATENCY_BUCKETS = 40 };

struct latency {
    uint64_t sum, max; // nanoseconds
    uint64_t usual;    // what is not above it raises no maximum and has a bucket of its own
    uint64_t bucket[LATENCY_BUCKETS];
};

void latency_add(struct latency *latency, uint64_t nanoseconds);
uint64_t latency_messages(const struct latency *latency); // how many
// The bound below which what is in the bucket lies; UINT64_MAX for the last.
uint64_t latency_bound(unsigned bucket);

// The bucket, if there were one for everything: of what is usual, there is.
static inline unsigned latency_bucket(uint64_t nanoseconds) {
    return bits_highest(nanoseconds << 1 | 1);
}
