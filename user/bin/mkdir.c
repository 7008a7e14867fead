// mkdir: make directories.
#include "base/str.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/option.h"

static const struct option options[] = {{'p', "parents", nullptr, "make missing parents; existing ones are fine"},
                                        {'m', "mode", "MODE", "permission bits in octal, 755 if not given"},
                                        {}};
static const struct program program = {"[-p] [-m MODE] PATH…", "Make directories.", options};

static uint32_t mode = 0755;

static long make_parents(const char *path) {
    char part[PATH_LEN_MAX + 1];
    if (str_copy(part, sizeof part, path) >= sizeof part) {
        return ERR_NAME_TOO_LONG;
    }
    for (char *at = part + 1; part[0] != 0 && *at != 0; at++) {
        if (*at != '/') {
            continue;
        }
        *at = 0;
        long status = file_make_dir(part, mode);
        if (status < 0 && status != ERR_EXISTS && status != ERR_READ_ONLY && status != ERR_BUSY) {
            return status;
        }
        *at = '/';
    }
    struct abi_stat stat;
    long status = file_make_dir(path, mode);
    if (status == ERR_EXISTS && file_stat(path, &stat) == 0 && stat.kind == NODE_DIR) {
        return 0;
    }
    return status;
}

// An octal number from 0 to 0777, or a usage message and the end.
static uint32_t parse_mode(const char *text) {
    uint32_t value = 0;
    for (const char *at = text; *at != 0; at++) {
        if (*at < '0' || *at > '7' || value > 0777 / 8) {
            option_refuse("'%s' is not an octal mode from 0 to 777", text);
        }
        value = value * 8 + (uint32_t)(*at - '0');
    }
    return value;
}

int main(int argc, char **argv) {
    bool parents = false;
    struct option_state state = option_begin(&program, argc, argv);
    for (int option; (option = option_next(&state)) != 0;) {
        if (option == 'p') {
            parents = true;
        } else {
            mode = parse_mode(state.value);
        }
    }
    option_operands(&state, 1, argc);
    int status = 0;
    for (int i = 0; i < state.argc; i++) {
        long made = parents ? make_parents(state.argv[i]) : file_make_dir(state.argv[i], mode);
        if (made < 0) {
            status = error_report(state.argv[i], made);
        }
    }
    return status;
}
