// Paths that match a pattern of pattern_glob.
#pragma once

#include "arena.h"

// A growing list of strings in an arena.
struct strings {
    char **items; // null-terminated once something was added
    size_t count;
    size_t capacity;
};

void strings_add(struct strings *strings, struct arena *arena, char *item);

// Append every existing path that matches `pattern`, sorted; a component without * ? [ stands for itself, and a \ takes
// away the special meaning of what follows it. The number of paths.
size_t glob_expand(const char *pattern, struct arena *arena, struct strings *paths);
