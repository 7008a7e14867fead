// hexdump: bytes as numbers and characters.
#include "lib/error.h"
#include "lib/file.h"
#include "lib/option.h"
#include "lib/print.h"
#include "lib/self.h"

enum { ROW = 16 };

static const struct option options[] = {
    {'n', "bytes", "N", "stop after N bytes"}, {'s', "skip", "N", "begin N bytes into the input"}, {}};
static const struct program program = {"[-n N] [-s N] [PATH…]", "Show bytes in hexadecimal and as characters.",
                                       options};

static uint64_t limit = UINT64_MAX;
static uint64_t skip;

static void show_row(uint64_t offset, const unsigned char *bytes, unsigned count) {
    print("%08lx ", (unsigned long)offset);
    for (unsigned i = 0; i < ROW; i++) {
        if (i == ROW / 2) {
            print_char(' ');
        }
        if (i < count) {
            print(" %02x", bytes[i]);
        } else {
            print("   ");
        }
    }
    print("  |");
    for (unsigned i = 0; i < count; i++) {
        print_char(bytes[i] >= ' ' && bytes[i] < 127 ? (char)bytes[i] : '.');
    }
    print("|\n");
}

static long dump(handle_t handle) {
    unsigned char row[ROW];
    unsigned char buffer[1024];
    unsigned filled = 0;
    uint64_t position = 0; // in the input
    long length;
    while ((length = file_read(handle, buffer, sizeof buffer)) > 0) {
        for (long i = 0; i < length; i++, position++) {
            if (position < skip) {
                continue;
            }
            if (position - skip >= limit) {
                length = 0;
                break;
            }
            row[filled++] = buffer[i];
            if (filled == ROW) {
                show_row(position + 1 - ROW, row, ROW);
                filled = 0;
            }
        }
        if (length == 0) {
            break;
        }
    }
    if (filled > 0) {
        show_row(position - filled, row, filled);
    }
    if (length >= 0) {
        print("%08lx\n", (unsigned long)position);
    }
    return length;
}

int main(int argc, char **argv) {
    struct option_state state = option_begin(&program, argc, argv);
    for (int option; (option = option_next(&state)) != 0;) {
        *(option == 'n' ? &limit : &skip) = option_number(&state, 0, UINT64_MAX / 2);
    }
    int result = 0;
    for (int i = 0; i < state.argc || i == 0; i++) {
        const char *path = state.argc == 0 ? nullptr : state.argv[i];
        long handle = path == nullptr ? self_input() : file_open(path, OPEN_READ, 0);
        long status = handle < 0 ? handle : dump((handle_t)handle);
        if (status < 0) {
            result = error_report(path == nullptr ? "standard input" : path, status);
        }
        if (path != nullptr && handle >= 0) {
            file_close((handle_t)handle);
        }
    }
    return result;
}
