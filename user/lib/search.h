// Finding programs by name, as a shell does.
#pragma once

#include "abi/abi.h"
#include "base/types.h"

enum {
    SEARCH_NOT_FOUND = 127, // a shell's status for a command that is not there
    SEARCH_NOT_RUN = 126,   // and for one that is there but cannot be run
};

// Where the program `name` is: the name itself if it has a slash, otherwise the first file of that name in the
// directories of `directories`, separated by colons (null: /bin). 0 or ERR_NOT_FOUND, ERR_NAME_TOO_LONG.
[[nodiscard]] long search_program(const char *name, const char *directories, char path[PATH_LEN_MAX + 1]);

// The shell's status for an error of search_program or spawn_program.
int search_status(long error);
