// head: the beginning of files.
#include "lib/error.h"
#include "lib/file.h"
#include "lib/option.h"
#include "lib/print.h"
#include "lib/self.h"

static const struct option options[] = {{'n', "lines", "N", "show N lines, 10 if not given"}, {}};
static const struct program program = {"[-n N] [PATH…]", "Show the first lines of files.", options};

// Copy up to and with the last of so many newlines.
static long copy(handle_t handle, uint64_t lines) {
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

static int show(const char *path, uint64_t lines) {
    long handle = path == nullptr ? self_input() : file_open(path, OPEN_READ, 0);
    long status = handle < 0 ? handle : copy((handle_t)handle, lines);
    if (path != nullptr && handle >= 0) {
        file_close((handle_t)handle);
    }
    return status < 0 ? error_report(path == nullptr ? "standard input" : path, status) : 0;
}

int main(int argc, char **argv) {
    uint64_t lines = 10;
    struct option_state state = option_begin(&program, argc, argv);
    while (option_next(&state) != 0) {
        lines = option_number(&state, 0, UINT32_MAX);
    }
    int status = state.argc == 0 ? show(nullptr, lines) : 0;
    for (int i = 0; i < state.argc; i++) {
        if (state.argc > 1) {
            print("%s==> %s <==\n", i > 0 ? "\n" : "", state.argv[i]);
        }
        status |= show(state.argv[i], lines);
    }
    return status;
}
