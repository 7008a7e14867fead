// kill: end processes by pid.
#include "base/str.h"
#include "lib/error.h"
#include "lib/option.h"
#include "lib/process.h"

static const struct option options[] = {{'s', "status", "N", "the exit status it gets, 9 if not given"},
                                        {'t', "tree", nullptr, "and everything that it started"},
                                        {}};
static const struct program program = {"[-s N | -N] [-t] PID…", "End processes.", options};

// -9 and the like, as people are used to: the status. True if that is what the first argument is.
static bool short_status(int argc, char **argv, int *status) {
    uint64_t value;
    if (argc < 2 || argv[1][0] != '-' || !str_to_u64(argv[1] + 1, &value) || value > 127) {
        return false;
    }
    *status = (int)value;
    return true;
}

int main(int argc, char **argv) {
    int status = 9;
    bool tree = false;
    bool skipped = short_status(argc, argv, &status);
    struct option_state state = option_begin(&program, argc - skipped, argv + skipped);
    for (int option; (option = option_next(&state)) != 0;) {
        if (option == 's') {
            status = (int)option_number(&state, 0, 127);
        } else {
            tree = true;
        }
    }
    option_operands(&state, 1, argc);
    int result = 0;
    for (int i = 0; i < state.argc; i++) {
        uint32_t pid = (uint32_t)option_operand_number(state.argv[i], 1, UINT32_MAX);
        if (tree) {
            process_kill_tree(pid, status);
            continue;
        }
        long killed = process_kill(pid, status);
        if (killed == ERR_NOT_FOUND || killed == ERR_DEAD) {
            result = error_say("%s: no such process", state.argv[i]);
        } else if (killed < 0) {
            result = error_report(state.argv[i], killed);
        }
    }
    return result;
}
