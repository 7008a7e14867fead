// The shell's variables, and which of them programs get as environment.
#pragma once

#include "arena.h"
#include "base/types.h"

struct variable {
    char *name;
    char *value;
    bool exported;
    struct variable *next; // in the order of names
};

// The value, or null.
const char *variable_get(const struct variable *list, const char *name, size_t length);

// Set a variable, making it if need be; a new one is exported as `exported` says, an old one if either says so.
void variable_set(struct variable **list, const char *name, size_t length, const char *value, bool exported);

void variable_remove(struct variable **list, const char *name);

// NAME=value strings and a null, in the arena: of the exported variables or of all, with the null-terminated list of
// further ones before them, which hide variables of the same name.
char **variable_environment(const struct variable *list, bool all, char *const *further, struct arena *arena);
