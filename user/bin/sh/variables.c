// Variables in a list sorted by name: shells have few.
#include "variables.h"

#include "base/memory.h"
#include "base/str.h"
#include "lib/memory.h"

static int compare(const char *name, const char *other, size_t length) {
    int order = strncmp(name, other, length);
    return order != 0 ? order : name[length] != 0;
}

const char *variable_get(const struct variable *list, const char *name, size_t length) {
    for (; list != nullptr; list = list->next) {
        if (compare(list->name, name, length) == 0) {
            return list->value;
        }
    }
    return nullptr;
}

static char *copy(const char *bytes, size_t length) {
    char *fresh = malloc(length + 1);
    if (fresh == nullptr) {
        arena_exhausted();
    }
    memcpy(fresh, bytes, length);
    fresh[length] = 0;
    return fresh;
}

void variable_set(struct variable **list, const char *name, size_t length, const char *value, bool exported) {
    while (*list != nullptr && compare((*list)->name, name, length) < 0) {
        list = &(*list)->next;
    }
    struct variable *variable = *list;
    if (variable == nullptr || compare(variable->name, name, length) != 0) {
        variable = calloc(1, sizeof *variable);
        if (variable == nullptr) {
            arena_exhausted();
        }
        variable->name = copy(name, length);
        variable->next = *list;
        *list = variable;
    }
    char *fresh = copy(value, strlen(value)); // first: `value` may be the old one
    free(variable->value);
    variable->value = fresh;
    variable->exported |= exported;
}

void variable_remove(struct variable **list, const char *name) {
    while (*list != nullptr && !str_equal((*list)->name, name)) {
        list = &(*list)->next;
    }
    struct variable *variable = *list;
    if (variable != nullptr) {
        *list = variable->next;
        free(variable->name);
        free(variable->value);
        free(variable);
    }
}

static bool hidden(const char *name, char *const *further) {
    size_t length = strlen(name);
    for (; further != nullptr && *further != nullptr; further++) {
        if (strncmp(*further, name, length) == 0 && (*further)[length] == '=') {
            return true;
        }
    }
    return false;
}

char **variable_environment(const struct variable *list, bool all, char *const *further, struct arena *arena) {
    size_t count = 1;
    for (char *const *at = further; at != nullptr && *at != nullptr; at++) {
        count++;
    }
    for (const struct variable *at = list; at != nullptr; at = at->next) {
        count++;
    }
    char **environment = arena_take(arena, count * sizeof *environment);
    char **end = environment;
    for (char *const *at = further; at != nullptr && *at != nullptr; at++) {
        *end++ = *at;
    }
    for (const struct variable *at = list; at != nullptr; at = at->next) {
        if ((!at->exported && !all) || hidden(at->name, further)) {
            continue;
        }
        size_t name = strlen(at->name);
        size_t value = strlen(at->value);
        char *entry = arena_take(arena, name + value + 2);
        memcpy(entry, at->name, name);
        entry[name] = '=';
        memcpy(entry + name + 1, at->value, value);
        *end++ = entry;
    }
    return environment;
}
