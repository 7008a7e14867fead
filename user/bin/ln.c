// ln: make symbolic links, the only links there are.
#include "lib/error.h"
#include "lib/file.h"
#include "lib/option.h"
#include "lib/path.h"

static const struct option options[] = {{'s', "symbolic", nullptr, "a symbolic link (there is no other)"}, {}};
static const struct program program = {"-s TARGET PATH", "Make a link at PATH (or in the directory PATH) to TARGET.",
                                       options};

int main(int argc, char **argv) {
    bool symbolic = false;
    struct option_state state = option_begin(&program, argc, argv);
    while (option_next(&state) != 0) {
        symbolic = true;
    }
    option_operands(&state, 2, 2);
    if (!symbolic) {
        option_refuse("only symbolic links exist: use -s");
    }
    const char *path = state.argv[1];
    char inside[PATH_LEN_MAX + 1];
    struct abi_stat stat;
    if (file_stat(path, &stat) == 0 && stat.kind == NODE_DIR) {
        long status = path_join(path, path_base(state.argv[0]), inside);
        if (status < 0) {
            return error_report(path, status);
        }
        path = inside;
    }
    long status = file_make_link(path, state.argv[0]);
    return status < 0 ? error_report(path, status) : 0;
}
