// When send and recv take their fast paths, and when not; that after each hindrance they take them again. That both do the
// same is for fast_test.c.
#include <criterion/criterion.h>

#include "abi/calls.h"
#include "kernel/cpu.h"
#include "machine.h"

enum { PAYLOAD_AT = 8192, RECORD_AT = 30000 };

static struct user *me;
static int64_t server, client;

static void begin_messages(uint32_t depth) {
    machine_boot(&(struct machine_options){});
    me = machine_init();
    struct abi_channel_config config = {.depth = depth, .message_max = 64};
    server = user_channel(me, 0, nullptr, &config);
    client = CALL(me, CONNECT, (uint64_t)server, RIGHTS_ALL);
    require(client > 0);
}

static uint64_t buffer(void) {
    return me->scratch + PAYLOAD_AT;
}

static bool send_is_fast(void) {
    uint64_t before = cpu_count_total(COUNT_FAST_SEND);
    require_equal(CALL(me, SEND, (uint64_t)client, buffer(), 8, 1, 0), 0);
    return cpu_count_total(COUNT_FAST_SEND) != before;
}

static bool receive_is_fast(void) {
    uint64_t before = cpu_count_total(COUNT_FAST_RECV);
    require_equal(CALL(me, RECV, (uint64_t)server, buffer(), 64), 8);
    return cpu_count_total(COUNT_FAST_RECV) != before;
}

// What hindered is over: the general path finds that at the next message, and then messages are fast.
static void fast_again(void) {
    (void)send_is_fast();
    (void)receive_is_fast();
    (void)send_is_fast();
    (void)receive_is_fast();
    cr_assert(send_is_fast());
    cr_assert(receive_is_fast());
}

Test(message_fast, messages_are_fast_while_they_concern_nobody_else) {
    begin_messages(16);
    cr_assert_not(send_is_fast()); // there is no page yet
    (void)receive_is_fast();
    fast_again();
    // Nor are those that come after others.
    for (unsigned i = 0; i < 5; i++) {
        (void)send_is_fast();
    }
    for (unsigned i = 0; i < 5; i++) {
        cr_assert(receive_is_fast());
    }
    for (unsigned i = 0; i < 5; i++) {
        cr_assert(send_is_fast());
    }
    for (unsigned i = 0; i < 5; i++) {
        cr_assert(receive_is_fast());
    }
    machine_check();
}

Test(message_fast, messages_that_somebody_watches_or_waits_for_are_not_fast) {
    begin_messages(16);
    fast_again();
    int64_t notifier = CALL(me, NOTIFIER_CREATE, 4);
    struct abi_watch_spec spec = {.events = EVENT_READABLE};
    require(user_store(me, me->scratch + RECORD_AT, &spec, sizeof spec));
    require_equal(CALL(me, WATCH, (uint64_t)notifier, (uint64_t)server, me->scratch + RECORD_AT), 0);
    uint64_t watch = me->word[0];
    for (unsigned i = 0; i < 3; i++) {
        cr_assert_not(send_is_fast());
        cr_assert_not(receive_is_fast());
    }
    require_equal(CALL(me, UNWATCH, (uint64_t)notifier, watch), 0);
    fast_again();
    struct user *other = machine_spawn(me, "other", nullptr, nullptr, PRIORITY_DEFAULT);
    int64_t theirs = CALL(me, GIVE, other->process, (uint64_t)server, RIGHT_READ | RIGHT_WATCH);
    require(theirs > 0);
    struct abi_wait_item item = {.handle = (uint32_t)theirs, .events = EVENT_READABLE};
    require(user_store(other, other->scratch + RECORD_AT, &item, sizeof item));
    require_equal(CALL(other, WAIT, other->scratch + RECORD_AT, 1, FOREVER), USER_PARKED);
    cr_assert_not(send_is_fast());
    machine_run_until_idle();
    cr_assert_eq(other->status, 0);
    (void)receive_is_fast();
    fast_again();
    require_equal(CALL(other, REPLY_WAIT, (uint64_t)theirs, CALL_MESSAGES), USER_PARKED);
    cr_assert_not(send_is_fast());
    machine_run_until_idle();
    cr_assert_eq(other->status, ERR_EMPTY);
    (void)receive_is_fast();
    fast_again();
    machine_check();
}

Test(message_fast, hang_ups_and_full_queues_are_not_fast) {
    begin_messages(3);
    fast_again();
    int64_t leaving = CALL(me, CONNECT, (uint64_t)server, RIGHTS_ALL);
    require_equal(CALL(me, CLOSE, (uint64_t)leaving), 0);
    cr_assert_not(send_is_fast());
    require_equal(CALL(me, RECV, (uint64_t)server, buffer(), 64), 0); // the hang-up
    (void)receive_is_fast();
    fast_again();
    while (CALL(me, SEND, (uint64_t)client, buffer(), 8, 1, 0) == 0) {
    }
    struct abi_wait_item item = {.handle = (uint32_t)client, .events = EVENT_WRITABLE};
    require(user_store(me, me->scratch + RECORD_AT, &item, sizeof item));
    require_equal(CALL(me, WAIT, me->scratch + RECORD_AT, 1, 0), ERR_TIMED_OUT); // in line for room, it may be
    cr_assert_not(receive_is_fast());
    (void)receive_is_fast();
    (void)receive_is_fast();
    fast_again();
    require_equal(CALL(me, FINISH, (uint64_t)client), 0);
    require_equal(CALL(me, SEND, (uint64_t)client, buffer(), 8, 1, 0), ERR_PEER_CLOSED);
    machine_check();
}
