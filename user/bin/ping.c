// ping: measure round trips over a channel whose server answers with the same message id.
#include "base/memory.h"
#include "lib/call.h"
#include "lib/channel.h"
#include "lib/clock.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/mapped.h"
#include "lib/option.h"
#include "lib/print.h"

static const struct option options[] = {
    {'c', "call", nullptr, "by calls: the server must answer them"},
    {'m', "mapped", nullptr, "over rings in shared memory: the server must be mapped"},
    {'n', "count", "N", "make N round trips, 10 if not given"},
    {'s', "size", "N", "send N bytes each, 8 if not given"},
    {'t', "timeout", "TIME", "wait no longer for an answer, 5s if not given"},
    {}};
static const struct program program = {"[-c | -m] [-n N] [-s SIZE] [-t TIME] [PATH]",
                                       "Measure round trips to an echo server, /ipc/echo if not given.", options};

struct figures {
    uint64_t least;
    uint64_t most;
    uint64_t total;
};

// Of `connection` and `mapped`, one is used.
struct conversation {
    bool is_mapped, calls;
    handle_t connection;
    struct mapped mapped;
};

static long begin_conversation(struct conversation *with, const char *path, uint64_t deadline) {
    if (with->is_mapped) {
        return mapped_connect(&with->mapped, path, deadline);
    }
    long connection = channel_connect(path, deadline);
    with->connection = (handle_t)connection;
    return connection;
}

static void end_conversation(struct conversation *with) {
    if (with->is_mapped) {
        mapped_close(&with->mapped);
    } else {
        file_close(with->connection);
    }
}

static long mapped_call(struct mapped *mapped, const char *payload, size_t size, uint64_t id, struct message *answer,
                        uint64_t deadline) {
    long status = mapped_send(mapped, payload, size, id, deadline);
    do {
        if (status >= 0) {
            status = mapped_recv(mapped, answer->payload, sizeof answer->payload, &answer->id, deadline);
        }
    } while (status >= 0 && answer->id != id);
    answer->length = status < 0 ? 0 : (size_t)status;
    return status;
}

static long by_call(handle_t connection, const char *payload, size_t size, struct message *answer, uint64_t deadline) {
    struct call_message message = {.length = size};
    memcpy(message.payload, payload, size);
    long status = call_message(connection, &message, deadline);
    answer->length = message.length;
    memcpy(answer->payload, message.payload, message.length);
    return status;
}

// One round trip; its nanoseconds, or an error.
static long round_trip(struct conversation *with, const char *payload, size_t size, uint64_t id, uint64_t timeout) {
    static struct message answer;
    uint64_t begin = clock_now();
    uint64_t deadline = timeout == FOREVER ? FOREVER : begin + timeout;
    long status = with->is_mapped ? mapped_call(&with->mapped, payload, size, id, &answer, deadline)
                  : with->calls   ? by_call(with->connection, payload, size, &answer, deadline)
                                  : channel_call(with->connection, payload, size, id, &answer, deadline);
    if (status >= 0 && (answer.length != size || memcmp(answer.payload, payload, size) != 0)) {
        status = ERR_INVALID;
    }
    return status < 0 ? status : (long)(clock_now() - begin);
}

int main(int argc, char **argv) {
    uint64_t count = 10;
    uint64_t size = 8;
    uint64_t timeout = 5 * SECOND;
    struct conversation with = {};
    struct option_state state = option_begin(&program, argc, argv);
    for (int option; (option = option_next(&state)) != 0;) {
        if (option == 'n') {
            count = option_number(&state, 1, UINT32_MAX);
        } else if (option == 's') {
            size = option_number(&state, 0, MESSAGE_MAX);
        } else if (option == 'm') {
            with.is_mapped = true;
        } else if (option == 'c') {
            with.calls = true;
        } else if (!clock_parse(state.value, &timeout)) {
            option_refuse("'%s' is not a duration", state.value);
        }
    }
    option_operands(&state, 0, 1);
    if (with.is_mapped && with.calls) {
        option_refuse("-c and -m exclude each other");
    }
    const char *path = state.argc == 1 ? state.argv[0] : "/ipc/echo";
    long status = begin_conversation(&with, path, clock_deadline(timeout));
    if (status < 0) {
        return error_report(path, status);
    }
    char payload[MESSAGE_MAX];
    memset(payload, 'p', sizeof payload);
    struct figures figures = {.least = UINT64_MAX};
    for (uint64_t i = 1; i <= count; i++) {
        long time = round_trip(&with, payload, size, i, timeout);
        if (time < 0) {
            return error_report(path, time);
        }
        figures.least = (uint64_t)time < figures.least ? (uint64_t)time : figures.least;
        figures.most = (uint64_t)time > figures.most ? (uint64_t)time : figures.most;
        figures.total += (uint64_t)time;
    }
    end_conversation(&with);
    // NOLINTNEXTLINE(clang-analyzer-core.DivideZero): the option allows no 0
    uint64_t average = figures.total / count;
    print("%lu round trips of %lu bytes: min %lu avg %lu max %lu ns\n", (unsigned long)count, (unsigned long)size,
          (unsigned long)figures.least, (unsigned long)average, (unsigned long)figures.most);
    return 0;
}
