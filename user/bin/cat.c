// cat: copy files to standard output.
#include "base/str.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/option.h"
#include "lib/self.h"

static const struct program program = {"[PATH…]", "Copy files to standard output; - or no path is standard input.",
                                       nullptr};

static int copy(const char *path) {
    if (str_equal(path, "-")) {
        long status = file_copy(self_input(), self_output());
        return status < 0 ? error_report("standard input", status) : 0;
    }
    long handle = file_open(path, OPEN_READ, 0);
    if (handle < 0) {
        return error_report(path, handle);
    }
    long status = file_copy((handle_t)handle, self_output());
    file_close((handle_t)handle);
    return status < 0 && status != ERR_PEER_CLOSED ? error_report(path, status) : status < 0;
}

int main(int argc, char **argv) {
    struct option_state state = option_begin(&program, argc, argv);
    (void)option_next(&state);
    int status = state.argc == 0 ? copy("-") : 0;
    for (int i = 0; i < state.argc; i++) {
        status |= copy(state.argv[i]);
    }
    return status;
}
