#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/decimal.h"

static void check(uint64_t value) {
    char expected[32], digits[32];
    memset(digits, '#', sizeof digits);
    unsigned length = (unsigned)snprintf(expected, sizeof expected, "%llu", (unsigned long long)value);
    cr_assert_eq(decimal_length_found(value, true), length, "%s", expected);
    cr_assert_eq(decimal_length_found(value, false), length, "%s", expected);
    cr_assert_eq(decimal_length(value), length, "%s", expected);
    decimal_write(digits + 1, value, length);
    cr_assert_eq(memcmp(digits + 1, expected, length), 0, "%s", expected);
    cr_assert(digits[0] == '#' && digits[1 + length] == '#', "%s", expected);
}

Test(decimal, every_length_and_every_number_of_bits) {
    uint64_t power = 1;
    for (unsigned digits = 1; digits <= DECIMAL_MAX; digits++, power *= 10) {
        check(power - 1);
        check(power);
        check(power + 1);
    }
    for (unsigned bits = 0; bits < 64; bits++) {
        check((UINT64_C(1) << bits) - 1);
        check(UINT64_C(1) << bits);
    }
    check(UINT64_MAX);
}

Test(decimal, small_numbers_and_others) {
    for (uint64_t value = 0; value < 10000; value++) {
        check(value);
        check(value * 0x9e3779b97f4a7c15u);
    }
}
