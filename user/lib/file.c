// Files by path: normalise, then one call below the root handle.
#include "lib/file.h"

#include "base/memory.h"
#include "base/str.h"
#include "isthmus/calls.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "lib/self.h"
#include "lib/wait.h"

long file_open(const char *path, uint32_t flags, uint32_t mode) {
    char whole[PATH_LEN_MAX + 1];
    long status = path_normalise(self_cwd(), path, whole);
    return status < 0 ? status : sys_open(self_root(), whole, strlen(whole), flags, mode);
}

void file_close(handle_t handle) {
    if (handle != 0) {
        (void)sys_close(handle);
    }
}

long file_read_until(handle_t handle, void *buffer, size_t length, uint64_t deadline) {
    if (handle == 0 || length == 0) {
        return 0;
    }
    long status;
    do {
        status = sys_read(handle, buffer, length, OFFSET_CURRENT);
    } while (wait_retry(handle, &status, deadline));
    return status;
}

long file_read(handle_t handle, void *buffer, size_t length) {
    return file_read_until(handle, buffer, length, FOREVER);
}

static long write_some(handle_t handle, const void *buffer, size_t length) {
    long status;
    do {
        status = sys_write(handle, buffer, length, OFFSET_CURRENT);
    } while (wait_retry(handle, &status, FOREVER));
    return status;
}

long file_write(handle_t handle, const void *buffer, size_t length) {
    const char *at = buffer;
    size_t piece = length;
    while (handle != 0 && length > 0) {
        long written = write_some(handle, at, piece < length ? piece : length);
        if (written == ERR_TOO_BIG && piece > 1) {
            // A connection: its messages may be as small as one byte, but hardly ever are.
            piece = piece > MESSAGE_MAX ? MESSAGE_MAX : piece / 2;
            continue;
        }
        if (written <= 0) {
            return written < 0 ? written : ERR_FULL;
        }
        at += written;
        length -= (size_t)written;
    }
    return 0;
}

long file_write_once(handle_t handle, const void *buffer, size_t length) {
    long written = write_some(handle, buffer, length);
    if (written < 0) {
        return written;
    }
    return (size_t)written == length ? 0 : ERR_TOO_BIG;
}

long file_command(const char *path, const char *text) {
    long handle = file_open(path, OPEN_WRITE, 0);
    if (handle < 0) {
        return handle;
    }
    long status = file_write_once((handle_t)handle, text, strlen(text));
    file_close((handle_t)handle);
    return status;
}

long file_load(const char *path, char *buffer, size_t capacity) {
    long handle = file_open(path, OPEN_READ, 0);
    if (handle < 0) {
        return handle;
    }
    size_t length = 0;
    long status = 0;
    while (length < capacity) {
        status = file_read((handle_t)handle, buffer + length, capacity - length);
        if (status <= 0) {
            break;
        }
        length += (size_t)status;
    }
    file_close((handle_t)handle);
    if (status < 0) {
        return status;
    }
    if (length == capacity) {
        return ERR_TOO_BIG;
    }
    buffer[length] = 0;
    return (long)length;
}

long file_load_all(const char *path, char **text) {
    for (size_t capacity = 4096;; capacity *= 2) {
        char *buffer = malloc(capacity);
        if (buffer == nullptr) {
            return ERR_NO_MEMORY;
        }
        long length = file_load(path, buffer, capacity);
        if (length >= 0) {
            *text = buffer;
            return length;
        }
        free(buffer);
        if (length != ERR_TOO_BIG || capacity > FILE_MAX) {
            return length;
        }
    }
}

long file_copy(handle_t from, handle_t to) {
    char buffer[4096];
    long total = 0;
    for (;;) {
        long length = file_read(from, buffer, sizeof buffer);
        if (length <= 0) {
            return length < 0 ? length : total;
        }
        long status = file_write(to, buffer, (size_t)length);
        if (status < 0) {
            return status;
        }
        total += length;
    }
}

long file_stat(const char *path, struct abi_stat *stat) {
    char whole[PATH_LEN_MAX + 1];
    long status = path_normalise(self_cwd(), path, whole);
    return status < 0 ? status : sys_stat(self_root(), whole, strlen(whole), stat);
}

long file_make_dir(const char *path, uint32_t mode) {
    char whole[PATH_LEN_MAX + 1];
    long status = path_normalise(self_cwd(), path, whole);
    return status < 0 ? status : sys_make(self_root(), whole, strlen(whole), NODE_DIR, mode);
}

