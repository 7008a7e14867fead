// Resolving paths, and nothing else.
//
// A path is resolved from a starting directory. Leading, doubled and trailing slashes count for nothing, except that what
// stands before a trailing slash must be a directory. "." stays, ".." goes up but never above the starting directory.
// Links are followed, at most LINK_DEPTH_MAX of them; the target of a link is relative to the directory that the link is
// in, or, if it begins with a slash, to the starting directory: a link never leads out of the namespace of whoever follows
// it. Each directory that is passed must permit MODE_EXEC to the caller.
//
// Work is bounded by the length of the path and of the links' targets. Needs the kernel lock.
#pragma once

#include "abi/abi.h"
#include "base/types.h"

struct node;
struct process;

enum {
    WALK_NOFOLLOW = 1, // a link in the last component is what is meant
    WALK_PARENT = 2,   // the last component may be missing: its directory is the answer
};

struct walk {
    struct node *node;           // what the path names; with WALK_PARENT null if nothing is there. Referenced.
    struct node *parent;         // the directory that holds it or would; null if the path ends in no name. Referenced.
    size_t length;               // of the last component; 0 if the path is empty or ends in "." or ".."
    char name[NAME_LEN_MAX + 1]; // the last component, where node is null
    bool through_link;           // the last component was part of a link's target
    bool wants_directory;        // there was a slash behind it
};

// Where a path of at most PATH_LEN_MAX bytes stands best: from here walk_path and walk_look need not copy it. What is put
// here stays only until the next path is resolved or put here. Eight bytes that are not zero stand behind it.
char *walk_room(size_t length);
// Resolve a path of at most PATH_LEN_MAX bytes, as argument_path hands it over; caller null: the kernel. On success the
// caller ends with walk_done, after a failure there is nothing to release. ERR_NOT_FOUND,
// ERR_NOT_DIR, ERR_ACCESS, ERR_LOOP, ERR_NAME_TOO_LONG, ERR_NO_MEMORY, ERR_REMOVED (start; the empty path still
// names it).
[[nodiscard]] status_t walk_path(struct node *start, const struct process *caller, const char *path, size_t length,
                                 unsigned flags, struct walk *walk);
void walk_done(struct walk *walk);

// Resolve only to see how: told of each name that is looked up in a stored directory on the way, found or not, until the
// path ends or a name is missing, or until told says no with an error. 0, that error, or the errors of walk_path;
// ERR_WRONG_KIND when the name that is missing was looked up in a directory that is not stored.
[[nodiscard]] status_t
walk_look(struct node *start, const struct process *caller, const char *path, size_t length,
          status_t (*told)(void *context, struct node *directory, const char *name, size_t length), void *context);

struct walk_stats {
    uint64_t walks, failures;
    uint64_t components, links;
};
struct walk_stats walk_get_stats(void);
