#include "ipc/latency.h"

static constexpr uint64_t LONGEST = (UINT64_C(1) << (LATENCY_BUCKETS - 1)) - 1; // that has a bucket of its own

void latency_add(struct latency *latency, uint64_t nanoseconds) {
    unsigned bucket = latency_bucket(nanoseconds);
    latency->bucket[bucket < LATENCY_BUCKETS ? bucket : LATENCY_BUCKETS - 1]++;
    latency->sum += nanoseconds;
    if (nanoseconds > latency->max) {
        latency->max = nanoseconds;
        latency->usual = bucket < LATENCY_BUCKETS ? nanoseconds : LONGEST;
    }
}

uint64_t latency_messages(const struct latency *latency) {
    uint64_t messages = 0;
    for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
        messages += latency->bucket[i];
    }
    return messages;
}

uint64_t latency_bound(unsigned bucket) {
    return bucket < LATENCY_BUCKETS - 1 ? UINT64_C(1) << bucket : UINT64_MAX;
}
