// sleep: wait.
#include "lib/clock.h"
#include "lib/option.h"

static const struct program program = {"DURATION…",
                                       "Wait: seconds with a fraction (0.25), or with a unit: 250ms, 10us, 2m, 1h. "
                                       "Several are added.",
                                       nullptr};

int main(int argc, char **argv) {
    struct option_state state = option_begin(&program, argc, argv);
    (void)option_next(&state);
    option_operands(&state, 1, argc);
    for (int pass = 0; pass < 2; pass++) { // refuse before sleeping
        for (int i = 0; i < state.argc; i++) {
            uint64_t duration;
            if (!clock_parse(state.argv[i], &duration)) {
                option_refuse("'%s' is not a duration", state.argv[i]);
            }
            if (pass == 1) {
                clock_sleep(duration);
            }
        }
    }
    return 0;
}
