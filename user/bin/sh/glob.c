// Globbing, component by component. Directories that cannot be read match nothing.
#include "glob.h"

#include "base/memory.h"
#include "base/str.h"
#include "lib/file.h"
#include "lib/memory.h"
#include "lib/pattern.h"

void strings_add(struct strings *strings, struct arena *arena, char *item) {
    if (strings->count + 1 >= strings->capacity) {
        size_t capacity = strings->capacity == 0 ? 8 : 2 * strings->capacity;
        char **more = arena_take(arena, capacity * sizeof *more);
        if (strings->count > 0) {
            memcpy(more, strings->items, strings->count * sizeof *more);
        }
        strings->items = more;
        strings->capacity = capacity;
    }
    strings->items[strings->count++] = item;
    strings->items[strings->count] = nullptr;
}

static bool has_special(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\\' && i + 1 < length) {
            i++;
        } else if (text[i] == '*' || text[i] == '?' || text[i] == '[') {
            return true;
        }
    }
    return false;
}

struct search {
    struct arena *arena;
    struct strings *paths;
    char path[PATH_LEN_MAX + 1]; // what has matched so far
};

static void descend(struct search *search, size_t length, const char *rest);

// Go on below path + name; `length` bytes of the path stand before the name.
static void enter(struct search *search, size_t length, const char *name, const char *rest) {
    size_t size = strlen(name);
    if (length + size > PATH_LEN_MAX) {
        return;
    }
    memcpy(search->path + length, name, size + 1);
    descend(search, length + size, rest);
}

static void enter_matching(struct search *search, size_t length, const char *pattern, const char *rest) {
    struct abi_dirent *entries;
    search->path[length] = 0;
    long count = file_list(length > 0 ? search->path : ".", &entries);
    for (long i = 0; i < count; i++) {
        if (pattern_glob(pattern, entries[i].name)) {
            enter(search, length, entries[i].name, rest);
        }
    }
    if (count >= 0) {
        free(entries);
    }
}

static void found(struct search *search, size_t length) {
    struct abi_stat stat;
    search->path[length] = 0;
    if (length > 0 && file_stat(search->path, &stat) == 0) {
        strings_add(search->paths, search->arena, arena_copy(search->arena, search->path, length));
    }
}

// `length` bytes of path have matched; `rest` is the pattern that is left.
static void descend(struct search *search, size_t length, const char *rest) {
    for (; *rest == '/'; rest++) {
        if (length == PATH_LEN_MAX) {
            return;
        }
        search->path[length++] = '/';
    }
    if (*rest == 0) {
        found(search, length);
        return;
    }
    size_t size = 0;
    while (rest[size] != 0 && rest[size] != '/') {
        size++;
    }
    char pattern[2 * NAME_LEN_MAX + 2];
    if (str_copy_bytes(pattern, sizeof pattern, rest, size) >= sizeof pattern) {
        return;
    }
    if (has_special(pattern, size)) {
        enter_matching(search, length, pattern, rest + size);
        return;
    }
    size_t plain = 0;
    for (size_t i = 0; i < size; i++) {
        i += pattern[i] == '\\' && i + 1 < size;
        pattern[plain++] = pattern[i];
    }
    pattern[plain] = 0;
    enter(search, length, pattern, rest + size);
}

size_t glob_expand(const char *pattern, struct arena *arena, struct strings *paths) {
    size_t before = paths->count;
    struct search *search = arena_take(arena, sizeof *search);
    search->arena = arena;
    search->paths = paths;
    descend(search, 0, pattern);
    return paths->count - before;
}
