// Arithmetic.
#include <criterion/criterion.h>
#include <stdlib.h>

#include "arithmetic.h"

void arena_exhausted(void) {
    abort();
}

static void expect(const char *text, int64_t wanted) {
    int64_t value;
    const char *wrong = arithmetic_evaluate(text, nullptr, &value);
    cr_assert_null(wrong, "%s: %s", text, wrong);
    cr_assert_eq(value, wanted, "%s", text);
}

Test(arithmetic, precedence) {
    expect("1+2*3", 7);
    expect("(1+2)*3", 9);
    expect("10-4-3", 3);
    expect("100/10/5", 2);
    expect("1<<2+1", 8);
    expect("1|2^3&1", 3);
    expect("1<2==1", 1);
    expect("0||1&&0", 0);
    expect("1?2:3", 2);
    expect("0?2:0?3:4", 4);
    expect("2>=2", 1);
    expect("-2*-3", 6);
    expect("!0+~0", 0);
    expect(" 0x10 ", 16);
    expect("7%4", 3);
    expect("-7/2", -3);
}

Test(arithmetic, wraps_around) {
    expect("9223372036854775807+1", INT64_MIN);
    expect("(-9223372036854775807-1)/-1", INT64_MIN);
    expect("(-9223372036854775807-1)%-1", 0);
    expect("1<<64", 1);
}

Test(arithmetic, nonsense_refused) {
    static const char *const wrong[] = {
        "", "1+", "(1", "1)", "1 2", "1/0", "1%0", "*2", "1?2", "12x", "99999999999999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        int64_t value;
        cr_assert_not_null(arithmetic_evaluate(wrong[i], nullptr, &value), "%s", wrong[i]);
    }
}

Test(arithmetic, nesting_has_a_limit) {
    char text[1000];
    int64_t value;
    memset(text, '(', sizeof text);
    text[999] = 0;
    cr_assert_not_null(arithmetic_evaluate(text, nullptr, &value));
    memset(text, '-', 998);
    text[998] = '1';
    (void)arithmetic_evaluate(text, nullptr, &value);
}
