// Paths as strings. The library resolves every path itself: the kernel only ever sees normalised absolute paths,
// relative to the root handle.
#pragma once

#include "abi/abi.h"
#include "base/types.h"

// Make `path`, absolute or relative to the absolute path `cwd`, into a normalised absolute path: one slash between
// names, none at the end, no `.`, and `..` taken as the name before it, whatever that is (so it never follows a link
// back). Above the root, `..` stays at the root. `out` may be `cwd` itself. 0; ERR_INVALID for an empty path;
// ERR_NAME_TOO_LONG when a name exceeds NAME_LEN_MAX or the result PATH_LEN_MAX.
[[nodiscard]] long path_normalise(const char *cwd, const char *path, char out[PATH_LEN_MAX + 1]);

// The last name of a path; the path itself if it has no slash. Points into `path`.
const char *path_base(const char *path);

// `directory`/`name` into out. ERR_NAME_TOO_LONG when it exceeds PATH_LEN_MAX.
[[nodiscard]] long path_join(const char *directory, const char *name, char out[PATH_LEN_MAX + 1]);
