// ipc: who talks with whom, who waits for whom, and how well it goes: the files below /kern/ipc as tables.
#include "base/str.h"
#include "bin/ipc/ipc.h"
#include "lib/clock.h"
#include "lib/error.h"
#include "lib/option.h"

enum { OPERANDS_MAX = 2 };

static const struct option options[] = {
    {'o', "output", "FORMAT", "table, for people, or tsv: tabs between all fields of the kernel's file, as they are"},
    {'s', "stuck", nullptr, "waits: only those that nothing can end"},
    {'n', "count", "N", "top: stop after N tables"},
    {'t', "interval", "TIME", "top: time between two tables, 2s if not given"},
    {}};
static const struct program program = {
    "COMMAND [PATH] [OPTION…]",
    "Show conversations. COMMAND is one of\n"
    "  list            the channels, with a name or without, and what moved through them\n"
    "  stat PATH       everything about one channel\n"
    "  waits           who waits for what, and who could wake it; STUCK: nobody can any more\n"
    "  holders [PATH]  who holds which end of what, of all channels or of one\n"
    "  notifiers       notifiers, and what they lost\n"
    "  errors          how often each call was refused, and why\n"
    "  latency [PATH]  how long messages took, of all channels or of one\n"
    "  top             which channels are busy, again and again; q and Enter, or Ctrl-C, ends it",
    options};

static const struct command {
    const char *name;
    ipc_command run;
    int paths_min;
    int paths_max;
} commands[] = {
    {"list", ipc_list, 0, 0},           {"stat", ipc_stat, 1, 1},
    {"waits", ipc_waits, 0, 0},         {"holders", ipc_holders, 0, 1},
    {"notifiers", ipc_notifiers, 0, 0}, {"errors", ipc_errors, 0, 0},
    {"latency", ipc_latency, 0, 1},     {"top", ipc_top, 0, 0},
};

static void take_option(const struct option_state *state, int option, struct request *request) {
    if (option == 'o') {
        request->tabs = str_equal(state->value, "tsv");
        if (!request->tabs && !str_equal(state->value, "table")) {
            option_refuse("'%s' is no format: table or tsv", state->value);
        }
    } else if (option == 's') {
        request->stuck_only = true;
    } else if (option == 'n') {
        request->count = option_number(state, 1, UINT32_MAX);
    } else if (!clock_parse(state->value, &request->interval)) {
        option_refuse("'%s' is not a duration", state->value);
    }
}

// Options may stand before, between and behind the operands. The number of operands.
static int take_operands(struct option_state *state, struct request *request, const char **operands) {
    int count = 0;
    for (;;) {
        for (int option; (option = option_next(state)) != 0;) {
            take_option(state, option, request);
        }
        if (state->argc == 0) {
            return count;
        }
        if (count == OPERANDS_MAX) {
            option_refuse("'%s' is one argument too many", state->argv[0]);
        }
        operands[count++] = state->argv[0];
        state->argc--;
        state->argv++;
    }
}

static const struct command *find(const char *name) {
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (str_equal(commands[i].name, name)) {
            return &commands[i];
        }
    }
    option_refuse("'%s' is no command of ipc", name);
}

int main(int argc, char **argv) {
    struct request request = {.count = UINT64_MAX, .interval = 2 * SECOND};
    struct option_state state = option_begin(&program, argc, argv);
    const char *operands[OPERANDS_MAX];
    int count = take_operands(&state, &request, operands);
    if (count == 0) {
        option_refuse("a command is missing");
    }
    const struct command *command = find(operands[0]);
    if (count - 1 < command->paths_min) {
        option_refuse("%s needs a PATH", command->name);
    }
    if (count - 1 > command->paths_max) {
        option_refuse("'%s' is one argument too many", operands[count - 1]);
    }
    request.path = count > 1 ? operands[1] : nullptr;
    const char *subject = nullptr;
    long status = command->run(&request, &subject);
    return status < 0 ? error_report(subject, status) : (int)status;
}
