// Bits, powers of two and alignment. Alignments are powers of two.
#pragma once

#include "base/types.h"

// Number of the lowest set bit; of the highest; of set bits. The first two are not defined for 0.
static inline unsigned bits_lowest(uint64_t word) {
    return (unsigned)__builtin_ctzll(word);
}

// Whether the machine has an instruction for the highest; if not, compilers take some forty others. The flags say so
// (cross/riscv64.ini).
#ifdef BITS_WITHOUT_INSTRUCTION
static constexpr bool BITS_BY_INSTRUCTION = false;
#else
static constexpr bool BITS_BY_INSTRUCTION = true;
#endif

// The same, a step for each bit of its number.
static inline unsigned bits_highest_by_steps(uint64_t word) {
    unsigned at = 0;
#pragma clang loop unroll(full)
    for (unsigned step = 32; step > 0; step /= 2) {
        if (word >> step != 0) {
            word >>= step;
            at += step;
        }
    }
    return at;
}

static inline unsigned bits_highest(uint64_t word) {
    return BITS_BY_INSTRUCTION ? 63u - (unsigned)__builtin_clzll(word) : bits_highest_by_steps(word);
}

static inline unsigned bits_count(uint64_t word) {
    return (unsigned)__builtin_popcountll(word);
}

static inline bool is_pow2(uint64_t value) {
    return value != 0 && (value & (value - 1)) == 0;
}

// Smallest n with 2^n >= value, for 1 <= value <= 2^63.
static inline unsigned log2_up(uint64_t value) {
    return value <= 1 ? 0 : bits_highest(value - 1) + 1;
}

static inline uint64_t align_down(uint64_t value, uint64_t alignment) {
    return value & ~(alignment - 1);
}

// Wraps to 0 beyond the last multiple: check with checked.h where the value is not trusted.
static inline uint64_t align_up(uint64_t value, uint64_t alignment) {
    return (value + alignment - 1) & ~(alignment - 1);
}

static inline bool is_aligned(uint64_t value, uint64_t alignment) {
    return (value & (alignment - 1)) == 0;
}
