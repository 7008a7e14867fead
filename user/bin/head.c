// head: the beginning of files.
#include "lib/file.h"
#include "lib/input.h"
#include "lib/option.h"
#include "lib/print.h"

static const struct option options[] = {{'n', "lines", "N", "show N lines, 10 if not given"}, {}};
static const struct program program = {"[-n N] [PATH…]", "Show the first lines of files.", options};

// Copy up to and with the last of so many newlines.
static long head(handle_t handle, uint64_t lines) {
    static char buffer[1024];
    while (lines > 0) {
        long length = file_read(handle, buffer, sizeof buffer);
        if (length <= 0) {
            return length;
        }
        size_t end = 0;
        while (end < (size_t)length && lines > 0) {
            lines -= buffer[end++] == '\n';
        }
        print_bytes(buffer, end);
    }
    return 0;
}

int main(int argc, char **argv) {
    uint64_t lines = 10;
    struct option_state state = option_begin(&program, argc, argv);
    while (option_next(&state) != 0) {
        lines = option_number(&state, 0, UINT32_MAX);
    }
    return input_each(&state, head, lines);
}
