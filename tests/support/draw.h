// Chance for test programs and transcripts: what is drawn is determined by the state it began with, on every machine.
#pragma once

#include "base/hash.h"

static inline uint64_t draw_next(uint64_t *state) {
    *state += 0x9e3779b97f4a7c15u;
    return hash_u64(*state);
}

// From 0 to bound - 1.
static inline uint64_t draw_below(uint64_t *state, uint64_t bound) {
    return draw_next(state) % bound;
}
