// What the rest of the kernel needs of the namespace: boot and the first handles. Everything else about names stays
// inside kfs/. Needs the kernel lock (or the boot CPU alone).
#pragma once

#include "kernel/include/arch.h"
#include "kernel/object.h"

// Build the tree: /kern, /proc, /dev, /ipc, /svc, /tmp, then /bin … from the initial archives, whose memory is given back.
// ERR_NO_MEMORY, ERR_INVALID (an archive is damaged: what is readable is there, and the log says so).
[[nodiscard]] status_t kfs_init(const struct boot_info *boot);
// An open directory object for the root, one reference, for init's bootstrap record. ERR_NO_MEMORY.
[[nodiscard]] status_t kfs_open_root(struct object **directory);
// The memory object of an ordinary file by absolute path (kernel use: init's ELF file), no new reference. ERR_NOT_FOUND
// and what else looking it up may give, ERR_WRONG_KIND, ERR_NO_MEMORY.
[[nodiscard]] status_t kfs_file(const char *path, struct pages **pages, uint64_t *size);
