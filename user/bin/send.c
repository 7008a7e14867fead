// send: send messages to a channel, and show the answers if asked.
#include "base/str.h"
#include "lib/channel.h"
#include "lib/clock.h"
#include "lib/error.h"
#include "lib/option.h"
#include "lib/print.h"
#include "lib/reader.h"
#include "lib/self.h"

static const struct option options[] = {
    {'i', "id", "N", "id of the first message, 1 if not given; then counting up"},
    {'r', "reply", nullptr, "wait for the answer with the id of each message and show it"},
    {'t', "timeout", "TIME", "wait no longer for queue or answer, 5s if not given"},
    {}};
static const struct program program = {
    "[-i ID] [-r] [-t TIME] PATH [TEXT…]",
    "Send each TEXT as one message to the channel; without TEXT, each line of standard input.", options};

static const char *path;
static handle_t connection;
static uint64_t id = 1;
static uint64_t timeout = 5 * SECOND;
static bool reply;

static int send_one(const char *text, size_t length) {
    uint64_t deadline = clock_deadline(timeout);
    static struct message answer;
    long status = reply ? channel_call(connection, text, length, id, &answer, deadline)
                        : channel_send(connection, text, length, id, deadline);
    if (status >= 0 && reply) {
        print_bytes(answer.payload, answer.length);
        print_char('\n');
        print_flush();
    }
    id++;
    return status < 0 ? error_report(path, status) : 0;
}

static int send_lines(void) {
    static struct reader reader;
    static struct text line;
    reader_init(&reader, self_input());
    long status;
    while ((status = reader_line(&reader, &line)) > 0) {
        if (send_one(text_string(&line), line.length) != 0) {
            return 1;
        }
    }
    return status < 0 ? error_report("standard input", status) : 0;
}

int main(int argc, char **argv) {
    struct option_state state = option_begin(&program, argc, argv);
    for (int option; (option = option_next(&state)) != 0;) {
        if (option == 'i') {
            id = option_number(&state, 0, UINT64_MAX);
        } else if (option == 'r') {
            reply = true;
        } else if (!clock_parse(state.value, &timeout)) {
            option_refuse("'%s' is not a duration", state.value);
        }
    }
    option_operands(&state, 1, argc);
    path = state.argv[0];
    long opened = channel_connect(path, 0);
    if (opened < 0) {
        return error_report(path, opened);
    }
    connection = (handle_t)opened;
    if (state.argc == 1) {
        return send_lines();
    }
    int status = 0;
    for (int i = 1; i < state.argc && status == 0; i++) {
        status = send_one(state.argv[i], strlen(state.argv[i]));
    }
    return status;
}
