// The command line of a tool: options, --help, and refusals that tell what is wrong.
//
//     static const struct option options[] = {{'n', "count", "N", "stop after N lines"}, {}};
//     static const struct program program = {"[-n N] [PATH…]", "Show the beginning of files.", options};
//     struct option_state state = option_begin(&program, argc, argv);
//     for (int option; (option = option_next(&state)) != 0;) { … case 'n': … state.value … }
//     … state.argc operands are left in state.argv …
#pragma once

#include "base/types.h"

struct option {
    char letter;       // -n; a zero ends a table
    const char *word;  // --count; may be null
    const char *value; // what its value is called in the help text; null when it takes none
    const char *help;
};

struct program {
    const char *usage;            // what follows the name on the usage line
    const char *about;            // a sentence or more
    const struct option *options; // may be null
};

struct option_state {
    const struct program *program;
    int argc; // operands and options not yet looked at
    char **argv;
    const char *value; // of the option that option_next gave, null when it takes none
    const char *rest;  // further letters behind the same dash
};

enum { EXIT_USAGE = 2 };

// Begin behind the program's name.
struct option_state option_begin(const struct program *program, int argc, char **argv);

// The next option's letter; 0 when operands begin (at the first argument that is no option, or behind `--`). `--help`
// prints the help text and ends the program with status 0; an unknown option, a missing or a needless value end it with
// a message and EXIT_USAGE.
int option_next(struct option_state *state);

// The value of the option as a number from `low` to `high`; ends the program with a message and EXIT_USAGE otherwise.
uint64_t option_number(const struct option_state *state, uint64_t low, uint64_t high);

// Tell what is wrong with the command line, point at --help, and end the program with EXIT_USAGE.
[[noreturn, gnu::format(printf, 1, 2)]] void option_refuse(const char *format, ...);

// End the program with a usage message unless the number of operands is from `low` to `high`.
void option_operands(const struct option_state *state, int low, int high);

// Parse an operand as a number from `low` to `high`, or end the program with a usage message.
uint64_t option_operand_number(const char *text, uint64_t low, uint64_t high);
