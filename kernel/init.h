// Starting the first process, which has nobody to spawn it.
#pragma once

#include "kernel/include/arch.h"
#include "kernel/object.h"

// Make init from an executable file, size bytes long, and start it. Its namespace is root. The words of the command line
// are its arguments, those of the form NAME=value its environment. Needs the kernel lock, at boot. ERR_NOT_EXEC,
// ERR_NO_MEMORY.
[[nodiscard]] status_t init_start(struct pages *file, uint64_t size, struct object *root, const char *command_line);