long file_make_link(const char *path, const char *target) {
    char both[2 * PATH_LEN_MAX + 2];
    long status = path_normalise(self_cwd(), path, both);
    if (status < 0) {
        return status;
    }
    size_t first = strlen(both) + 1;
    size_t second = strlen(target);
    if (second > PATH_LEN_MAX) {
        return ERR_NAME_TOO_LONG;
    }
    memcpy(both + first, target, second);
    return sys_make(self_root(), both, first + second, NODE_LINK, 0);
}

long file_remove(const char *path) {
    char whole[PATH_LEN_MAX + 1];
    long status = path_normalise(self_cwd(), path, whole);
    return status < 0 ? status : sys_remove(self_root(), whole, strlen(whole));
}

long file_rename(const char *from, const char *to) {
    char old[PATH_LEN_MAX + 1];
    char new[PATH_LEN_MAX + 1];
    long status = path_normalise(self_cwd(), from, old);
    if (status == 0) {
        status = path_normalise(self_cwd(), to, new);
    }
    return status < 0 ? status : sys_rename(self_root(), old, strlen(old), new, strlen(new));
}

long file_set_mode(const char *path, uint32_t mode) {
    char whole[PATH_LEN_MAX + 1];
    long status = path_normalise(self_cwd(), path, whole);
    return status < 0 ? status : sys_setattr(self_root(), whole, strlen(whole), ATTR_MODE, mode, 0);
}

long file_read_link(const char *path, char target[PATH_LEN_MAX + 1]) {
    long handle = file_open(path, OPEN_READ | OPEN_NOFOLLOW, 0);
    if (handle < 0) {
        return handle;
    }
    long length = sys_read((handle_t)handle, target, PATH_LEN_MAX, 0);
    file_close((handle_t)handle);
    if (length >= 0) {
        target[length] = 0;
    }
    return length;
}

long file_next(handle_t directory, struct file_cursor *cursor, const struct abi_dirent **entry) {
    if (cursor->next == cursor->count) {
        long count =
            sys_list(directory, cursor->cookie, cursor->entries, sizeof cursor->entries / sizeof cursor->entries[0]);
        if (count <= 0) {
            return count;
        }
        cursor->count = (unsigned)count;
        cursor->next = 0;
    }
    *entry = &cursor->entries[cursor->next++];
    cursor->cookie = (*entry)->cookie;
    return 1;
}

// Shell sort: short, in place, no recursion.
static void sort_by_name(struct abi_dirent *entries, size_t count) {
    for (size_t gap = count / 2; gap > 0; gap /= 2) {
        for (size_t i = gap; i < count; i++) {
            struct abi_dirent moving = entries[i];
            size_t at = i;
            for (; at >= gap && strcmp(entries[at - gap].name, moving.name) > 0; at -= gap) {
                entries[at] = entries[at - gap];
            }
            entries[at] = moving;
        }
    }
}

long file_list(const char *path, struct abi_dirent **entries) {
    long handle = file_open(path, OPEN_READ | OPEN_DIR, 0);
    if (handle < 0) {
        return handle;
    }
    struct file_cursor cursor = {};
    const struct abi_dirent *entry;
    struct abi_dirent *all = nullptr;
    size_t count = 0;
    size_t capacity = 0;
    long status;
    while ((status = file_next((handle_t)handle, &cursor, &entry)) > 0) {
        if (count == capacity) {
            capacity = capacity == 0 ? 16 : 2 * capacity;
            struct abi_dirent *more = realloc(all, capacity * sizeof *all);
            if (more == nullptr) {
                status = ERR_NO_MEMORY;
                break;
            }
            all = more;
        }
        all[count++] = *entry;
    }
    file_close((handle_t)handle);
    if (status < 0) {
        free(all);
        return status;
    }
    sort_by_name(all, count);
    *entries = all;
    return (long)count;
}

void file_mode_text(const struct abi_stat *stat, char text[11]) {
    static const char kinds[] = "?d--clmv";
    static const char bits[] = "rwxrwxrwx";
    text[0] = stat->kind < sizeof kinds - 1 ? kinds[stat->kind] : '?';
    for (unsigned i = 0; i < 9; i++) {
        text[1 + i] = stat->mode & (0400u >> i) ? bits[i] : '-';
    }
    text[10] = 0;
}
