// echo-server: answer every message, and every call, with itself. The server's side of the smallest conversation there is.
#include "isthmus/calls.h"
#include "lib/call.h"
#include "lib/channel.h"
#include "lib/error.h"
#include "lib/mapped.h"
#include "lib/option.h"

enum { REPLY_TRIES = 256 };

static const struct option options[] = {{'m', "mapped", nullptr, "over rings in shared memory"},
                                        {'n', "count", "N", "stop after N messages or calls; without it, never"},
                                        {}};
static const struct program program = {
    "[-m] [-n N] [PATH]", "Serve a channel, /ipc/echo if not given: answer every message and call with itself.",
    options};

struct echo {
    const char *path;
    handle_t channel;
    uint64_t count;  // messages and calls still to be answered
    uint64_t blamed; // the connection last complained of
};

// A call is answered with what it brought.
static bool answer_call(void *context, struct call_request *) {
    return --((struct echo *)context)->count > 0;
}

static void answer(struct echo *echo, const struct message *message) {
    long status =
        channel_reply(echo->channel, message->connection, message->payload, message->length, message->id, REPLY_TRIES);
    if (status == ERR_FULL && message->connection != echo->blamed) {
        echo->blamed = message->connection; // once is enough
        (void)error_say("%s: process %u does not read its answers; they are lost", echo->path, message->sender);
    }
    // Any other failure means that the client has gone, and nobody misses the answer.
}

static long answer_messages(void *context) {
    static struct message message;
    struct echo *echo = context;
    long status = 0;
    while (status == 0 && echo->count > 0) {
        status = channel_recv(echo->channel, &message, 0);
        if (status == 0 && message.kind == MESSAGE_DATA) {
            answer(echo, &message);
            echo->count--;
        }
    }
    return status == ERR_TIMED_OUT ? 1 : status;
}

static int serve_queue(const char *path, handle_t channel, uint64_t count) {
    struct echo echo = {.path = path, .channel = channel, .count = count, .blamed = UINT64_MAX};
    const struct call_server server = {
        .channel = channel, .answer = answer_call, .messages = answer_messages, .context = &echo};
    long status = call_serve(&server, FOREVER);
    return status < 0 ? error_report(path, status) : 0;
}

static int serve_mapped(const char *path, handle_t channel, uint64_t count) {
    struct mapped_server server = {.channel = channel};
    char payload[MESSAGE_MAX];
    while (count > 0) {
        struct mapped_client *from;
        uint64_t id = 0;
        long length = mapped_serve(&server, &from, payload, sizeof payload, &id, FOREVER);
        if (length < 0 && from == nullptr) {
            return error_report(path, length);
        }
        if (length < 0) {
            continue; // this client has gone
        }
        count--;
        long status = ERR_FULL;
        for (unsigned i = 0; i <= REPLY_TRIES && status == ERR_FULL; i++) {
            if (i > 0) {
                (void)sys_yield();
            }
            status = mapped_try_send(&from->mapped, payload, (size_t)length, id);
        }
        if (status == ERR_FULL && from->context == nullptr) {
            from->context = from;
            (void)error_say("%s: process %u does not read its answers; they are lost", path, from->pid);
        }
    }
    return 0;
}

int main(int argc, char **argv) {
    uint64_t count = UINT64_MAX;
    bool mapped = false;
    struct option_state state = option_begin(&program, argc, argv);
    for (int option; (option = option_next(&state)) != 0;) {
        if (option == 'm') {
            mapped = true;
        } else {
            count = option_number(&state, 1, UINT64_MAX);
        }
    }
    option_operands(&state, 0, 1);
    const char *path = state.argc == 1 ? state.argv[0] : "/ipc/echo";
    struct abi_channel_config config = {.flags = CHANNEL_TEMPORARY | (mapped ? CHANNEL_MAPPED : 0)};
    long channel = channel_serve(path, &config);
    if (channel < 0) {
        return error_report(path, channel);
    }
    return (mapped ? serve_mapped : serve_queue)(path, (handle_t)channel, count);
}
