#include <criterion/criterion.h>

#include "base/checked.h"

Test(checked, what_fits_is_stored) {
    uint64_t result;
    cr_assert(checked_add(1, 2, &result));
    cr_assert_eq(result, 3);
    cr_assert(checked_sub(3, 3, &result));
    cr_assert_eq(result, 0);
    cr_assert(checked_mul(1u << 31, 4, &result));
    cr_assert_eq(result, (uint64_t)1 << 33);
    cr_assert(checked_align_up(4097, 4096, &result));
    cr_assert_eq(result, 8192);
}

Test(checked, what_does_not_fit_is_refused) {
    uint64_t result;
    cr_assert(!checked_add(UINT64_MAX, 1, &result));
    cr_assert(!checked_sub(0, 1, &result));
    cr_assert(!checked_mul((uint64_t)1 << 32, (uint64_t)1 << 32, &result));
    cr_assert(!checked_align_up(UINT64_MAX - 1, 4096, &result));
}

Test(checked, ranges_never_wrap) {
    cr_assert(range_within(0, 10, 10));
    cr_assert(range_within(10, 0, 10));
    cr_assert(!range_within(11, 0, 10));
    cr_assert(!range_within(1, 10, 10));
    cr_assert(!range_within(UINT64_MAX, 2, 10));
    cr_assert(!range_within(2, UINT64_MAX, 10));
}
