// Files, directories and links by path, and bytes by handle. Paths are absolute or relative to the current directory.
// Whatever returns a long gives a negative error of the ABI table on failure. Reading and writing wait where the kernel
// would say "empty" or "full".
#pragma once

#include "abi/abi.h"
#include "base/types.h"

// Open what is at `path`; flags are OPEN_*, mode the permission bits for OPEN_CREATE. The handle.
[[nodiscard]] long file_open(const char *path, uint32_t flags, uint32_t mode);

// Give the handle up; 0 is allowed and does nothing.
void file_close(handle_t handle);

// Read up to `length` bytes from the handle's position; waits for the first of them. Bytes read; 0 at the end of the
// input: the file's end, or the other side has hung up. Reading handle 0 (no standard input) gives 0. A buffer of
// MESSAGE_MAX bytes is enough for every source of messages.
[[nodiscard]] long file_read(handle_t handle, void *buffer, size_t length);

// The same, waiting no longer than the deadline (nanoseconds since boot): ERR_TIMED_OUT.
[[nodiscard]] long file_read_until(handle_t handle, void *buffer, size_t length, uint64_t deadline);

// Write all `length` bytes at the handle's position, in as many pieces as it takes: to a connection, messages of at
// most MESSAGE_MAX bytes. 0 when everything is written. Handle 0 takes everything and keeps nothing.
[[nodiscard]] long file_write(handle_t handle, const void *buffer, size_t length);

// One write call, for command files and single messages: all bytes at once, waiting while the queue is full. 0.
[[nodiscard]] long file_write_once(handle_t handle, const void *buffer, size_t length);

// Open `path` for writing, write the text in one call, close. 0.
[[nodiscard]] long file_command(const char *path, const char *text);

// Read a whole file into `buffer` of `capacity` bytes, always terminated with a zero. Its length, without the zero;
// ERR_TOO_BIG if it does not fit.
[[nodiscard]] long file_load(const char *path, char *buffer, size_t capacity);

// Read a whole file of any size into memory from malloc, terminated with a zero; *text receives it, for the caller to
// free. Its length without the zero.
[[nodiscard]] long file_load_all(const char *path, char **text);

// Copy everything from one handle to another until the input ends. Bytes copied.
[[nodiscard]] long file_copy(handle_t from, handle_t to);

[[nodiscard]] long file_stat(const char *path, struct abi_stat *stat);
[[nodiscard]] long file_make_dir(const char *path, uint32_t mode);
[[nodiscard]] long file_make_link(const char *path, const char *target);
[[nodiscard]] long file_remove(const char *path);
[[nodiscard]] long file_rename(const char *from, const char *to);
[[nodiscard]] long file_set_mode(const char *path, uint32_t mode);

// The target of a link, terminated.
[[nodiscard]] long file_read_link(const char *path, char target[PATH_LEN_MAX + 1]);

// Step through an open directory. Start with a zeroed cursor; 1: *entry is the next one (valid until the next step),
// 0: the end.
struct file_cursor {
    uint64_t cookie;
    unsigned count;
    unsigned next;
    struct abi_dirent entries[8];
};
[[nodiscard]] long file_next(handle_t directory, struct file_cursor *cursor, const struct abi_dirent **entry);

// Every entry of a directory in memory from malloc, sorted by name. The number of entries.
[[nodiscard]] long file_list(const char *path, struct abi_dirent **entries);

// "drwxr-xr-x" of a node: kind (d - c l m and - for kernel files, v for devices) and mode.
void file_mode_text(const struct abi_stat *stat, char text[11]);
