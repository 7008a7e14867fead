// Lexical path arithmetic; no system call here.
#include "lib/path.h"

#include "base/memory.h"
#include "base/str.h"

// Append the names of `text` to the normalised path of *length bytes in `out`, which has no slash at its end (the root
// is the empty string here).
static long append(char *out, size_t *length, const char *text) {
    while (*text != 0) {
        size_t size = 0;
        while (text[size] != 0 && text[size] != '/') {
            size++;
        }
        const char *name = text;
        text += size;
        if (*text == '/') {
            text++;
        }
        if (size == 0 || (size == 1 && name[0] == '.')) {
            continue;
        }
        if (size == 2 && name[0] == '.' && name[1] == '.') {
            while (*length > 0 && out[--*length] != '/') {
            }
            continue;
        }
        if (size > NAME_LEN_MAX || *length + 1 + size > PATH_LEN_MAX) {
            return ERR_NAME_TOO_LONG;
        }
        out[(*length)++] = '/';
        memcpy(out + *length, name, size);
        *length += size;
    }
    return 0;
}

long path_normalise(const char *cwd, const char *path, char out[PATH_LEN_MAX + 1]) {
    if (*path == 0) {
        return ERR_INVALID;
    }
    char whole[PATH_LEN_MAX + 1];
    size_t length = 0;
    long status = *path == '/' ? 0 : append(whole, &length, cwd);
    if (status == 0) {
        status = append(whole, &length, path);
    }
    if (status < 0) {
        return status;
    }
    if (length == 0) {
        whole[length++] = '/';
    }
    memcpy(out, whole, length);
    out[length] = 0;
    return 0;
}

const char *path_base(const char *path) {
    const char *base = path;
    for (; *path != 0; path++) {
        if (path[0] == '/' && path[1] != 0) {
            base = path + 1;
        }
    }
    return base;
}

long path_join(const char *directory, const char *name, char out[PATH_LEN_MAX + 1]) {
    size_t first = strlen(directory);
    size_t second = strlen(name);
    bool slash = first == 0 || directory[first - 1] != '/';
    if (first + slash + second > PATH_LEN_MAX) {
        return ERR_NAME_TOO_LONG;
    }
    memmove(out, directory, first);
    if (slash) {
        out[first++] = '/';
    }
    memcpy(out + first, name, second + 1);
    return 0;
}
