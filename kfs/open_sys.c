#include "abi/calls.h"
#include "kernel/process.h"
#include "kernel/thread.h"
#include "kfs/argument.h"
#include "kfs/file.h"
#include "kfs/open.h"

long sys_open(struct thread *self, handle_t dir, user_ptr_t path, uint64_t path_len, uint32_t flags, uint32_t mode) {
    status_t status = open_check(flags, mode);
    if (status < 0) {
        return status;
    }
    uint32_t asked = open_asks(flags);
    struct file *start;
    struct handle *parent;
    status = argument_file(self, dir, open_needs(flags, asked), &start, &parent);
    if (status < 0) {
        return status;
    }
    const char *text;
    status = argument_path(path, path_len, &text);
    if (status < 0) {
        return status;
    }
    struct opening opening;
    opening.caller = self->process;
    opening.flags = flags;
    opening.mode = mode;
    opening.asked = asked;
    opening.bound = parent->rights;
    status = open_prepare(start->node, text, path_len, &opening);
    if (status < 0) {
        return status;
    }
    handle_t handle;
    status = handle_insert(&self->process->handles, opening.object, opening.rights, 0, parent, &handle);
    if (status < 0) {
        open_abandon(&opening);
        return status;
    }
    struct object *object = opening.object;
    open_commit(&opening);
    object_unref(object);
    return (long)handle;
}
