// Publish and subscribe, against a channel in memory.
#include <criterion/criterion.h>

#include "lib/publish.h"
#include "talk.h"

enum { VERSION = 5 };

static struct publish_subscriber subscribers[2];
static struct publisher publisher = {.version = VERSION, .capacity = 2, .subscribers = subscribers};
static struct published got;

static struct subscription subscribe(handle_t client, uint16_t version) {
    struct subscription subscription = {.connection = client, .version = version};
    cr_assert_eq(subscribe_begin(&subscription, 0), 0);
    cr_assert_eq(publish_attend(&publisher, 0), 0);
    return subscription;
}

Test(publish, everybody_gets_everything_in_order) {
    struct subscription one = subscribe(1, VERSION);
    cr_assert_eq(publish_send(&publisher, 7, "a", 1), 1);
    struct subscription two = subscribe(2, VERSION);
    cr_assert_eq(publish_send(&publisher, 8, "bc", 2), 2);
    cr_assert_eq(subscribe_receive(&one, &got, 0), 0);
    cr_assert(got.type == 7 && got.sequence == 1 && got.lost == 0 && got.length == 1 && got.body[0] == 'a');
    cr_assert_eq(subscribe_receive(&one, &got, 0), 0);
    cr_assert_eq(got.sequence, 2);
    cr_assert_eq(subscribe_receive(&one, &got, 0), ERR_TIMED_OUT);
    cr_assert_eq(subscribe_receive(&two, &got, 0), 0);
    cr_assert(got.type == 8 && got.sequence == 2 && got.lost == 0, "what was before is not lost");
}

Test(publish, gaps_are_counted_where_they_are) {
    struct subscription slow = subscribe(1, VERSION);
    for (int i = 0; i < 9; i++) {
        (void)publish_send(&publisher, 1, "", 0);
    }
    cr_assert_eq(publisher.dropped, 9 - (TALK_DEPTH - 1));
    cr_assert_eq(subscribers[0].dropped, 9 - (TALK_DEPTH - 1));
    for (int i = 0; i < TALK_DEPTH - 1; i++) {
        cr_assert_eq(subscribe_receive(&slow, &got, 0), 0);
        cr_assert_eq(got.lost, 0);
    }
    cr_assert_eq(subscribe_receive(&slow, &got, 0), ERR_TIMED_OUT);
    (void)publish_send(&publisher, 1, "", 0);
    cr_assert_eq(subscribe_receive(&slow, &got, 0), 0);
    cr_assert(got.sequence == 10 && got.lost == 9 - (TALK_DEPTH - 1) && slow.lost == got.lost);
}

Test(publish, slow_ones_are_disconnected_if_asked) {
    publisher.policy = PUBLISH_DISCONNECT;
    struct subscription slow = subscribe(1, VERSION);
    for (int i = 0; i < 9; i++) {
        (void)publish_send(&publisher, 1, "", 0);
    }
    cr_assert(publisher.count == 1 && publisher.disconnected == 1 && publisher.dropped == 1);
    for (int i = 0; i < TALK_DEPTH - 1; i++) {
        cr_assert_eq(subscribe_receive(&slow, &got, 0), 0);
    }
    cr_assert_eq(publish_send(&publisher, 1, "", 0), 0, "the end comes first");
    cr_assert_eq(subscribe_receive(&slow, &got, 0), ERR_PEER_CLOSED);
    cr_assert_eq(publisher.count, 0);
    slow = subscribe(1, VERSION);
    cr_assert_eq(publish_send(&publisher, 1, "", 0), 1, "it may come back");
}

