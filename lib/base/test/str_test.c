#include <criterion/criterion.h>
#include <string.h>

#include "base/str.h"

Test(str, copy_terminates_and_tells_the_length) {
    char small[4] = "zzz";
    cr_assert_eq(str_copy(small, sizeof(small), "ab"), 2);
    cr_assert_str_eq(small, "ab");
    cr_assert_eq(str_copy(small, sizeof(small), "abcdef"), 6);
    cr_assert_str_eq(small, "abc");
    cr_assert_eq(str_copy(small, 1, "x"), 1);
    cr_assert_str_eq(small, "");
    small[0] = 'q';
    cr_assert_eq(str_copy(small, 0, "x"), 1);
    cr_assert_eq(small[0], 'q');
    cr_assert_eq(str_copy_bytes(small, sizeof(small), "xyz!", 2), 2);
    cr_assert_str_eq(small, "xy");
}

Test(str, comparisons) {
    cr_assert(str_equal("a", "a"));
    cr_assert(!str_equal("a", "ab"));
    cr_assert(str_starts("/ipc/echo", "/ipc"));
    cr_assert(str_starts("x", ""));
    cr_assert(!str_starts("/ip", "/ipc"));
}

Test(str, numbers) {
    uint64_t value = 7;
    cr_assert(str_to_u64("0", &value) && value == 0);
    cr_assert(str_to_u64("18446744073709551615", &value) && value == UINT64_MAX);
    cr_assert(str_to_u64("0xffffffffffffffff", &value) && value == UINT64_MAX);
    cr_assert(str_to_u64("0xAb", &value) && value == 0xab);
    cr_assert(str_to_u64_bytes("123456", 3, &value) && value == 123);
}

Test(str, what_is_no_number_is_refused_and_stores_nothing) {
    static const char *const wrong[] = {
        "", "-1", "+1", " 1", "1 ", "0x", "x1", "1f", "0xg", "18446744073709551616", "0x10000000000000000", "1.0"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        uint64_t value = 7;
        cr_assert(!str_to_u64(wrong[i], &value), "'%s'", wrong[i]);
        cr_assert_eq(value, 7);
    }
}
