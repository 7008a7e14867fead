// notify-check: each promise of lib/notify.h, lib/publish.h and channel_finish is tried, with both sides in one process.
#include "base/str.h"
#include "isthmus/calls.h"
#include "lib/channel.h"
#include "lib/clock.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/notify.h"
#include "lib/option.h"
#include "lib/print.h"
#include "lib/publish.h"
#include "lib/thread.h"

enum { VERSION = 2, DEPTH = 4, LATER = 20 * MILLISECOND };

static const struct program program = {"", "Check the libraries of notifiers and of publishing.", nullptr};

static unsigned failures;

static void expect(const char *what, long got, long wanted) {
    if (got != wanted) {
        print("%s: %ld, not %ld\n", what, got, wanted);
        failures++;
    }
}

// ---- notifiers ----

static handle_t notifier;

static void signal_later(void *) {
    clock_sleep(LATER);
    (void)notify_signal(notifier, 6);
}

static void make_later(void *) {
    clock_sleep(LATER);
    (void)file_make_dir("/tmp/notify-check/late", 0755);
}

static void check_bits(void) {
    uint64_t bits = 0;
    expect("nothing to take", notify_take(notifier, 1, 0, &bits), ERR_TIMED_OUT);
    expect("signal", notify_signal(notifier, 5), 0);
    expect("signal of nothing", notify_signal(notifier, 0), ERR_INVALID);
    expect("take", notify_take(notifier, 1, 0, &bits), 0);
    expect("the bit asked for", (long)bits, 1);
    uint64_t begin = clock_now();
    expect("deadline", notify_take(notifier, 2, clock_deadline(LATER), &bits), ERR_TIMED_OUT);
    expect("deadline kept", clock_now() - begin >= LATER, 1);
    struct abi_event_record record;
    expect("bits end a read", notify_read(notifier, &record, 1, FOREVER), 0);
    expect("take the rest", notify_take(notifier, UINT64_MAX, 0, &bits), 0);
    expect("it is the rest", (long)bits, 4);
    expect("thread", thread_start(signal_later, nullptr, 0) > 0, 1);
    expect("take waits", notify_take(notifier, 2, FOREVER, &bits), 0);
    expect("and wakes", (long)bits, 2);
    expect("the other bit stays", notify_take(notifier, UINT64_MAX, 0, &bits), 0);
}

static void check_records(void) {
    struct abi_event_record records[4];
    expect("directory", file_make_dir("/tmp/notify-check", 0755), 0);
    struct abi_watch_spec spec = {.cookie = 77, .events = EVENT_CREATED | EVENT_DELETED};
    long node = notify_watch_path(notifier, "/tmp/notify-check", &spec);
    expect("watch", node > 0, 1);
    expect("watch of nothing", notify_watch_path(notifier, "/tmp/missing", &spec), ERR_NOT_FOUND);
    expect("nothing yet", notify_read(notifier, records, 4, 0), ERR_TIMED_OUT);
    expect("thread", thread_start(make_later, nullptr, 0) > 0, 1);
    expect("read waits", notify_read(notifier, records, 4, clock_deadline(5 * SECOND)), 1);
    expect("created", records[0].event, EVENT_CREATED);
    expect("cookie", (long)records[0].cookie, 77);
    expect("its name", str_equal(records[0].name, "late"), 1);
    expect("remove", file_remove("/tmp/notify-check/late"), 0);
    expect("deleted", notify_read(notifier, records, 4, 0), 1);
    expect("it was", records[0].event, EVENT_DELETED);
    uint64_t id = 0;
    expect("second watch", notify_watch(notifier, (handle_t)node, &spec, &id), 0);
    expect("unwatch", notify_unwatch(notifier, id), 0);
    expect("unwatch again", notify_unwatch(notifier, id), ERR_NOT_FOUND);
    file_close((handle_t)node);
    expect("clean up", file_remove("/tmp/notify-check"), 0);
}

// A record goes to a page that is not there yet, and to none that must not be written; by whichever path.
static void check_places(void) {
    static char text[2 * PAGE_SIZE];
    static const char constant[sizeof(struct abi_event_record)] = "a constant";
    struct abi_watch_spec spec = {.events = EVENT_CREATED};
    expect("directory", file_make_dir("/tmp/notify-check", 0755), 0);
    long node = notify_watch_path(notifier, "/tmp/notify-check", &spec);
    expect("watch", node > 0, 1);
    expect("created", file_make_dir("/tmp/notify-check/a", 0755), 0);
    uint64_t bits = 0;
    expect("nothing to take", notify_take(notifier, 1, 0, &bits), ERR_TIMED_OUT);
    expect("to a constant", sys_read(notifier, (void *)constant, sizeof constant, 0), ERR_FAULT);
    expect("nothing to take", notify_take(notifier, 1, 0, &bits), ERR_TIMED_OUT);
    expect("to nowhere", sys_read(notifier, (void *)8, sizeof constant, 0), ERR_FAULT);
    expect("nothing to take", notify_take(notifier, 1, 0, &bits), ERR_TIMED_OUT);
    // Across two pages that nobody has touched.
    struct abi_event_record *place =
        (struct abi_event_record *)(((uintptr_t)text + PAGE_SIZE) / PAGE_SIZE * PAGE_SIZE - 16);
    expect("to a new page", sys_read(notifier, place, sizeof *place, 0), sizeof *place);
    expect("created", place->event, EVENT_CREATED);
    expect("its name", str_equal(place->name, "a"), 1);
    file_close((handle_t)node);
    expect("clean up", file_remove("/tmp/notify-check/a"), 0);
    expect("clean up", file_remove("/tmp/notify-check"), 0);
}

