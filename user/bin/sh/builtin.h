// Commands that the shell does itself, because they change or show its own state.
#pragma once

#include "shell.h"

// Whether there is a builtin of this name.
bool builtin_exists(const char *name);

// Run the builtin argv[0], which exists; `--help` as its only argument shows what it does. Its status.
int builtin_run(struct shell *shell, const struct streams *streams, int argc, char **argv);

// The names, by index; null behind the last.
const char *builtin_name(unsigned index);

// `test` and `[`. (test.c)
int builtin_test(struct shell *shell, const struct streams *streams, int argc, char **argv);
