// Opening: where permission, identity and rights are decided, once. It is done in three steps, so that nothing has
// changed when it is refused, for lack of a handle too: prepare checks and makes the object, then the caller makes the
// handle, then commit does what cannot fail any more (link a created file, cut a truncated one).
//
// Rights follow from the flags: OPEN_READ, OPEN_WRITE, OPEN_EXEC and OPEN_ADMIN give the right of that name, OPEN_SERVE
// those of a server; RIGHT_WATCH and RIGHT_GRANT come along. None exceeds those of the directory handle. The handle of a
// directory is a place to look from: its rights bound what can be done below, and each thing done below is checked against
// the modes there, so OPEN_WRITE and OPEN_EXEC (only together with OPEN_DIR) ask nothing of the directory's own mode.
//
// Needs the kernel lock.
#pragma once

#include "kfs/walk.h"

struct object;

struct opening {
    const struct process *caller;
    uint32_t flags, mode;
    uint32_t asked; // rights that the flags ask for
    uint32_t bound; // rights of the directory handle
    struct walk walk;
    struct node *created;  // a file to be linked; referenced
    struct object *object; // the result, one reference
    uint32_t rights;       // of the handle to be made
};

// Flags and mode make sense. ERR_INVALID.
[[nodiscard]] status_t open_check(uint32_t flags, uint32_t mode);
// The rights that the flags ask for; with these, what they need of the directory handle.
uint32_t open_asks(uint32_t flags);
uint32_t open_needs(uint32_t flags, uint32_t asked);
// Look up and check; on success opening holds the object. Errors as sys_open documents.
[[nodiscard]] status_t open_prepare(struct node *start, const char *path, size_t length, struct opening *opening);
void open_commit(struct opening *opening);  // the object's reference is the caller's
void open_abandon(struct opening *opening); // the object goes

struct open_stats {
    uint64_t opens, failures, creations;
};
struct open_stats open_get_stats(void);
