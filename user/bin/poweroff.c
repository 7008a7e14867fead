// poweroff: end the machine.
#include "base/format.h"
#include "lib/clock.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/option.h"

static const struct program program = {"[STATUS]",
                                       "Switch the machine off; an emulator exits with STATUS (0 to 127, 0 if not "
                                       "given).",
                                       nullptr};

int main(int argc, char **argv) {
    struct option_state state = option_begin(&program, argc, argv);
    (void)option_next(&state);
    option_operands(&state, 0, 1);
    uint64_t status = state.argc == 1 ? option_operand_number(state.argv[0], 0, 127) : 0;
    char command[16];
    (void)format(command, sizeof command, "off %u", (unsigned)status);
    long failure = file_command("/dev/power", command);
    if (failure < 0) {
        return error_report("/dev/power", failure);
    }
    clock_sleep(FOREVER);
    return 1;
}
