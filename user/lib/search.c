// Finding programs.
#include "lib/search.h"

#include "base/str.h"
#include "lib/file.h"
#include "lib/path.h"

static bool has_slash(const char *name) {
    while (*name != 0 && *name != '/') {
        name++;
    }
    return *name == '/';
}

long search_program(const char *name, const char *directories, char path[PATH_LEN_MAX + 1]) {
    struct abi_stat stat;
    if (has_slash(name)) {
        if (str_copy(path, PATH_LEN_MAX + 1, name) > PATH_LEN_MAX) {
            return ERR_NAME_TOO_LONG;
        }
        return file_stat(path, &stat);
    }
    const char *at = directories != nullptr ? directories : "/bin";
    while (*at != 0 && *name != 0) {
        size_t length = 0;
        while (at[length] != 0 && at[length] != ':') {
            length++;
        }
        char directory[PATH_LEN_MAX + 1];
        if (length > 0 && str_copy_bytes(directory, sizeof directory, at, length) < sizeof directory &&
            path_join(directory, name, path) == 0 && file_stat(path, &stat) == 0 && stat.kind != NODE_DIR) {
            return 0;
        }
        at += length + (at[length] == ':');
    }
    return ERR_NOT_FOUND;
}

int search_status(long error) {
    return error == ERR_NOT_FOUND ? SEARCH_NOT_FOUND : SEARCH_NOT_RUN;
}
