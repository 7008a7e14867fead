// Ordinary files: bytes in a memory object, which is made at the first write and never shrinks; cutting a file replaces
// it. What lies beyond the size is zero. Needs the kernel lock.
#pragma once

#include "base/types.h"
#include "kernel/include/user_ptr.h"

struct node;
struct pages;

// Bytes moved, fewer at the end of the file. ERR_FAULT, ERR_NO_MEMORY.
[[nodiscard]] long ramfile_read(struct node *node, user_ptr_t buffer, uint64_t length, uint64_t offset);
// Bytes moved; fewer if only a part could be. ERR_TOO_BIG (nothing moved), ERR_BUSY (it is mapped executable), ERR_FAULT,
// ERR_NO_MEMORY.
[[nodiscard]] long ramfile_write(struct node *node, user_ptr_t buffer, uint64_t length, uint64_t offset);
// From the kernel, whole or not at all; at most FILE_MAX bytes. ERR_NO_MEMORY.
[[nodiscard]] status_t ramfile_fill(struct node *node, const void *bytes, uint64_t length);
// Cut to nothing; it is not mapped.
void ramfile_truncate(struct node *node);
// Its memory object, made if there was none; no new reference. ERR_NO_MEMORY.
[[nodiscard]] status_t ramfile_pages(struct node *node, struct pages **pages);
