// ping: measure round trips over a channel whose server answers with the same message id.
#include "base/memory.h"
#include "lib/channel.h"
#include "lib/clock.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/option.h"
#include "lib/print.h"

static const struct option options[] = {{'n', "count", "N", "make N round trips, 10 if not given"},
                                        {'s', "size", "N", "send N bytes each, 8 if not given"},
                                        {'t', "timeout", "TIME", "wait no longer for an answer, 5s if not given"},
                                        {}};
static const struct program program = {"[-n N] [-s SIZE] [-t TIME] [PATH]",
                                       "Measure round trips to an echo server, /ipc/echo if not given.", options};

struct figures {
    uint64_t least;
    uint64_t most;
    uint64_t total;
};

// One round trip; its nanoseconds, or an error.
static long round_trip(handle_t connection, const char *payload, size_t size, uint64_t id, uint64_t timeout) {
    static struct message answer;
    uint64_t begin = clock_now();
    uint64_t deadline = timeout == FOREVER ? FOREVER : begin + timeout;
    long status = channel_call(connection, payload, size, id, &answer, deadline);
    if (status >= 0 && (answer.length != size || memcmp(answer.payload, payload, size) != 0)) {
        status = ERR_INVALID;
    }
    return status < 0 ? status : (long)(clock_now() - begin);
}

int main(int argc, char **argv) {
    uint64_t count = 10;
    uint64_t size = 8;
    uint64_t timeout = 5 * SECOND;
    struct option_state state = option_begin(&program, argc, argv);
    for (int option; (option = option_next(&state)) != 0;) {
        if (option == 'n') {
            count = option_number(&state, 1, UINT32_MAX);
        } else if (option == 's') {
            size = option_number(&state, 0, MESSAGE_MAX);
        } else if (!clock_parse(state.value, &timeout)) {
            option_refuse("'%s' is not a duration", state.value);
        }
    }
    option_operands(&state, 0, 1);
    const char *path = state.argc == 1 ? state.argv[0] : "/ipc/echo";
    long connection = channel_connect(path, clock_deadline(timeout));
    if (connection < 0) {
        return error_report(path, connection);
    }
    char payload[MESSAGE_MAX];
    memset(payload, 'p', sizeof payload);
    struct figures figures = {.least = UINT64_MAX};
    for (uint64_t i = 1; i <= count; i++) {
        long time = round_trip((handle_t)connection, payload, size, i, timeout);
        if (time < 0) {
            return error_report(path, time);
        }
        figures.least = (uint64_t)time < figures.least ? (uint64_t)time : figures.least;
        figures.most = (uint64_t)time > figures.most ? (uint64_t)time : figures.most;
        figures.total += (uint64_t)time;
    }
    file_close((handle_t)connection);
    // NOLINTNEXTLINE(clang-analyzer-core.DivideZero): the option allows no 0
    uint64_t average = figures.total / count;
    print("%lu round trips of %lu bytes: min %lu avg %lu max %lu ns\n", (unsigned long)count, (unsigned long)size,
          (unsigned long)figures.least, (unsigned long)average, (unsigned long)figures.most);
    return 0;
}
