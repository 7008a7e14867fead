// request-check: a server and a client of the request library in one process; each promise of lib/request.h is tried.
#include "base/memory.h"
#include "isthmus/calls.h"
#include "lib/channel.h"
#include "lib/clock.h"
#include "lib/error.h"
#include "lib/option.h"
#include "lib/print.h"
#include "lib/request.h"
#include "lib/thread.h"

enum { VERSION = 3, ADD = 1, ECHO = 2, SLOW = 3, BOAST = 4, SHY = 5, TYPES = 6 };

static const struct program program = {"", "Check the request library.", nullptr};

static long add(void *context, uint32_t, const void *body, size_t length, void *reply, size_t *reply_length) {
    uint32_t numbers[2];
    if (length != sizeof numbers) {
        return ERR_INVALID;
    }
    memcpy(numbers, body, sizeof numbers);
    uint32_t sum = numbers[0] + numbers[1];
    memcpy(reply, &sum, sizeof sum);
    *reply_length = sizeof sum;
    return ++*(int *)context;
}

static long echo(void *, uint32_t, const void *body, size_t length, void *reply, size_t *reply_length) {
    memcpy(reply, body, length);
    *reply_length = length;
    return 0;
}

static long slow(void *, uint32_t, const void *, size_t, void *, size_t *) {
    clock_sleep(200 * MILLISECOND);
    return 0;
}

static long boast(void *, uint32_t, const void *, size_t, void *, size_t *reply_length) {
    *reply_length = REQUEST_BODY_MAX + 1;
    return 0;
}

// Answers late until it has been asked often enough.
static long shy(void *, uint32_t, const void *, size_t, void *, size_t *) {
    static int asked;
    if (++asked < 3) {
        clock_sleep(60 * MILLISECOND);
    }
    return asked;
}

static const request_handler handlers[TYPES] = {
    [ADD] = add, [ECHO] = echo, [SLOW] = slow, [BOAST] = boast, [SHY] = shy};
static int calls;
static struct request_server server = {
    .version = VERSION, .type_count = TYPES, .handlers = handlers, .context = &calls};

static void serve(void *) {
    while (request_serve(&server, FOREVER) == 0) {
    }
}

static unsigned failures;

static void expect(const char *what, long got, long wanted) {
    if (got != wanted) {
        print("%s: %ld, not %ld\n", what, got, wanted);
        failures++;
    }
}

int main(int argc, char **argv) {
    struct option_state state = option_begin(&program, argc, argv);
    (void)option_next(&state);
    long channel = sys_channel_create(0, "", 0, nullptr);
    long connection = channel < 0 ? channel : sys_connect((handle_t)channel, RIGHT_READ | RIGHT_WRITE | RIGHT_WATCH);
    server.channel = (handle_t)channel;
    if (connection < 0 || thread_start(serve, nullptr, 0) < 0) {
        return error_report(nullptr, connection);
    }
    struct request_client client = {.connection = (handle_t)connection, .version = VERSION};
    char body[REQUEST_BODY_MAX + 1] = "text";
    char reply[REQUEST_BODY_MAX];
    size_t length = 0;
    uint32_t sum = 0;
    uint32_t numbers[2] = {40, 2};
    expect("add", request_make(&client, ADD, numbers, sizeof numbers, &sum, sizeof sum, &length, SECOND), 1);
    expect("sum", sum, 42);
    expect("sum's length", (long)length, sizeof sum);
    expect("bad body", request_make(&client, ADD, numbers, 3, &sum, sizeof sum, nullptr, SECOND), ERR_INVALID);
    expect("largest body", request_make(&client, ECHO, body, REQUEST_BODY_MAX, reply, sizeof reply, &length, SECOND),
           0);
    expect("its length", (long)length, REQUEST_BODY_MAX);
    expect("body too large", request_make(&client, ECHO, body, sizeof body, nullptr, 0, nullptr, SECOND), ERR_TOO_BIG);
    expect("reply too large for the client", request_make(&client, ECHO, body, 9, reply, 8, nullptr, SECOND),
           ERR_TOO_BIG);
    expect("reply too large for the server", request_make(&client, BOAST, nullptr, 0, nullptr, 0, nullptr, SECOND),
           ERR_TOO_BIG);
    expect("no such type", request_make(&client, 0, nullptr, 0, nullptr, 0, nullptr, SECOND), ERR_NO_CALL);
    expect("type out of range", request_make(&client, 99, nullptr, 0, nullptr, 0, nullptr, SECOND), ERR_NO_CALL);
    expect("time-out", request_make(&client, SLOW, nullptr, 0, nullptr, 0, nullptr, 20 * MILLISECOND), ERR_TIMED_OUT);
    expect("behind a late answer", request_make(&client, ECHO, "x", 1, reply, sizeof reply, nullptr, 5 * SECOND), 0);
    const struct retry_policy patient = {
        .attempts = 5, .timeout = 20 * MILLISECOND, .first_delay = MILLISECOND, .factor = 2};
    expect("retries end with an answer", request_retry(&client, SHY, nullptr, 0, nullptr, 0, nullptr, &patient) > 0, 1);
    expect("late answers are dropped", request_make(&client, ECHO, "x", 1, reply, sizeof reply, nullptr, 5 * SECOND),
           0);
    expect("and counted", client.stale >= 2, 1);
    client.version = VERSION + 1;
    expect("other version", request_make(&client, ECHO, "x", 1, reply, sizeof reply, nullptr, SECOND), ERR_INVALID);
    client.version = VERSION;
    expect("nonsense is sent", channel_send((handle_t)connection, "short", 5, 0, 0) > 0, 1);
    expect("nonsense is survived", request_make(&client, ECHO, "x", 1, reply, sizeof reply, nullptr, SECOND), 0);
    print("%u failures\n", failures);
    return failures > 0;
}
