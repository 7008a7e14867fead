#include <criterion/criterion.h>
#include <stdio.h>

#include "base/hash.h"

enum { NAMES = 100000, BUCKETS = 1 << 16 };

// Names that differ in their last digits only must spread over a table that uses the low bits.
Test(hash, similar_names_spread) {
    static unsigned char count[BUCKETS];
    unsigned worst = 0;
    for (unsigned i = 0; i < NAMES; i++) {
        char name[16];
        int length = snprintf(name, sizeof(name), "node%u", i);
        unsigned in = ++count[hash_bytes(name, (size_t)length) % BUCKETS];
        worst = in > worst ? in : worst;
    }
    cr_assert_lt(worst, 14, "one bucket has %u", worst);
}

Test(hash, numbers_spread) {
    static unsigned char count[BUCKETS];
    unsigned worst = 0;
    for (unsigned i = 0; i < NAMES; i++) {
        unsigned in = ++count[hash_u64((uint64_t)i << 12) % BUCKETS];
        worst = in > worst ? in : worst;
    }
    cr_assert_lt(worst, 14, "one bucket has %u", worst);
}

Test(hash, is_a_function_of_the_bytes) {
    cr_assert_eq(hash_bytes("abc", 3), hash_bytes("abcd", 3));
    cr_assert_neq(hash_bytes("abc", 3), hash_bytes("abd", 3));
    cr_assert_neq(hash_bytes("", 0), hash_bytes("\0", 1));
}

// What the low bits of a keyed hash are, for names of all lengths that differ in few bits.
Test(hash, keyed_spreads) {
    static unsigned char count[BUCKETS];
    static const char stem[] = "a-name-that-is-long-enough-for-some-words/";
    unsigned worst = 0;
    for (unsigned i = 0; i < NAMES; i++) {
        char name[80];
        int length = snprintf(name, sizeof name, "%.*s%u", (int)(i % (sizeof stem - 1)), stem, i);
        unsigned in = ++count[hash_keyed(7, 0x9e3779b97f4a7c15u, name, (size_t)length) % BUCKETS];
        worst = in > worst ? in : worst;
    }
    cr_assert_lt(worst, 14, "one bucket has %u", worst);
}

Test(hash, keyed_depends_on_everything) {
    constexpr uint64_t key = 0x9e3779b97f4a7c15u;
    char name[] = "seventeen bytes..";
    uint64_t hash = hash_keyed(1, key, name, 17);
    cr_assert_eq(hash, hash_keyed(1, key, name, 17));
    cr_assert_neq(hash, hash_keyed(2, key, name, 17));
    cr_assert_neq(hash, hash_keyed(1, key + 2, name, 17));
    cr_assert_neq(hash_keyed(1, key, "\0\0\0\0\0\0\0\0", 8), hash_keyed(1, key, "\0\0\0\0\0\0\0", 7));
    for (unsigned bit = 0; bit < 17 * 8; bit++) {
        name[bit / 8] ^= (char)(1 << bit % 8);
        cr_assert_neq(hash, hash_keyed(1, key, name, 17), "bit %u", bit);
        name[bit / 8] ^= (char)(1 << bit % 8);
    }
}

// The highest bits of two words do not cancel, whatever the key: they would in a hash that multiplies modulo 2^64.
Test(hash, keyed_differences_do_not_cancel) {
    for (uint64_t key = 0x9e3779b97f4a7c15u, i = 0; i < 1000; i++, key = hash_u64(key) | 1) {
        uint64_t a[2] = {0x1122334455667788, 0x99aabbccddeeff00};
        uint64_t b[2] = {a[0] ^ UINT64_C(1) << 63, a[1] ^ UINT64_C(1) << 63};
        uint64_t c[2] = {b[0], b[1] ^ UINT64_C(1) << 31};
        uint64_t hash = hash_keyed(1, key, (const char *)a, 16);
        cr_assert_neq(hash, hash_keyed(1, key, (const char *)b, 16));
        cr_assert_neq(hash, hash_keyed(1, key, (const char *)c, 16));
    }
}
