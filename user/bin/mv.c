// mv: rename, or move into a directory.
#include "lib/error.h"
#include "lib/file.h"
#include "lib/option.h"
#include "lib/path.h"

static const struct program program = {"FROM… TO", "Rename FROM to TO, or move everything into the directory TO.",
                                       nullptr};

int main(int argc, char **argv) {
    struct option_state state = option_begin(&program, argc, argv);
    (void)option_next(&state);
    option_operands(&state, 2, argc);
    const char *to = state.argv[state.argc - 1];
    struct abi_stat stat;
    bool into = file_stat(to, &stat) == 0 && stat.kind == NODE_DIR;
    if (state.argc > 2 && !into) {
        return error_report(to, ERR_NOT_DIR);
    }
    int status = 0;
    for (int i = 0; i < state.argc - 1; i++) {
        char path[PATH_LEN_MAX + 1];
        long moved = into ? path_join(to, path_base(state.argv[i]), path) : 0;
        if (moved == 0) {
            moved = file_rename(state.argv[i], into ? path : to);
        }
        if (moved < 0) {
            status = error_report(state.argv[i], moved);
        }
    }
    return status;
}
