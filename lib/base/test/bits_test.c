#include <criterion/criterion.h>

#include "base/bits.h"

Test(bits, lowest_highest_count) {
    cr_assert_eq(bits_lowest(1), 0);
    cr_assert_eq(bits_lowest(0x8000000000000000u), 63);
    cr_assert_eq(bits_highest(1), 0);
    cr_assert_eq(bits_highest(0x00f0), 7);
    cr_assert_eq(bits_highest(UINT64_MAX), 63);
    cr_assert_eq(bits_count(0), 0);
    cr_assert_eq(bits_count(UINT64_MAX), 64);
}

Test(bits, the_highest_by_steps) {
    for (unsigned i = 0; i < 64; i++) {
        uint64_t bit = (uint64_t)1 << i;
        cr_assert_eq(bits_highest_by_steps(bit), i);
        cr_assert_eq(bits_highest_by_steps(bit | (bit - 1)), i);
        cr_assert_eq(bits_highest_by_steps(bit | 1), i);
    }
}

Test(bits, powers_of_two) {
    cr_assert(!is_pow2(0));
    cr_assert(!is_pow2(3));
    for (unsigned i = 0; i < 64; i++) {
        cr_assert(is_pow2((uint64_t)1 << i));
        cr_assert_eq(log2_up((uint64_t)1 << i), i);
    }
    cr_assert_eq(log2_up(3), 2);
    cr_assert_eq(log2_up(4097), 13);
}

Test(bits, alignment) {
    cr_assert_eq(align_down(4097, 4096), 4096);
    cr_assert_eq(align_up(4097, 4096), 8192);
    cr_assert_eq(align_up(4096, 4096), 4096);
    cr_assert_eq(align_up(0, 4096), 0);
    cr_assert(is_aligned(8192, 4096));
    cr_assert(!is_aligned(8193, 4096));
}
