// echo-server: answer every message with itself. The server's side of the smallest conversation there is.
#include "isthmus/calls.h"
#include "lib/channel.h"
#include "lib/error.h"
#include "lib/mapped.h"
#include "lib/option.h"

enum { REPLY_TRIES = 256 };

static const struct option options[] = {{'m', "mapped", nullptr, "over rings in shared memory"},
                                        {'n', "count", "N", "stop after N messages; without it, never"},
                                        {}};
static const struct program program = {
    "[-m] [-n N] [PATH]", "Serve a channel, /ipc/echo if not given: answer every message with itself.", options};

static int serve_queue(const char *path, handle_t channel, uint64_t count) {
    static struct message message;
    uint64_t blamed = UINT64_MAX; // the connection last complained of
    while (count > 0) {
        long status = channel_recv(channel, &message, FOREVER);
        if (status < 0) {
            return error_report(path, status);
        }
        if (message.kind != MESSAGE_DATA) {
            continue;
        }
        count--;
        status = channel_reply(channel, message.connection, message.payload, message.length, message.id, REPLY_TRIES);
        if (status == ERR_FULL && message.connection != blamed) {
            blamed = message.connection; // once is enough
            (void)error_say("%s: process %u does not read its answers; they are lost", path, message.sender);
        }
        // Any other failure means that the client has gone, and nobody misses the answer.
    }
    return 0;
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
