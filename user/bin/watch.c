// watch: show a file again and again.
#include "lib/clock.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/option.h"
#include "lib/print.h"
#include "lib/self.h"

static const struct option options[] = {{'n', "count", "N", "stop after N times; without it, never"},
                                        {'t', "interval", "TIME", "time between two looks, 1s if not given"},
                                        {}};
static const struct program program = {"[-n N] [-t TIME] PATH…",
                                       "Show files again and again, as for statistics. Ctrl-C ends it.", options};

static int show(const char *path) {
    long handle = file_open(path, OPEN_READ, 0);
    if (handle < 0) {
        return error_report(path, handle);
    }
    long status = file_copy((handle_t)handle, self_output());
    file_close((handle_t)handle);
    return status < 0 ? error_report(path, status) : 0;
}

int main(int argc, char **argv) {
    uint64_t count = 0;
    uint64_t interval = SECOND;
    struct option_state state = option_begin(&program, argc, argv);
    for (int option; (option = option_next(&state)) != 0;) {
        if (option == 'n') {
            count = option_number(&state, 1, UINT64_MAX);
        } else if (!clock_parse(state.value, &interval)) {
            option_refuse("'%s' is not a duration", state.value);
        }
    }
    option_operands(&state, 1, argc);
    for (uint64_t round = 1;; round++) {
        uint64_t now = clock_now();
        print("-- %lu.%03lu s\n", (unsigned long)(now / SECOND), (unsigned long)(now % SECOND / MILLISECOND));
        print_flush();
        for (int i = 0; i < state.argc; i++) {
            if (show(state.argv[i]) != 0) {
                return 1;
            }
        }
        if (round == count) {
            return 0;
        }
        clock_sleep(interval);
    }
}
