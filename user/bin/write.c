// write: one write call to a file, a command file or a channel.
#include "lib/error.h"
#include "lib/file.h"
#include "lib/option.h"
#include "lib/text.h"

static const struct program program = {
    "PATH TEXT…", "Write the text, without a newline, to PATH in a single write: for command files and channels.",
    nullptr};

int main(int argc, char **argv) {
    struct option_state state = option_begin(&program, argc, argv);
    (void)option_next(&state);
    option_operands(&state, 2, argc);
    struct text text = {};
    for (int i = 1; i < state.argc; i++) {
        if ((i > 1 && !text_add_char(&text, ' ')) || !text_add_string(&text, state.argv[i])) {
            return error_report(nullptr, ERR_NO_MEMORY);
        }
    }
    long handle = file_open(state.argv[0], OPEN_WRITE, 0);
    if (handle < 0) {
        return error_report(state.argv[0], handle);
    }
    long status = file_write_once((handle_t)handle, text_string(&text), text.length);
    return status < 0 ? error_report(state.argv[0], status) : 0;
}
