// Trying again: against a clock that only moves when somebody sleeps.
#include <criterion/criterion.h>

#include "lib/clock.h"
#include "lib/retry.h"

static uint64_t now = 1000;
static uint64_t slept[16];
static unsigned sleeps;

uint64_t clock_now(void) {
    return now;
}

uint64_t clock_deadline(uint64_t duration) {
    return duration >= FOREVER - now ? FOREVER : now + duration;
}

void clock_sleep(uint64_t duration) {
    slept[sleeps++ % 16] = duration;
    now += duration;
}

Test(retry, pauses_grow_up_to_their_limit) {
    const struct retry_policy policy = {.attempts = 6, .first_delay = 10, .factor = 3, .delay_limit = 100};
    struct retry retry = retry_begin(&policy);
    for (unsigned i = 1; i < 6; i++) {
        cr_assert(retry_again(&retry, ERR_TIMED_OUT));
    }
    cr_assert(!retry_again(&retry, ERR_TIMED_OUT));
    static const uint64_t wanted[] = {10, 30, 90, 100, 100};
    cr_assert_eq(sleeps, 5);
    cr_assert_arr_eq(slept, wanted, sizeof wanted);
}

Test(retry, only_what_may_pass_is_tried_again) {
    const struct retry_policy policy = {.attempts = 100};
    struct retry retry = retry_begin(&policy);
    for (long status = -40; status < 3; status++) {
        bool may_pass = status == ERR_TIMED_OUT || status == ERR_PEER_CLOSED || status == ERR_FULL;
        cr_assert_eq(retry_again(&retry, status), may_pass, "%ld", status);
    }
    cr_assert_eq(sleeps, 0, "no delay means no pause");
}

Test(retry, zero_attempts_are_one) {
    const struct retry_policy policy = {};
    struct retry retry = retry_begin(&policy);
    cr_assert_eq(retry_deadline(&retry), FOREVER);
    cr_assert(!retry_again(&retry, ERR_TIMED_OUT));
}

Test(retry, the_deadline_ends_everything) {
    const struct retry_policy policy = {.attempts = 100, .timeout = 50, .first_delay = 40, .deadline = 1090};
    struct retry retry = retry_begin(&policy);
    cr_assert_eq(retry_deadline(&retry), 1050);
    cr_assert(retry_again(&retry, ERR_FULL));
    cr_assert_eq(now, 1040);
    cr_assert_eq(retry_deadline(&retry), 1090, "an attempt ends no later than all");
    now = 1049;
    cr_assert(retry_again(&retry, ERR_FULL));
    cr_assert_eq(now, 1089);
    cr_assert(!retry_again(&retry, ERR_FULL), "a pause would not end before it");
    cr_assert_eq(now, 1089);
}

Test(retry, pauses_do_not_overflow) {
    const struct retry_policy policy = {.attempts = 4, .first_delay = UINT64_MAX / 2, .factor = UINT32_MAX};
    struct retry retry = retry_begin(&policy);
    cr_assert(retry_again(&retry, ERR_FULL));
    now = 0;
    cr_assert_eq(retry.delay, UINT64_MAX);
    cr_assert(!retry_again(&retry, ERR_FULL), "a pause for ever is no pause");
}
