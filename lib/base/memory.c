// Bulk goes by 64-bit words, four at a time; unaligned words are allowed because every port's machine loads and stores
// them in normal memory. Short lengths take overlapping words instead of byte loops. Compiled with -fno-builtin, so
// that no loop here becomes a call of itself.
#include "base/memory.h"

typedef uint64_t word64 __attribute__((aligned(1), may_alias));
typedef uint32_t word32 __attribute__((aligned(1), may_alias));
typedef uint16_t word16 __attribute__((aligned(1), may_alias));

enum { WORD = sizeof(word64), BLOCK = 4 * WORD };

// Up to 16 bytes: everything is loaded before anything is stored, so overlap does not matter.
static inline void copy_short(unsigned char *to, const unsigned char *from, size_t length) {
    if (length >= 8) {
        uint64_t first = *(const word64 *)from;
        uint64_t last = *(const word64 *)(from + length - 8);
        *(word64 *)to = first;
        *(word64 *)(to + length - 8) = last;
    } else if (length >= 4) {
        uint32_t first = *(const word32 *)from;
        uint32_t last = *(const word32 *)(from + length - 4);
        *(word32 *)to = first;
        *(word32 *)(to + length - 4) = last;
    } else if (length >= 2) {
        uint16_t first = *(const word16 *)from;
        uint16_t last = *(const word16 *)(from + length - 2);
        *(word16 *)to = first;
        *(word16 *)(to + length - 2) = last;
    } else if (length == 1) {
        *to = *from;
    }
}

// Ascending; correct for overlap if `to` is below `from`. More than 16 bytes.
static inline void copy_up(unsigned char *to, const unsigned char *from, size_t length) {
    uint64_t tail0 = *(const word64 *)(from + length - 16);
    uint64_t tail1 = *(const word64 *)(from + length - 8);
    unsigned char *end = to + length;
    for (; length >= BLOCK; length -= BLOCK, to += BLOCK, from += BLOCK) {
        uint64_t a = ((const word64 *)from)[0];
        uint64_t b = ((const word64 *)from)[1];
        uint64_t c = ((const word64 *)from)[2];
        uint64_t d = ((const word64 *)from)[3];
        ((word64 *)to)[0] = a;
        ((word64 *)to)[1] = b;
        ((word64 *)to)[2] = c;
        ((word64 *)to)[3] = d;
    }
    if (length > 16) {
        uint64_t a = ((const word64 *)from)[0];
        uint64_t b = ((const word64 *)from)[1];
        ((word64 *)to)[0] = a;
        ((word64 *)to)[1] = b;
    }
    ((word64 *)end)[-2] = tail0;
    ((word64 *)end)[-1] = tail1;
}

// Descending; correct for overlap if `to` is above `from`. More than 16 bytes.
static inline void copy_down(unsigned char *to, const unsigned char *from, size_t length) {
    uint64_t head0 = ((const word64 *)from)[0];
    uint64_t head1 = ((const word64 *)from)[1];
    while (length > 16) {
        length -= 16;
        uint64_t a = *(const word64 *)(from + length);
        uint64_t b = *(const word64 *)(from + length + 8);
        *(word64 *)(to + length) = a;
        *(word64 *)(to + length + 8) = b;
    }
    ((word64 *)to)[0] = head0;
    ((word64 *)to)[1] = head1;
}

void *memcpy(void *restrict to, const void *restrict from, size_t length) {
    if (length <= 16) {
        copy_short(to, from, length);
    } else {
        copy_up(to, from, length);
    }
    return to;
}

void *memmove(void *to, const void *from, size_t length) {
    if (length <= 16) {
        copy_short(to, from, length);
    } else if ((uintptr_t)to - (uintptr_t)from >= length) {
        copy_up(to, from, length);
    } else {
        copy_down(to, from, length);
    }
    return to;
}

void *memset(void *to, int byte, size_t length) {
    unsigned char *at = to;
    uint64_t word = (unsigned char)byte * 0x0101010101010101u;
    if (length >= 8) {
        *(word64 *)(at + length - 8) = word;
        for (; length >= BLOCK; length -= BLOCK, at += BLOCK) {
            ((word64 *)at)[0] = word;
            ((word64 *)at)[1] = word;
            ((word64 *)at)[2] = word;
            ((word64 *)at)[3] = word;
        }
        for (; length >= 8; length -= 8, at += 8) {
            *(word64 *)at = word;
        }
        return to;
    }
    for (; length > 0; length--) {
        *at++ = (unsigned char)byte;
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t length) {
    const unsigned char *x = a;
    const unsigned char *y = b;
    for (; length >= 8 && *(const word64 *)x == *(const word64 *)y; length -= 8) {
        x += 8;
        y += 8;
    }
    for (; length > 0; length--, x++, y++) {
        if (*x != *y) {
            return *x - *y;
        }
    }
    return 0;
}