Test(publish, who_goes_is_forgotten) {
    (void)subscribe(1, VERSION);
    struct subscription two = subscribe(2, VERSION);
    talk_close(1);
    cr_assert_eq(publish_attend(&publisher, 0), 0);
    cr_assert(publisher.count == 1 && subscribers[0].connection == 2);
    talk_close(2); // noticed in sending, too
    cr_assert_eq(publish_send(&publisher, 1, "", 0), 0);
    cr_assert_eq(publisher.count, 0);
    cr_assert_eq(publish_attend(&publisher, 0), 0, "a hang-up of somebody unknown is nothing");
    (void)two;
}

Test(publish, refusals) {
    struct subscription other = subscribe(1, VERSION + 1);
    cr_assert_eq(subscribe_receive(&other, &got, 0), ERR_ACCESS);
    talk_inject(0, "nonsense", 8, 0);
    cr_assert_eq(publish_attend(&publisher, 0), 0);
    cr_assert_eq(publisher.count, 0);
    (void)subscribe(2, VERSION);
    (void)subscribe(3, VERSION);
    (void)subscribe(3, VERSION); // again: no second entry
    cr_assert_eq(publisher.count, 2);
    struct subscription late = subscribe(4, VERSION);
    cr_assert_eq(subscribe_receive(&late, &got, 0), ERR_ACCESS);
    cr_assert_eq(publish_send(&publisher, PUBLISH_TYPES, "", 0), ERR_INVALID);
    cr_assert_eq(publish_send(&publisher, 0, "", PUBLISH_BODY_MAX + 1), ERR_TOO_BIG);
    cr_assert_eq(publisher.sequence, 0);
}

Test(publish, attending_ends_at_its_deadline) {
    cr_assert_eq(publish_attend(&publisher, talk_now + 50), ERR_TIMED_OUT);
    cr_assert_eq(talk_now, 1050);
}

static void inject(uint16_t version, uint16_t type, uint32_t length, uint64_t sequence, size_t size) {
    char payload[MESSAGE_MAX] = {};
    const struct publish_header header = {.version = version, .type = type, .length = length, .sequence = sequence};
    memcpy(payload, &header, sizeof header);
    talk_inject(1, payload, size, 0);
}

Test(publish, a_lying_publisher_is_found_out) {
    struct subscription one = {.connection = 1, .version = VERSION};
    inject(VERSION, 3, 0, 1, sizeof(struct publish_header)); // before any answer to the subscription
    cr_assert_eq(subscribe_receive(&one, &got, 0), ERR_INVALID);
    inject(VERSION, PUBLISH_SUBSCRIBE, 0, 10, sizeof(struct publish_header));
    inject(VERSION, 3, 0, 12, sizeof(struct publish_header));
    cr_assert_eq(subscribe_receive(&one, &got, 0), 0);
    cr_assert_eq(got.lost, 1);
    inject(VERSION, 3, 0, 12, sizeof(struct publish_header)); // a number again
    cr_assert_eq(subscribe_receive(&one, &got, 0), ERR_INVALID);
    inject(VERSION, 3, 0, 11, sizeof(struct publish_header)); // and backwards
    cr_assert_eq(subscribe_receive(&one, &got, 0), ERR_INVALID);
    inject(VERSION, 3, 5, 13, sizeof(struct publish_header)); // a body that is not there
    cr_assert_eq(subscribe_receive(&one, &got, 0), ERR_INVALID);
    inject(VERSION, 3, 0, 13, sizeof(struct publish_header) - 1);
    cr_assert_eq(subscribe_receive(&one, &got, 0), ERR_INVALID);
    inject(VERSION + 1, 3, 0, 13, sizeof(struct publish_header));
    cr_assert_eq(subscribe_receive(&one, &got, 0), ERR_INVALID);
    inject(VERSION, PUBLISH_SUBSCRIBE, 0, 99, sizeof(struct publish_header)); // a second welcome changes nothing
    inject(VERSION, 3, 0, 13, sizeof(struct publish_header));
    cr_assert_eq(subscribe_receive(&one, &got, 0), 0);
    cr_assert(got.sequence == 13 && got.lost == 0 && one.lost == 1);
}
