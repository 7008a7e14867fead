// Commands that the shell does itself, because they change or show its own state.
#pragma once

#include "shell.h"

typedef int (*builtin_function)(struct shell *shell, const struct streams *streams, int argc, char **argv);

// The builtin of this name, or null.
builtin_function builtin_find(const char *name);

// The names, by index; null behind the last.
const char *builtin_name(unsigned index);

// `test` and `[`. (test.c)
int builtin_test(struct shell *shell, const struct streams *streams, int argc, char **argv);
