// echo: print the arguments. Only `-n` and a sole `--help` are options; everything else is text.
#include "base/str.h"
#include "lib/option.h"
#include "lib/print.h"

static const struct option options[] = {{'n', nullptr, nullptr, "no newline at the end"}, {}};
static const struct program program = {"[-n] [TEXT…]", "Print the arguments, separated by blanks.", options};

int main(int argc, char **argv) {
    int first = 1;
    bool newline = true;
    if (argc == 2 && str_equal(argv[1], "--help")) {
        struct option_state state = option_begin(&program, argc, argv);
        (void)option_next(&state);
    }
    if (argc > 1 && str_equal(argv[1], "-n")) {
        newline = false;
        first = 2;
    }
    for (int i = first; i < argc; i++) {
        print("%s%s", i > first ? " " : "", argv[i]);
    }
    if (newline) {
        print_char('\n');
    }
    return 0;
}
