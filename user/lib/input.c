#include "lib/input.h"

#include "lib/error.h"
#include "lib/file.h"
#include "lib/print.h"
#include "lib/self.h"

static int show_file(const char *path, long (*show)(handle_t handle, uint64_t argument), uint64_t argument) {
    long handle = file_open(path, OPEN_READ, 0);
    long status = handle < 0 ? handle : show((handle_t)handle, argument);
    if (handle >= 0) {
        file_close((handle_t)handle);
    }
    return status < 0 ? error_report(path, status) : 0;
}

int input_each(const struct option_state *state, long (*show)(handle_t handle, uint64_t argument), uint64_t argument) {
    if (state->argc == 0) {
        long status = show(self_input(), argument);
        return status < 0 ? error_report("standard input", status) : 0;
    }
    int result = 0;
    for (int i = 0; i < state->argc; i++) {
        if (state->argc > 1) {
            print("%s==> %s <==\n", i > 0 ? "\n" : "", state->argv[i]);
        }
        result |= show_file(state->argv[i], show, argument);
    }
    return result;
}
