// stat: everything that the kernel tells of a node.
#include "lib/error.h"
#include "lib/file.h"
#include "lib/option.h"
#include "lib/print.h"

static const struct program program = {"PATH…", "Show what is known of a node; links are not followed.", nullptr};

static const char *kind_name(uint32_t kind) {
    static const char *const names[] = {"?", "directory", "file", "kernel file", "channel", "link", "mount", "device"};
    return kind < sizeof names / sizeof names[0] ? names[kind] : names[0];
}

static void print_time(const char *label, uint64_t time) {
    print("%-9s %lu.%09lu\n", label, (unsigned long)(time / 1000000000), (unsigned long)(time % 1000000000));
}

static int show(const char *path) {
    struct abi_stat stat;
    long status = file_stat(path, &stat);
    if (status < 0) {
        return error_report(path, status);
    }
    char mode[11];
    file_mode_text(&stat, mode);
    print("%-9s %s\n", "path", path);
    char target[PATH_LEN_MAX + 1];
    if (stat.kind == NODE_LINK && file_read_link(path, target) >= 0) {
        print("%-9s %s\n", "target", target);
    }
    print("%-9s %s\n", "kind", kind_name(stat.kind));
    print("%-9s %lu\n", "id", (unsigned long)stat.id);
    print("%-9s %lu\n", "size", (unsigned long)stat.size);
    print("%-9s %u%u%u %s\n", "mode", stat.mode >> 6 & 7, stat.mode >> 3 & 7, stat.mode & 7, mode);
    print("%-9s %u\n", "owner", stat.owner);
    print("%-9s %u\n", "group", stat.group);
    print_time("created", stat.created);
    print_time("modified", stat.modified);
    print_time("accessed", stat.accessed);
    return 0;
}

int main(int argc, char **argv) {
    struct option_state state = option_begin(&program, argc, argv);
    (void)option_next(&state);
    option_operands(&state, 1, argc);
    int status = 0;
    for (int i = 0; i < state.argc; i++) {
        status |= show(state.argv[i]);
    }
    return status;
}
