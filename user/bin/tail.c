// tail: the end of files.
#include "lib/input.h"
#include "lib/memory.h"
#include "lib/option.h"
#include "lib/print.h"
#include "lib/reader.h"

enum { LINES_MAX = 100000 };

static const struct option options[] = {{'n', "lines", "N", "show N lines, 10 if not given; at most 100000"}, {}};
static const struct program program = {"[-n N] [PATH…]", "Show the last lines of files.", options};

// The last lines read so far: number n is in slot n % capacity.
struct ending {
    struct text *line;
    uint64_t capacity;
    uint64_t count; // lines read
};

static long read_all(handle_t handle, struct ending *ending) {
    struct reader reader;
    struct text spare = {};
    reader_init(&reader, handle);
    long status;
    while ((status = reader_line(&reader, &spare)) == 1) {
        if (ending->capacity > 0) {
            struct text *slot = &ending->line[ending->count % ending->capacity];
            struct text oldest = *slot;
            *slot = spare;
            spare = oldest; // its memory serves for the next line
        }
        ending->count++;
    }
    text_free(&spare);
    return status;
}

static void print_ending(const struct ending *ending) {
    uint64_t shown = ending->count < ending->capacity ? ending->count : ending->capacity;
    for (uint64_t i = ending->count - shown; i < ending->count; i++) {
        const struct text *line = &ending->line[i % ending->capacity];
        print_bytes(text_string(line), line->length);
        print_bytes("\n", 1);
    }
}

static long tail(handle_t handle, uint64_t lines) {
    struct ending ending = {.capacity = lines, .line = lines > 0 ? calloc(lines, sizeof(struct text)) : nullptr};
    if (lines > 0 && ending.line == nullptr) {
        return ERR_NO_MEMORY;
    }
    long status = read_all(handle, &ending);
    if (status == 0) {
        print_ending(&ending);
    }
    for (uint64_t i = 0; i < lines; i++) {
        text_free(&ending.line[i]);
    }
    free(ending.line);
    return status;
}

int main(int argc, char **argv) {
    uint64_t lines = 10;
    struct option_state state = option_begin(&program, argc, argv);
    while (option_next(&state) != 0) {
        lines = option_number(&state, 0, LINES_MAX);
    }
    return input_each(&state, tail, lines);
}
