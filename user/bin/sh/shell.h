// The state of one shell.
#pragma once

#include "base/types.h"
#include "variables.h"

// The three streams that a command gets. Handles; 0 is none.
struct streams {
    handle_t input;
    handle_t output;
    handle_t error;
};

struct shell {
    struct variable *variables;
    const char *name;  // $0
    char **parameters; // $1 …
    unsigned parameter_count;
    int status;          // $?
    uint32_t pid;        // $$
    uint32_t background; // $!, 0 for none yet
    unsigned captures;   // how many $(…) have run
    bool interactive;    // reads the console itself
    bool exit_on_error;  // set -e
    bool trace;          // set -x
    bool exiting;        // `exit` has run: unwind and end with status
    bool interrupted;    // Ctrl-C: unwind to the prompt
    unsigned breaking;   // loops still to be left
    bool continuing;     // the last of those goes on with its next round
    unsigned loops;      // how many surround the current command
    unsigned conditions; // how many conditions surround it: set -e does not count there
};

enum {
    SHELL_USAGE = 2,         // a line that cannot be understood, a builtin used wrongly
    SHELL_INTERRUPTED = 130, // Ctrl-C
};

// Tell the error stream "sh: " and a sentence. Gives back 1.
[[gnu::format(printf, 2, 3)]] int shell_say(const struct streams *streams, const char *form, ...);

// Run what a command substitution contains and collect its output, without the newlines at its end, in the arena. The
// shell's status becomes that of the commands. Null after an error, which has been told. (run.c)
char *shell_capture(struct shell *shell, const struct streams *streams, const char *text, size_t length,
                    struct arena *arena);