// ---- half a conversation ----

static void check_finish(handle_t server) {
    static struct message message;
    long opened = sys_connect(server, RIGHTS_ALL);
    handle_t connection = opened < 0 ? 0 : (handle_t)opened;
    expect("last words", channel_send(connection, "bye", 3, 1, 0) > 0, 1);
    expect("finish", channel_finish(connection), 0);
    expect("finish again", channel_finish(connection), 0);
    expect("no more words", channel_send(connection, "but", 3, 2, 0) < 0, 1);
    expect("the words first", channel_recv(server, &message, 0), 0);
    expect("they are words", message.kind, MESSAGE_DATA);
    uint64_t from = message.connection;
    expect("then the end", channel_recv(server, &message, 0), 0);
    expect("it is the end", message.kind, MESSAGE_HANGUP);
    expect("answer", channel_reply(server, from, "ok", 2, 1, 0) >= 0, 1);
    expect("answer received", channel_recv(connection, &message, 0), 0);
    expect("it is the answer", (long)message.length, 2);
    file_close(connection);
}

// ---- publishing ----

static struct publish_subscriber subscribers[2];
static struct publisher publisher = {.version = VERSION, .capacity = 2, .subscribers = subscribers};

static struct subscription subscribe(uint16_t version) {
    long connection = sys_connect(publisher.channel, RIGHTS_ALL);
    struct subscription subscription = {.connection = connection < 0 ? 0 : (handle_t)connection, .version = version};
    expect("subscribe", subscribe_begin(&subscription, 0), 0);
    expect("attend", publish_attend(&publisher, 0), 0);
    return subscription;
}

static struct published got;

static void check_refusals(void) {
    struct subscription other = subscribe(VERSION + 1);
    expect("other version", subscribe_receive(&other, &got, 0), ERR_ACCESS);
    struct subscription first = subscribe(VERSION);
    struct subscription second = subscribe(VERSION);
    struct subscription third = subscribe(VERSION);
    expect("no room", subscribe_receive(&third, &got, 0), ERR_ACCESS);
    expect("two", publisher.count, 2);
    file_close(first.connection);
    file_close(other.connection);
    file_close(third.connection);
    expect("attend", publish_attend(&publisher, 0), 0);
    expect("one stays", publisher.count, 1);
    file_close(second.connection);
    expect("attend until later", publish_attend(&publisher, clock_deadline(LATER)), ERR_TIMED_OUT);
    expect("none stays", publisher.count, 0);
    expect("type of the library", publish_send(&publisher, PUBLISH_END, "", 0), ERR_INVALID);
    expect("body too large", publish_send(&publisher, 1, got.body, sizeof got.body + 1), ERR_TOO_BIG);
}

static void check_drop(void) {
    publisher.policy = PUBLISH_DROP;
    expect("nobody hears", publish_send(&publisher, 1, "a", 1), 0);
    struct subscription fast = subscribe(VERSION);
    struct subscription slow = subscribe(VERSION);
    uint64_t before = publisher.sequence;
    for (long i = 0; i < 10; i++) {
        bool room = i + 1 < DEPTH; // behind the answer to the subscription
        expect("reached", publish_send(&publisher, 9, &i, sizeof i), room ? 2 : 1);
        expect("fast receives", subscribe_receive(&fast, &got, 0), 0);
        expect("type", got.type, 9);
        expect("length", (long)got.length, sizeof i);
        expect("sequence", (long)(got.sequence - before), i + 1);
        expect("nothing lost", (long)got.lost, 0);
    }
    expect("dropped", (long)publisher.dropped, 10 - (DEPTH - 1));
    for (long i = 0; i < DEPTH - 1; i++) {
        expect("slow receives", subscribe_receive(&slow, &got, 0), 0);
    }
    expect("no more", subscribe_receive(&slow, &got, clock_deadline(LATER)), ERR_TIMED_OUT);
    expect("reached again", publish_send(&publisher, 9, "", 0), 2);
    expect("slow receives again", subscribe_receive(&slow, &got, 0), 0);
    expect("gap", (long)got.lost, 10 - (DEPTH - 1));
    expect("lost in all", (long)slow.lost, 10 - (DEPTH - 1));
    file_close(fast.connection);
    file_close(slow.connection);
    expect("attend", publish_attend(&publisher, 0), 0);
}

static void check_disconnect(void) {
    publisher.policy = PUBLISH_DISCONNECT;
    struct subscription slow = subscribe(VERSION);
    for (int i = 0; i < 2 * DEPTH; i++) {
        (void)publish_send(&publisher, 1, "x", 1);
    }
    expect("one was too slow", (long)publisher.disconnected, 1);
    for (int i = 0; i < DEPTH - 1; i++) {
        expect("what was queued", subscribe_receive(&slow, &got, 0), 0);
    }
    expect("attend", publish_attend(&publisher, 0), 0);
    expect("the end", subscribe_receive(&slow, &got, 0), ERR_PEER_CLOSED);
    expect("forgotten", publisher.count, 0);
}

int main(int argc, char **argv) {
    struct option_state state = option_begin(&program, argc, argv);
    (void)option_next(&state);
    const struct abi_channel_config config = {.depth = DEPTH};
    long channel = sys_channel_create(0, "", 0, &config);
    long made = channel < 0 ? channel : notify_create(0);
    if (made < 0) {
        return error_report(nullptr, made);
    }
    publisher.channel = (handle_t)channel;
    notifier = (handle_t)made;
    check_bits();
    check_records();
    check_places();
    check_finish(publisher.channel);
    check_refusals();
    check_drop();
    check_disconnect();
    print("%u failures\n", failures);
    return failures > 0;
}
