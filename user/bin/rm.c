// rm: remove nodes. Directories only with -r; links are removed themselves.
#include "lib/error.h"
#include "lib/file.h"
#include "lib/memory.h"
#include "lib/option.h"
#include "lib/path.h"

static const struct option options[] = {{'r', "recursive", nullptr, "remove directories with everything below"},
                                        {'f', "force", nullptr, "a missing path is no error"},
                                        {}};
static const struct program program = {"[-rf] PATH…", "Remove files, links, channels; with -r directories, too.",
                                       options};

static bool recursive;
static bool force;

static int remove_tree(const char *path);

static int remove_entries(const char *path) {
    struct abi_dirent *entries;
    long count = file_list(path, &entries);
    if (count < 0) {
        return error_report(path, count);
    }
    int status = 0;
    for (long i = 0; i < count; i++) {
        char child[PATH_LEN_MAX + 1];
        long joined = path_join(path, entries[i].name, child);
        status |= joined < 0 ? error_report(path, joined) : remove_tree(child);
    }
    free(entries);
    return status;
}

static int remove_tree(const char *path) {
    struct abi_stat stat;
    long status = file_stat(path, &stat);
    if (status == ERR_NOT_FOUND && force) {
        return 0;
    }
    if (status == 0 && stat.kind == NODE_DIR) {
        if (!recursive) {
            return error_report(path, ERR_IS_DIR);
        }
        if (remove_entries(path) != 0) {
            return 1;
        }
    }
    if (status == 0) {
        status = file_remove(path);
    }
    return status < 0 ? error_report(path, status) : 0;
}

int main(int argc, char **argv) {
    struct option_state state = option_begin(&program, argc, argv);
    for (int option; (option = option_next(&state)) != 0;) {
        if (option == 'r') {
            recursive = true;
        } else {
            force = true;
        }
    }
    option_operands(&state, 1, argc);
    int status = 0;
    for (int i = 0; i < state.argc; i++) {
        status |= remove_tree(state.argv[i]);
    }
    return status;
}
