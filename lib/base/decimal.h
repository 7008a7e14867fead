// Decimal digits, two at a time: how many a number has, and writing them where they belong at once.
#pragma once

#include "base/bits.h"
#include "base/types.h"

enum { DECIMAL_MAX = 20 }; // digits of UINT64_MAX

// How many, from the number of bits or by comparing.
static inline unsigned decimal_length_found(uint64_t value, bool by_instruction) {
    static constexpr uint64_t power[DECIMAL_MAX] = {
        1u,
        10u,
        100u,
        1000u,
        10000u,
        100000u,
        1000000u,
        10000000u,
        100000000u,
        1000000000u,
        10000000000u,
        100000000000u,
        1000000000000u,
        10000000000000u,
        100000000000000u,
        1000000000000000u,
        10000000000000000u,
        100000000000000000u,
        1000000000000000000u,
        10000000000000000000u,
    };
    if (value < 10) {
        return 1;
    }
    if (!by_instruction) {
        unsigned length = 2;
#pragma clang loop unroll(disable)
        while (length < DECIMAL_MAX && value >= power[length]) {
            length++;
        }
        return length;
    }
    // A number of n bits has n * log10(2) digits, rounded down, or one more: 1233 / 4096 is exact enough below 65.
    unsigned guess = (bits_highest(value) + 1) * 1233 >> 12;
    return guess + (value >= power[guess]);
}

static inline unsigned decimal_length(uint64_t value) {
    return decimal_length_found(value, BITS_BY_INSTRUCTION);
}

// Write the digits of value, of which there are `length`.
static inline void decimal_write(char *to, uint64_t value, unsigned length) {
    static constexpr char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
                                    "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
                                    "8081828384858687888990919293949596979899";
    for (; length >= 2; length -= 2, value /= 100) {
        const char *pair = &pairs[value % 100 * 2];
        to[length - 2] = pair[0];
        to[length - 1] = pair[1];
    }
    if (length > 0) {
        to[0] = (char)('0' + value);
    }
}
