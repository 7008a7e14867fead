// Memory that is given back all at once: what belongs to one parsed line, or to one command's expansion. A zeroed arena
// is an empty one.
#pragma once

#include "base/types.h"

struct arena_chunk;

struct arena {
    struct arena_chunk *chunk; // the newest first
    size_t left;
};

// `size` zeroed bytes, aligned for anything. Never fails: a shell without memory says so and ends with status 1.
void *arena_take(struct arena *arena, size_t size);

// A copy of `length` bytes with a zero behind.
char *arena_copy(struct arena *arena, const char *bytes, size_t length);

void arena_free(struct arena *arena);

// Say that memory has run out, and end the shell. (main.c)
[[noreturn]] void arena_exhausted(void);
