// echo-client: send texts to an echo server and print what comes back.
#include "base/str.h"
#include "lib/channel.h"
#include "lib/clock.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/option.h"
#include "lib/print.h"

static const struct option options[] = {
    {'p', "path", "PATH", "the server's channel, /ipc/echo if not given"},
    {'t', "timeout", "TIME", "wait no longer for server or answer, 5s if not given"},
    {}};
static const struct program program = {
    "[-p PATH] [-t TIME] TEXT…",
    "Send each TEXT to the echo server, waiting for it to appear if need be, and print the answers.", options};

int main(int argc, char **argv) {
    const char *path = "/ipc/echo";
    uint64_t timeout = 5 * SECOND;
    struct option_state state = option_begin(&program, argc, argv);
    for (int option; (option = option_next(&state)) != 0;) {
        if (option == 'p') {
            path = state.value;
        } else if (!clock_parse(state.value, &timeout)) {
            option_refuse("'%s' is not a duration", state.value);
        }
    }
    option_operands(&state, 1, argc);
    long connection = channel_connect(path, clock_deadline(timeout));
    if (connection < 0) {
        return error_report(path, connection);
    }
    static struct message answer;
    for (int i = 0; i < state.argc; i++) {
        long status = channel_call((handle_t)connection, state.argv[i], strlen(state.argv[i]), (uint64_t)i + 1, &answer,
                                   clock_deadline(timeout));
        if (status < 0) {
            return error_report(path, status);
        }
        print_bytes(answer.payload, answer.length);
        print_char('\n');
    }
    file_close((handle_t)connection);
    return 0;
}
