// watch_path: watching a path, name by name. Watching what is open already is ipc/notifier_sys.c's.
#include "abi/calls.h"
#include "ipc/notifier.h"
#include "kernel/panic.h"
#include "kernel/process.h"
#include "kernel/thread.h"
#include "kfs/argument.h"
#include "kfs/file.h"
#include "kfs/node.h"
#include "kfs/walk.h"

struct wanted {
    struct notifier *notifier;
    uint64_t bits, id;
};

static status_t watch_entry(void *context, struct node *directory, const char *name, size_t length) {
    struct wanted *wanted = context;
    return notifier_watch_entry(wanted->notifier, node_watched(directory), name, length, wanted->bits, &wanted->id);
}

long sys_watch_path(struct thread *self, handle_t notifier, handle_t dir, user_ptr_t path, uint64_t path_len,
                    uint64_t bits, struct call_results *out) {
    struct object *object;
    status_t status = handle_get(&self->process->handles, notifier, OBJECT_NOTIFIER, RIGHT_ADMIN, &object);
    if (status < 0) {
        return status;
    }
    struct file *start;
    struct handle *handle;
    status = argument_file(self, dir, RIGHT_READ, &start, &handle);
    if (status < 0) {
        return status;
    }
    const char *text;
    status = argument_path(path, path_len, &text);
    if (status < 0) {
        return status;
    }
    if (bits == 0) {
        return ERR_INVALID;
    }
    struct wanted wanted = {.notifier = notifier_of(object), .bits = bits};
    status = walk_look(start->node, self->process, text, path_len, watch_entry, &wanted);
    if (status == 0 && wanted.id == 0) {
        status = ERR_INVALID; // no name was looked up
    }
    if (status == 0) {
        out->word[0] = wanted.id;
    } else if (wanted.id != 0) {
        status_t undone = notifier_unwatch(wanted.notifier, wanted.id);
        KASSERT(undone == 0);
    }
    return status;
}
