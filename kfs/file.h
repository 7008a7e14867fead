// An open node: what a handle to a directory, file, link or device names. Position and snapshot belong to it, so they are
// shared by all handles of one open; what may be done with it is in the rights of each handle.
//
// What is read of a kernel's text file was written when it was opened: all reads see one picture. A long table is the
// exception: it is written as it is read, some records at a time, each of them consistent in itself. It is read in order;
// a read at offset 0 begins it anew.
//
// Needs the kernel lock.
#pragma once

#include "kernel/object.h"
#include "kfs/text.h"

struct node;
struct process;

enum { FILE_HEAD = 320 };

struct file {
    struct object object;
    struct node *node; // referenced
    uint32_t flags;    // OPEN_APPEND matters
    bool begun;        // long table: its header has been written
    uint64_t position; // of OFFSET_CURRENT
    uint64_t text_offset;
    uint64_t cursor;  // long table: the last record written
    struct text text; // snapshot, or the part of a long table that begins at text_offset
    char head[];      // of a text file that is read: FILE_HEAD bytes in which the text begins
};

extern const struct object_ops file_ops, directory_ops, device_ops;

// Open a node, with one reference for the caller; takes the snapshot if it is to be read. ERR_NO_MEMORY.
[[nodiscard]] status_t file_new(struct node *node, const struct process *caller, uint32_t flags, struct file **file);
struct file *file_of(struct object *object); // of an OBJECT_FILE
