// What every kernel object has: a kind, a count of references, a count of handles, and the threads that wait for its
// events. An object type embeds `struct object` as its first member and provides one table of operations; an operation
// left null is refused with ERR_WRONG_KIND.
//
// Life: object_init leaves one reference, the creator's. Each handle holds one more reference and counts as a handle.
// When the last handle goes, ops->unhandled runs (a connection hangs up, a channel loses its server); when the last
// reference goes, ops->destroy frees it. Both may be long for some types: those queue a slice (slice.h).
//
// Everything here needs the kernel lock.
#pragma once

#include "abi/abi.h"
#include "base/list.h"
#include "base/types.h"
#include "kernel/include/user_ptr.h"
#include "kernel/panic.h"
#include "kernel/watch.h"

struct handle;
struct object;
struct pages;
struct process;
struct thread;

enum object_kind {
    OBJECT_PROCESS,
    OBJECT_THREAD,
    OBJECT_PAGES,
    OBJECT_CHANNEL,    // the server's side of a channel
    OBJECT_CONNECTION, // a client's side
    OBJECT_NOTIFIER,
    OBJECT_FILE,   // an open node of the namespace
    OBJECT_EVENTS, // an open events file
    OBJECT_KINDS
};

struct object_ops {
    enum object_kind kind;
    const char *name; // "process", …, as /proc/<pid>/handles shows it
    void (*destroy)(struct object *object);
    void (*unhandled)(struct object *object); // may be null
    // EVENT_* that hold now, asked only of the object that carries them (source). Null: cannot be waited for.
    uint32_t (*events)(const struct object *object);
    // Which object carries its events, when that is another one: sys_wait links the thread there and asks that one's
    // events, so that all opens of a device are woken by its one source. Null: itself.
    struct object *(*source)(struct object *object);
    // Data in and out; the caller holds the right, length is at most READ_MAX except for messages. Results as sys_read
    // and sys_write document them.
    long (*read)(struct object *object, struct thread *self, user_ptr_t buffer, uint64_t length, uint64_t offset);
    long (*write)(struct object *object, struct thread *self, user_ptr_t buffer, uint64_t length, uint64_t offset);
    // Who can make its events true, for FIELD-1: visit each process (repeatedly, perhaps) until visit says false or all
    // were visited. Returns false if somebody else can too: a device, the clock, whoever opens a path. May be null: then
    // somebody else it is.
    bool (*wakers)(const struct object *object, bool (*visit)(void *context, struct process *process), void *context);
    // What is watched by who watches the object; null: object->watched, if it has events.
    struct watched *(*watched)(struct object *object);
    // The memory behind it, for sys_map. Sets *pages (no new reference) and *size, how many bytes of it there are to map, or
    // returns why not; protection (PROT_*) tells what is asked.
    status_t (*memory)(struct object *object, unsigned protection, struct pages **pages, uint64_t *size);
    // One line about it for /proc/<pid>/handles and /kern/ipc/waits: a path, a size; zero-terminated, never longer than
    // capacity. Not null.
    void (*describe)(const struct object *object, char *text, size_t capacity);
};

struct object {
    const struct object_ops *ops;
    uint32_t references;
    uint32_t handles;
    struct list waiters;    // of struct wait_link (wait.h)
    struct list holders;    // of struct handle.holder: who has it
    struct watched watched; // who hears of its events (watch.h)
};

void object_init(struct object *object, const struct object_ops *ops); // counted per kind: object_count
void object_ref(struct object *object);
void object_gone(struct object *object); // object_unref's, of the last reference
// May destroy it.
static inline void object_unref(struct object *object) {
    KASSERT(object->references > 0);
    if (--object->references == 0) {
        object_gone(object);
    }
}
void object_handle_added(struct object *object); // a handle (and its reference) came
void object_handle_gone(struct object *object);  // a handle (and its reference) went; may destroy it
uint64_t object_count(enum object_kind kind);    // alive now
