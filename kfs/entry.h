// Who may add an entry to a directory, and who may take one away: the rules that make names trustworthy (IPC-7.6).
//
//   - Nothing is ever put over an existing name.
//   - Adding needs w and x on the directory; nothing is added to what belongs to the kernel, nor below a channel.
//   - Taking away needs w and x on the directory, and the entry must be the caller's own (or the caller user 0): so in a
//     directory that everybody may write, such as /ipc, nobody can remove or rename what somebody else has put there.
//
// Needs the kernel lock.
#pragma once

#include "base/types.h"
#include "kfs/walk.h"

enum { ENTRY_DEPTH_MAX = 128 }; // directories above a new entry: deeper ones no path could name anyway

// walk was made with WALK_PARENT. ERR_EXISTS, ERR_NOT_FOUND, ERR_ACCESS, ERR_READ_ONLY, ERR_INVALID (a name that cannot
// be given), ERR_NAME_TOO_LONG (too deep).
[[nodiscard]] status_t entry_may_add(const struct walk *walk, const struct process *caller);
// walk was made with WALK_NOFOLLOW. ERR_BUSY, ERR_ACCESS, ERR_READ_ONLY.
[[nodiscard]] status_t entry_may_take(const struct walk *walk, const struct process *caller);
// Whether node is directory or stands above it.
[[nodiscard]] bool entry_encloses(const struct node *node, const struct node *directory);
// Take the node out of the tree; a channel ceases to be.
void entry_remove(struct node *node);
