// How long messages took from send to receive: a histogram by powers of two (IPC-6.5). Bucket 0 holds less than 1 ns,
// bucket i from 2^(i-1) up to 2^i ns; the last one holds everything longer.
#pragma once

#include "base/types.h"

enum { LATENCY_BUCKETS = 40 };

struct latency {
    uint64_t messages, sum, max; // nanoseconds
    uint64_t bucket[LATENCY_BUCKETS];
};

void latency_add(struct latency *latency, uint64_t nanoseconds);
// The bound below which what is in the bucket lies; UINT64_MAX for the last.
uint64_t latency_bound(unsigned bucket);
