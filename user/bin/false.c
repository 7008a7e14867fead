// false: fail.
#include "lib/option.h"

static const struct program program = {"", "Do nothing, unsuccessfully.", nullptr};

int main(int argc, char **argv) {
    struct option_state state = option_begin(&program, argc, argv);
    if (state.argc == 1 && state.argv[0][0] == '-') {
        (void)option_next(&state);
    }
    return 1;
}
