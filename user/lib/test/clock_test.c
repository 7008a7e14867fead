// Durations as people write them.
#include <criterion/criterion.h>

#include "lib/clock.h"

static void expect(const char *text, uint64_t wanted) {
    uint64_t duration;
    cr_assert(clock_parse(text, &duration), "%s", text);
    cr_assert_eq(duration, wanted, "%s", text);
}

Test(clock, durations_are_read) {
    expect("0", 0);
    expect("1", SECOND);
    expect("0.25", SECOND / 4);
    expect(".5", SECOND / 2);
    expect("2.", 2 * SECOND);
    expect("250ms", 250 * MILLISECOND);
    expect("1.5us", 1500);
    expect("7ns", 7);
    expect("2m", 120 * SECOND);
    expect("1h", 3600 * SECOND);
    expect("0.123456789", 123456 * MICROSECOND);
}

Test(clock, nonsense_refused) {
    static const char *const wrong[] = {
        "", ".", "s", "1x", "-1", "1 s", "1.2.3", "99999999999999999999", "9999999999999h"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint64_t duration;
        cr_assert(!clock_parse(wrong[i], &duration), "%s", wrong[i]);
    }
}
