// Requests, against a channel in memory: who answers late, twice, or nonsense.
#include <criterion/criterion.h>

#include "lib/clock.h"
#include "lib/request.h"
#include "talk.h"

enum { VERSION = 3, GET = 1 };

static struct request_client client = {.connection = 1, .version = VERSION};
static unsigned requests; // that the server saw
static uint64_t numbers[8];

// Take one request from the server's queue; its header.
static struct request_header take(void) {
    struct message message;
    struct request_header header = {};
    if (channel_recv(0, &message, 0) == 0) {
        memcpy(&header, message.payload, sizeof header);
        numbers[requests++ % 8] = header.number;
    }
    return header;
}

static void answer(struct request_header header, long status) {
    header.status = status;
    header.length = 0;
    talk_inject(1, &header, sizeof header, header.number);
}

static const struct retry_policy five = {
    .attempts = 5, .timeout = 100, .first_delay = 10, .factor = 2, .delay_limit = 1000};

static long retry(const struct retry_policy *policy) {
    return request_retry(&client, GET, "x", 1, nullptr, 0, nullptr, policy);
}

static void answer_the_third(void) {
    struct request_header header = take();
    if (header.number != 0 && requests == 3) {
        answer(header, 33);
    }
}

Test(request, retries_until_there_is_an_answer) {
    talk_idle = answer_the_third;
    cr_assert_eq(retry(&five), 33);
    cr_assert_eq(requests, 3);
    cr_assert_eq(talk_now, 1000 + 100 + 10 + 100 + 20);
    cr_assert(numbers[0] == numbers[1] && numbers[1] == numbers[2]);
}

static void never(void) {
    (void)take();
}

Test(request, gives_up_as_the_policy_says) {
    talk_idle = never;
    cr_assert_eq(retry(&five), ERR_TIMED_OUT);
    cr_assert_eq(requests, 5);
    cr_assert_eq(talk_now, 1000 + 5 * 100 + 10 + 20 + 40 + 80);
}

static void refuse(void) {
    answer(take(), ERR_TIMED_OUT);
}

Test(request, an_answer_is_final_whatever_it_says) {
    talk_idle = refuse;
    cr_assert_eq(retry(&five), ERR_TIMED_OUT);
    cr_assert_eq(requests, 1);
    cr_assert_eq(talk_now, 1000);
}

static void answer_twice_and_the_past(void) {
    struct request_header header = take();
    if (header.number == 0) {
        return;
    }
    struct request_header old = header;
    old.number--;
    answer(old, 1);
    answer(header, 2);
    answer(header, 3);
}

Test(request, stale_answers_are_dropped) {
    talk_idle = answer_twice_and_the_past;
    client.next = 10;
    cr_assert_eq(retry(&five), 2);
    cr_assert_eq(client.stale, 1);
    cr_assert_eq(retry(&five), 2, "the double answer is not taken for the next one");
    cr_assert_eq(client.stale, 3);
    cr_assert_eq(requests, 2);
}

static void nonsense(void) {
    (void)take();
    talk_inject(1, "short", 5, 0);
}

Test(request, nonsense_is_no_answer) {
    talk_idle = nonsense;
    cr_assert_eq(retry(&five), ERR_INVALID);
    cr_assert_eq(requests, 1);
}

Test(request, one_time_out_is_kept_to) {
    talk_idle = never;
    cr_assert_eq(request_make(&client, GET, nullptr, 0, nullptr, 0, nullptr, 70), ERR_TIMED_OUT);
    cr_assert_eq(talk_now, 1070);
    cr_assert_eq(requests, 1);
}
