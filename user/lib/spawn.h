// Starting programs. The library does the whole job with the caller's own authority: it reads the ELF file, builds the
// address space, writes the bootstrap record, gives the handles and starts the first thread. Text and constants are
// mapped from the file's own pages.
#pragma once

#include "abi/abi.h"
#include "base/types.h"

enum {
    SPAWN_RECORD_MAX = 64 * 1024, // bytes of a bootstrap record: arguments and environment together
    SPAWN_HANDLES_MAX = 16,       // further handles
    SPAWN_STACK_SIZE = 256 * 1024,
};

// What to start and with what. Zero in a field means what its line says.
struct spawn {
    const char *path;         // the executable, absolute or relative to the current directory
    char *const *arguments;   // null-terminated; arguments[0] is the program's name for itself. Null: path alone
    char *const *environment; // null-terminated NAME=value strings. Null: the caller's own
    const char *cwd;          // its current directory. Null: the caller's own
    handle_t root;            // its namespace. 0: the caller's own
    handle_t input;           // 0: none
    handle_t output;          // 0: none
    handle_t error;           // 0: none
    const handle_t *handles;  // further handles, passed with all rights they have
    unsigned handle_count;    // up to SPAWN_HANDLES_MAX
    bool other_identity;      // start it as owner and group below instead of the caller's
    uint32_t owner;
    uint32_t group;
    uint32_t priority; // of its first thread. 0: PRIORITY_DEFAULT
};

// Start a program. All handles named in `spawn` stay the caller's. The new process's handle, with every right; or an
// error, and then nothing is left behind: ERR_NOT_EXEC for a file that is no program of this machine, ERR_TOO_BIG for
// too many arguments, and whatever open and the other calls give.
[[nodiscard]] long spawn_program(const struct spawn *spawn);
