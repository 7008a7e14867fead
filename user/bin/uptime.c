// uptime: how long the system has been running.
#include "lib/clock.h"
#include "lib/option.h"
#include "lib/print.h"

static const struct program program = {"", "Show the time since boot.", nullptr};

int main(int argc, char **argv) {
    struct option_state state = option_begin(&program, argc, argv);
    (void)option_next(&state);
    option_operands(&state, 0, 0);
    uint64_t now = clock_now();
    unsigned long seconds = (unsigned long)(now / SECOND);
    print("up");
    if (seconds >= 86400) {
        print(" %lu days,", seconds / 86400);
    }
    print(" %02lu:%02lu:%02lu.%03lu\n", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60,
          (unsigned long)(now % SECOND / MILLISECOND));
    return 0;
}
