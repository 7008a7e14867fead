// Option parsing.
#include "lib/option.h"

#include <stdarg.h>

#include "base/format.h"
#include "base/str.h"
#include "lib/print.h"
#include "lib/self.h"

struct option_state option_begin(const struct program *program, int argc, char **argv) {
    bool some = argc > 0;
    return (struct option_state){.program = program, .argc = argc - some, .argv = argv + some};
}

void option_refuse(const char *form, ...) {
    char text[256];
    va_list args;
    va_start(args, form);
    (void)vformat(text, sizeof text, form, args);
    va_end(args);
    print_error("%s: %s (see %s --help)\n", self_name(), text, self_name());
    program_exit(EXIT_USAGE);
}

[[noreturn]] static void show_help(const struct program *program) {
    print("usage: %s %s\n%s\n", self_name(), program->usage, program->about);
    for (const struct option *o = program->options; o != nullptr && o->letter != 0; o++) {
        char left[48];
        (void)format(left, sizeof left, "-%c%s%s%s%s", o->letter, o->word != nullptr ? ", --" : "",
                     o->word != nullptr ? o->word : "", o->value != nullptr ? " " : "",
                     o->value != nullptr ? o->value : "");
        print("  %-20s %s\n", left, o->help);
    }
    print("  %-20s %s\n", "--help", "show this");
    program_exit(0);
}

static void shift(struct option_state *state) {
    state->argc--;
    state->argv++;
}

// Fetch the value of an option that needs one: `attached` when that is not null, otherwise the next argument.
static void take_value(struct option_state *state, const struct option *option, const char *attached) {
    if (attached != nullptr) {
        state->value = attached;
        return;
    }
    if (state->argc == 0) {
        option_refuse("option -%c needs %s", option->letter, option->value);
    }
    state->value = state->argv[0];
    shift(state);
}

static int next_letter(struct option_state *state, const char *letters) {
    for (const struct option *o = state->program->options; o != nullptr && o->letter != 0; o++) {
        if (o->letter != letters[0]) {
            continue;
        }
        state->rest = letters[1] != 0 ? letters + 1 : nullptr;
        if (o->value != nullptr) {
            const char *attached = state->rest;
            state->rest = nullptr;
            take_value(state, o, attached);
        }
        return o->letter;
    }
    option_refuse("unknown option -%c", letters[0]);
}

static int next_word(struct option_state *state, const char *word) {
    if (str_equal(word, "help")) {
        show_help(state->program);
    }
    for (const struct option *o = state->program->options; o != nullptr && o->letter != 0; o++) {
        size_t length = o->word != nullptr ? strlen(o->word) : 0;
        if (length == 0 || strncmp(word, o->word, length) != 0 || (word[length] != 0 && word[length] != '=')) {
            continue;
        }
        const char *attached = word[length] == '=' ? word + length + 1 : nullptr;
        if (o->value != nullptr) {
            take_value(state, o, attached);
        } else if (attached != nullptr) {
            option_refuse("option --%s takes no value", o->word);
        }
        return o->letter;
    }
    option_refuse("unknown option --%s", word);
}

int option_next(struct option_state *state) {
    state->value = nullptr;
    if (state->rest != nullptr) {
        return next_letter(state, state->rest);
    }
    if (state->argc == 0 || state->argv[0][0] != '-' || state->argv[0][1] == 0) {
        return 0;
    }
    const char *argument = state->argv[0];
    shift(state);
    if (argument[1] != '-') {
        return next_letter(state, argument + 1);
    }
    return argument[2] == 0 ? 0 : next_word(state, argument + 2);
}

static uint64_t number(const char *text, uint64_t low, uint64_t high) {
    uint64_t value;
    if (!str_to_u64(text, &value) || value < low || value > high) {
        option_refuse("'%s' is not a number from %lu to %lu", text, (unsigned long)low, (unsigned long)high);
    }
    return value;
}

uint64_t option_number(const struct option_state *state, uint64_t low, uint64_t high) {
    return number(state->value, low, high);
}

uint64_t option_operand_number(const char *text, uint64_t low, uint64_t high) {
    return number(text, low, high);
}

void option_operands(const struct option_state *state, int low, int high) {
    if (state->argc < low) {
        option_refuse("something is missing: usage: %s %s", self_name(), state->program->usage);
    }
    if (state->argc > high) {
        option_refuse("'%s' is one argument too many", state->argv[high]);
    }
}
