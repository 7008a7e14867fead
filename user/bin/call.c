// call: one request and its answer.
#include "base/str.h"
#include "lib/channel.h"
#include "lib/clock.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/option.h"
#include "lib/print.h"
#include "lib/retry.h"

static const struct option options[] = {
    {'i', "id", "N", "id of the message, 1 if not given"},
    {'t', "timeout", "TIME", "wait no longer for each answer, 5s if not given"},
    {'r', "retries", "N", "send again up to N times when no answer comes; none if not given"},
    {'b', "backoff", "TIME", "pause before the first retry, 100ms if not given; then twice as long each"},
    {'v', "verbose", nullptr, "sender, id, sequence and length before the answer"},
    {}};
static const struct program program = {
    "[-i ID] [-t TIME] [-r N] [-b TIME] [-v] PATH TEXT",
    "Send TEXT to the channel as one message with an id, and print the answer, which bears the same id.", options};

struct settings {
    const char *path;
    const char *text;
    uint64_t id;
    bool verbose;
    struct retry_policy policy;
};

// One connection for every attempt, so that an answer to an earlier one still counts. A lost server is looked for anew.
static long call(const struct settings *settings, struct message *answer) {
    struct retry retry = retry_begin(&settings->policy);
    handle_t connection = 0;
    long status = 0;
    do {
        uint64_t deadline = retry_deadline(&retry);
        if (connection == 0) {
            status = channel_connect(settings->path, deadline);
            connection = status < 0 ? 0 : (handle_t)status;
        }
        if (connection != 0) {
            status = channel_call(connection, settings->text, strlen(settings->text), settings->id, answer, deadline);
        }
        if (status == ERR_PEER_CLOSED) {
            file_close(connection);
            connection = 0;
        }
        // A channel that has not appeared in time may appear later.
    } while (retry_again(&retry, status == ERR_NOT_FOUND ? ERR_TIMED_OUT : status));
    return status;
}

static void take_option(const struct option_state *state, int option, struct settings *settings) {
    if (option == 'i') {
        settings->id = option_number(state, 0, UINT64_MAX);
    } else if (option == 'r') {
        settings->policy.attempts = 1 + (unsigned)option_number(state, 0, 1000000);
    } else if (option == 'v') {
        settings->verbose = true;
    } else if (!clock_parse(state->value, option == 'b' ? &settings->policy.first_delay : &settings->policy.timeout)) {
        option_refuse("'%s' is not a duration", state->value);
    }
}

int main(int argc, char **argv) {
    struct settings settings = {.id = 1,
                                .policy = {.attempts = 1,
                                           .timeout = 5 * SECOND,
                                           .first_delay = 100 * MILLISECOND,
                                           .factor = 2,
                                           .delay_limit = 10 * SECOND}};
    struct option_state state = option_begin(&program, argc, argv);
    for (int option; (option = option_next(&state)) != 0;) {
        take_option(&state, option, &settings);
    }
    option_operands(&state, 2, 2);
    settings.path = state.argv[0];
    settings.text = state.argv[1];
    static struct message answer;
    long status = call(&settings, &answer);
    if (status < 0) {
        return error_report(settings.path, status);
    }
    if (settings.verbose) {
        print("sender %u id %lu sequence %lu length %lu: ", answer.sender, (unsigned long)answer.id,
              (unsigned long)answer.sequence, (unsigned long)answer.length);
    }
    print_bytes(answer.payload, answer.length);
    print_char('\n');
    return 0;
}
