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
