// Names of events.
#include <criterion/criterion.h>

#include "lib/notify.h"

static uint32_t parse(const char *names) {
    uint32_t events = 0;
    cr_assert(notify_parse_events(names, &events), "%s", names);
    return events;
}

Test(notify, events_are_read) {
    cr_assert_eq(parse("created"), EVENT_CREATED);
    cr_assert_eq(parse("created,deleted,exited"), EVENT_CREATED | EVENT_DELETED | EVENT_EXITED);
    cr_assert_eq(parse("peer_lost,peer_lost"), EVENT_PEER_LOST);
    cr_assert_eq(parse("all"), NOTIFY_EVENTS_ALL);
}

Test(notify, every_event_has_a_name_that_is_read) {
    uint32_t named = 0;
    for (uint32_t event = 1; event < EVENT_OVERFLOW; event <<= 1) {
        cr_assert_eq(parse(notify_event_name(event)), event);
        named |= event;
    }
    cr_assert_eq(named, NOTIFY_EVENTS_ALL);
    cr_assert_str_eq(notify_event_name(EVENT_OVERFLOW), "overflow");
    cr_assert_str_eq(notify_event_name(0), "-");
    cr_assert_str_eq(notify_event_name(EVENT_CREATED | EVENT_DELETED), "-");
}

Test(notify, nonsense_refused) {
    static const char *const wrong[] = {
        "", ",", "created,", ",created", "create", "createdd", "created deleted", "overflow", "-", "all,nonsense"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint32_t events = 7;
        cr_assert(!notify_parse_events(wrong[i], &events), "%s", wrong[i]);
        cr_assert_eq(events, 7);
    }
}
