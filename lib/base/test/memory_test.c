// The functions under test have the C library's names; here they are renamed, and the library's are the reference.
#include <criterion/criterion.h>
#include <string.h>

#include "base/types.h"

static void *(*const reference_memmove)(void *, const void *, size_t) = memmove;
static void *(*const reference_memset)(void *, int, size_t) = memset;
static int (*const reference_memcmp)(const void *, const void *, size_t) = memcmp;

#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#define memcpy  base_memcpy
#define memmove base_memmove
#define memset  base_memset
#define memcmp  base_memcmp
#include "../memory.c" // NOLINT(bugprone-suspicious-include): renamed

enum { AREA = 160, LENGTH_MAX = 100 };

static void fill(unsigned char *area) {
    for (int i = 0; i < AREA; i++) {
        area[i] = (unsigned char)(i * 7 + 1);
    }
}

// Every length with every alignment of both ends; nothing outside may change.
Test(memory, copy_is_exact) {
    for (size_t length = 0; length <= LENGTH_MAX; length++) {
        for (size_t to = 8; to < 16; to++) {
            for (size_t from = 0; from < 8; from++) {
                unsigned char source[AREA], target[AREA], expected[AREA];
                fill(source);
                reference_memset(target, 0xee, AREA);
                reference_memset(expected, 0xee, AREA);
                reference_memmove(expected + to, source + from, length);
                cr_assert_eq(memcpy(target + to, source + from, length), target + to);
                cr_assert_eq(reference_memcmp(target, expected, AREA), 0, "length %zu", length);
            }
        }
    }
}

Test(memory, move_survives_overlap) {
    for (size_t length = 0; length <= LENGTH_MAX; length++) {
        for (size_t to = 0; to < 48; to++) {
            unsigned char area[AREA], expected[AREA];
            fill(area);
            fill(expected);
            reference_memmove(expected + to, expected + 24, length);
            cr_assert_eq(memmove(area + to, area + 24, length), area + to);
            cr_assert_eq(reference_memcmp(area, expected, AREA), 0, "length %zu to %zu", length, to);
        }
    }
}

Test(memory, set_is_exact) {
    for (size_t length = 0; length <= LENGTH_MAX; length++) {
        for (size_t to = 8; to < 16; to++) {
            unsigned char area[AREA], expected[AREA];
            fill(area);
            fill(expected);
            reference_memset(expected + to, 0x1a5, length);
            cr_assert_eq(memset(area + to, 0x1a5, length), area + to);
            cr_assert_eq(reference_memcmp(area, expected, AREA), 0, "length %zu", length);
        }
    }
}

Test(memory, compare_finds_the_first_difference) {
    unsigned char a[AREA], b[AREA];
    fill(a);
    fill(b);
    cr_assert_eq(memcmp(a, b, AREA), 0);
    cr_assert_eq(memcmp(a, b, 0), 0);
    for (size_t at = 0; at < AREA; at++) {
        b[at] = (unsigned char)(a[at] ^ 0x80);
        b[AREA - 1] ^= 1;
        cr_assert_eq(memcmp(a, b, at), 0);
        int order = a[at] < b[at] ? -1 : 1;
        cr_assert_gt(memcmp(a, b, AREA) * order, 0, "at %zu", at);
        fill(b);
    }
}
