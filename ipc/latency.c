#include "ipc/latency.h"

#include "base/bits.h"

void latency_add(struct latency *latency, uint64_t nanoseconds) {
    unsigned bucket = nanoseconds == 0 ? 0 : bits_highest(nanoseconds) + 1;
    latency->bucket[bucket < LATENCY_BUCKETS ? bucket : LATENCY_BUCKETS - 1]++;
    latency->messages++;
    latency->sum += nanoseconds;
    if (nanoseconds > latency->max) {
        latency->max = nanoseconds;
    }
}

uint64_t latency_bound(unsigned bucket) {
    return bucket < LATENCY_BUCKETS - 1 ? UINT64_C(1) << bucket : UINT64_MAX;
}
