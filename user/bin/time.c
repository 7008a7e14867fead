// time: run a command and tell how long it took.
#include "base/str.h"
#include "isthmus/calls.h"
#include "lib/clock.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/option.h"
#include "lib/print.h"
#include "lib/process.h"
#include "lib/search.h"
#include "lib/self.h"
#include "lib/spawn.h"

static const struct program program = {"COMMAND [ARGUMENT…]",
                                       "Run a command and tell on standard error how long it took and how much "
                                       "processor time it used.",
                                       nullptr};

static void show(const char *label, uint64_t time) {
    print_error("%s %lu.%06lu s\n", label, (unsigned long)(time / SECOND),
                (unsigned long)(time % SECOND / MICROSECOND));
}

int main(int argc, char **argv) {
    struct option_state state = option_begin(&program, argc, argv);
    (void)option_next(&state);
    option_operands(&state, 1, argc);
    char path[PATH_LEN_MAX + 1];
    long found = search_program(state.argv[0], self_env("PATH"), path);
    if (found < 0) {
        (void)error_report(state.argv[0], found);
        return search_status(found);
    }
    struct spawn spawn = {
        .path = path, .arguments = state.argv, .input = self_input(), .output = self_output(), .error = self_error()};
    uint64_t begin = clock_now();
    long process = spawn_program(&spawn);
    if (process < 0) {
        (void)error_report(path, process);
        return search_status(process);
    }
    struct abi_process_info info;
    long status = process_wait((handle_t)process, FOREVER, &info);
    uint64_t end = clock_now();
    file_close((handle_t)process);
    if (status < 0) {
        return error_report(path, status);
    }
    show("real", end - begin);
    show("cpu ", info.cpu_time);
    return process_status(&info);
}
