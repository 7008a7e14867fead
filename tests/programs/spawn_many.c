// spawn-many: start a program N times, up to WIDTH at once, and wait for every one of them.
#include "isthmus/calls.h"
#include "lib/error.h"
#include "lib/option.h"
#include "lib/print.h"
#include "lib/process.h"
#include "lib/self.h"
#include "lib/spawn.h"

enum { WIDTH_MAX = 64 };

static const struct option options[] = {{'w', "width", "N", "so many at once, 1 if not given"}, {}};
static const struct program program = {"[-w WIDTH] N PATH [ARGUMENT…]", "Start a program N times.", options};

int main(int argc, char **argv) {
    uint64_t width = 1;
    struct option_state state = option_begin(&program, argc, argv);
    while (option_next(&state) != 0) {
        width = option_number(&state, 1, WIDTH_MAX);
    }
    option_operands(&state, 2, argc);
    uint64_t count = option_operand_number(state.argv[0], 1, UINT32_MAX);
    struct spawn spawn = {
        .path = state.argv[1], .arguments = &state.argv[1], .output = self_output(), .error = self_error()};
    static handle_t running[WIDTH_MAX];
    uint64_t failed = 0;
    for (uint64_t i = 0; i < count + width; i++) {
        handle_t *slot = &running[i % width];
        if (*slot != 0) {
            long status = process_finish(*slot);
            failed += status != 0;
            *slot = 0;
        }
        if (i < count) {
            long process = spawn_program(&spawn);
            if (process < 0) {
                return error_report(spawn.path, process);
            }
            *slot = (handle_t)process;
        }
    }
    print("%lu started, %lu failed\n", (unsigned long)count, (unsigned long)failed);
    return failed != 0;
}
