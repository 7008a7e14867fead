// The functions under test have the C library's names; here they are renamed.
#include <criterion/criterion.h>
#include <string.h>

#include "base/types.h"

#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#define strlen  base_strlen
#define strnlen base_strnlen
#define strcmp  base_strcmp
#define strncmp base_strncmp
#include "../cstring.c" // NOLINT(bugprone-suspicious-include): renamed

Test(cstring, lengths) {
    cr_assert_eq(strlen(""), 0);
    cr_assert_eq(strlen("abc"), 3);
    cr_assert_eq(strnlen("abc", 2), 2);
    cr_assert_eq(strnlen("abc", 9), 3);
}

Test(cstring, order_is_by_unsigned_bytes) {
    cr_assert_eq(strcmp("abc", "abc"), 0);
    cr_assert_lt(strcmp("ab", "abc"), 0);
    cr_assert_gt(strcmp("\xff", "a"), 0);
    cr_assert_eq(strncmp("abc", "abd", 2), 0);
    cr_assert_lt(strncmp("abc", "abd", 3), 0);
    cr_assert_eq(strncmp("ab", "ab", 9), 0);
    cr_assert_eq(strncmp("a", "b", 0), 0);
}
