// What the calls on names have in common: a handle to an open node, and a path in user memory, copied once.
#pragma once

#include "abi/abi.h"
#include "kernel/handle.h"

struct file;

// The open node behind a handle, and the handle. ERR_BAD_HANDLE, ERR_WRONG_KIND, ERR_RIGHTS, in that order.
[[nodiscard]] status_t argument_file(struct thread *self, handle_t value, uint32_t rights, struct file **file,
                                     struct handle **handle);
// A path of 0 to PATH_LEN_MAX bytes, put where walk_path resolves it (walk_room): to be resolved before the next one comes.
// ERR_NAME_TOO_LONG, ERR_FAULT, ERR_INVALID (a NUL), ERR_NO_MEMORY.
[[nodiscard]] status_t argument_path(user_ptr_t from, uint64_t length, const char **path);
