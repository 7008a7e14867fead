// dmesg: the kernel's log.
#include "lib/error.h"
#include "lib/file.h"
#include "lib/option.h"
#include "lib/self.h"

static const struct program program = {"", "Show the kernel's log, /kern/log.", nullptr};

int main(int argc, char **argv) {
    struct option_state state = option_begin(&program, argc, argv);
    (void)option_next(&state);
    option_operands(&state, 0, 0);
    long handle = file_open("/kern/log", OPEN_READ, 0);
    long status = handle < 0 ? handle : file_copy((handle_t)handle, self_output());
    if (status == ERR_PEER_CLOSED) {
        return 1; // whoever reads has seen enough
    }
    return status < 0 ? error_report("/kern/log", status) : 0;
}
