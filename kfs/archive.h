// Initial archives: cpio in the "new ASCII" format (magic 070701 or 070702), as the loader put them into memory. Several
// may follow one another, separated by zeroes. What is in them is not trusted: every length is checked against the end
// of the memory, every name against the rules of names.
#pragma once

#include "base/types.h"

struct node;

struct archive_counts {
    uint64_t directories, files, links, bytes;
    uint64_t skipped; // entries of other kinds, or whose name cannot be given or is taken
};

// Unpack into the tree below root: directories, files (mode as in the archive, owner and group 0) and symbolic links;
// a directory that is missing on the way is made. ERR_INVALID: the archive is damaged somewhere; what stood before that
// is there. ERR_NO_MEMORY, likewise.
[[nodiscard]] status_t archive_unpack(struct node *root, const void *archive, uint64_t size,
                                      struct archive_counts *counts);
