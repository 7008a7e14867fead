// Eight bytes at a time: bytes of strings in a 64-bit word, the first of them lowest.
#pragma once

#include "base/bits.h"
#include "base/types.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first byte of a word is its lowest");

typedef uint64_t word64_t __attribute__((aligned(1), may_alias));
typedef uint32_t word32_t __attribute__((aligned(1), may_alias));
typedef uint16_t word16_t __attribute__((aligned(1), may_alias));

enum { WORD_BYTES = sizeof(word64_t) };

static inline uint64_t word_load(const void *bytes) {
    return *(const word64_t *)bytes;
}

// 0 to 7 bytes, and zeroes above; nothing behind them is read.
static inline uint64_t word_load_part(const void *bytes, size_t length) {
    const char *at = bytes;
    if (length >= 4) {
        return *(const word32_t *)at | (uint64_t)*(const word32_t *)(at + length - 4) << (8 * (length - 4));
    }
    if (length >= 2) {
        return *(const word16_t *)at | (uint64_t)*(const word16_t *)(at + length - 2) << (8 * (length - 2));
    }
    return length > 0 ? (unsigned char)*at : 0;
}

// The highest bit of each byte that equals `byte`, and no other bit.
static inline uint64_t word_matches(uint64_t word, unsigned char byte) {
    constexpr uint64_t low = 0x7f7f7f7f7f7f7f7f;
    uint64_t differs = word ^ byte * 0x0101010101010101u;
    return ~(((differs & low) + low) | differs | low);
}

// Whether one of its bytes is zero.
static inline bool word_has_zero(uint64_t word) {
    return ((word - 0x0101010101010101) & ~word & 0x8080808080808080) != 0;
}

// Which byte the first match is, of matches that are not 0.
static inline unsigned word_first(uint64_t matches) {
    return (unsigned)__builtin_ctzll(matches) / 8;
}

// The same of the last one.
static inline unsigned word_last_by_product(uint64_t matches) {
    uint64_t up_to = matches >> 7; // one bit in the last match's byte and in all before it
    up_to |= up_to >> 8;
    up_to |= up_to >> 16;
    up_to |= up_to >> 32;
    return (unsigned)(up_to * 0x0101010101010101u >> 56) - 1;
}

static inline unsigned word_last(uint64_t matches) {
    return BITS_BY_INSTRUCTION ? bits_highest(matches) / 8 : word_last_by_product(matches);
}

static inline bool bytes_equal(const char *a, const char *b, size_t length) {
    for (; length >= WORD_BYTES; a += WORD_BYTES, b += WORD_BYTES, length -= WORD_BYTES) {
        if (word_load(a) != word_load(b)) {
            return false;
        }
    }
    if (length >= 4) {
        return *(const word32_t *)a == *(const word32_t *)b &&
               *(const word32_t *)(a + length - 4) == *(const word32_t *)(b + length - 4);
    }
    return word_load_part(a, length) == word_load_part(b, length);
}
