// echo-server: answer every message with itself. The server's side of the smallest conversation there is.
#include "lib/channel.h"
#include "lib/error.h"
#include "lib/option.h"

enum { REPLY_TRIES = 256 };

static const struct option options[] = {{'n', "count", "N", "stop after N messages; without it, never"}, {}};
static const struct program program = {
    "[-n N] [PATH]", "Serve a channel, /ipc/echo if not given: answer every message with itself.", options};

int main(int argc, char **argv) {
    uint64_t count = UINT64_MAX;
    struct option_state state = option_begin(&program, argc, argv);
    while (option_next(&state) != 0) {
        count = option_number(&state, 1, UINT64_MAX);
    }
    option_operands(&state, 0, 1);
    const char *path = state.argc == 1 ? state.argv[0] : "/ipc/echo";
    struct abi_channel_config config = {.flags = CHANNEL_TEMPORARY};
    long channel = channel_serve(path, &config);
    if (channel < 0) {
        return error_report(path, channel);
    }
    static struct message message;
    uint64_t blamed = UINT64_MAX; // the connection last complained of
    while (count > 0) {
        long status = channel_recv((handle_t)channel, &message, FOREVER);
        if (status < 0) {
            return error_report(path, status);
        }
        if (message.kind != MESSAGE_DATA) {
            continue;
        }
        count--;
        status = channel_reply((handle_t)channel, message.connection, message.payload, message.length, message.id,
                               REPLY_TRIES);
        if (status == ERR_FULL && message.connection != blamed) {
            blamed = message.connection; // once is enough
            (void)error_say("%s: process %u does not read its answers; they are lost", path, message.sender);
        }
        // Any other failure means that the client has gone, and nobody misses the answer.
    }
    return 0;
}
