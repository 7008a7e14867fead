// The operations behind what the kernel itself provides in the namespace: text files, command files, devices, and
// directories whose entries are made when somebody looks. Each node points to one constant table; an operation left null
// has the default named beside it. Implementations are small: the format of text is text.h's, offsets, snapshots, user
// addresses and permissions are file.c's and open.c's business.
//
// caller is the process on whose behalf it happens; null for the kernel, which looks up but opens nothing. Needs the
// kernel lock.
#pragma once

#include "abi/abi.h"
#include "base/types.h"
#include "kernel/include/user_ptr.h"

struct file;
struct node;
struct object;
struct pages;
struct process;
struct text;
struct text_columns;
struct thread;

enum { COMMAND_MAX = 127 };

struct tree_ops {
    // -- text file: one of the two, or neither for a file that cannot be read.
    // The whole content, written at open.
    void (*snapshot)(const struct node *node, const struct process *caller, struct text *text);
    // A long table, written as it is read: look at what follows *cursor (0: the first), advance it, and perhaps add a line or
    // a few; false at the end, with nothing written. What takes more work than writing those lines is deducted from *budget,
    // in units of about 100 instructions (slice_spend); looking at something at all costs one of them anyway. columns is the
    // header line.
    const struct text_columns *columns;
    bool (*record)(const struct node *node, uint64_t *cursor, struct text *text, unsigned *budget);

    // -- command file: one command, zero-terminated, without the newline that ended it. 0, an error, or CALL_PENDING if
    // the calling thread is gone. Null: the file cannot be written (ERR_READ_ONLY).
    long (*command)(struct node *node, struct thread *self, const char *command);

    // -- device: bytes straight in and out, as sys_read and sys_write. Null: as a file without content.
    long (*read)(struct thread *self, user_ptr_t buffer, uint64_t length);
    long (*write)(struct thread *self, user_ptr_t buffer, uint64_t length);
    struct object *(*source)(void); // who carries its events; null: always ready

    // -- dynamic directory, which has both of these: a new node (node_synthesise) with one reference. A directory without
    // operations has stored entries.
    status_t (*lookup)(struct node *directory, const struct process *caller, const char *name, size_t length,
                       struct node **child); // ERR_NOT_FOUND, ERR_NO_MEMORY
    // The entry after *cookie (0: the first), and its cookie. ERR_NOT_FOUND at the end, ERR_NO_MEMORY.
    status_t (*next)(struct node *directory, const struct process *caller, uint64_t *cookie, struct node **child);

    // -- what is opened is not a file: another object, with one reference, and which rights its handle shall have (asked
    // holds those that the flags ask for). Null: a file.
    status_t (*open)(struct node *node, const struct process *caller, uint32_t flags, uint32_t asked,
                     struct object **object, uint32_t *rights);
};

// An entry of the kernel's tree, by path from a directory; directories on the way are made.
struct tree_entry {
    const char *path;
    uint32_t kind; // NODE_KERNEL, NODE_DEVICE, NODE_DIR
    uint32_t mode;
    const struct tree_ops *ops; // null: a stored directory
};

// Make the entries below root; they belong to the kernel and user 0, and are sealed. ERR_NO_MEMORY.
[[nodiscard]] status_t tree_build(struct node *root, const struct tree_entry *entries, size_t count);

// For lookup in a directory of fixed entries: the index of the name among count names, or count.
size_t tree_index(const char *const *names, size_t count, const char *name, size_t length);

// What the kernel provides, one function per file kern_<area>.c, proc.c, dev.c; each adds its entries below the root.
[[nodiscard]] status_t kern_system_build(struct node *root);
[[nodiscard]] status_t kern_arch_build(struct node *root);
[[nodiscard]] status_t kern_ipc_build(struct node *root);
[[nodiscard]] status_t kern_waits_build(struct node *root);
[[nodiscard]] status_t kern_mem_build(struct node *root);
[[nodiscard]] status_t kern_sched_build(struct node *root);
[[nodiscard]] status_t kern_proc_build(struct node *root);
[[nodiscard]] status_t kern_thread_build(struct node *root);
[[nodiscard]] status_t kern_ns_build(struct node *root);
[[nodiscard]] status_t kern_console_build(struct node *root);
[[nodiscard]] status_t kern_irq_build(struct node *root);
[[nodiscard]] status_t proc_build(struct node *root);
[[nodiscard]] status_t dev_build(struct node *root);
