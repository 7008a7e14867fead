// Ratios as fractions of 2^32: ticks of a clock become nanoseconds, and these ticks, by one multiplication.
#pragma once

#include "base/types.h"

// numerator / denominator, rounded down. The denominator is neither 0 nor above 2^63, the quotient below 2^32. By single
// bits: no division of 128 bits is to be had everywhere, and this is done when a clock is found.
static inline uint64_t ratio_make(uint64_t numerator, uint64_t denominator) {
    uint64_t whole = numerator / denominator, rest = numerator % denominator, fraction = 0;
    for (unsigned bit = 0; bit < 32; bit++) {
        rest <<= 1;
        fraction <<= 1;
        if (rest >= denominator) {
            rest -= denominator;
            fraction |= 1;
        }
    }
    return whole << 32 | fraction;
}

// value * ratio, rounded down; the product must be below 2^64.
static inline uint64_t ratio_scale(uint64_t value, uint64_t ratio) {
    return (uint64_t)((unsigned __int128)value * ratio >> 32);
}
