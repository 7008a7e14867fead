// read and write: rights, bounds, and then the object's own way.
#include "kernel/object.h"

#include "abi/calls.h"
#include "kernel/process.h"
#include "kernel/thread.h"

long sys_read(struct thread *self, handle_t handle, user_ptr_t buffer, uint64_t length, uint64_t offset) {
    struct handle *from;
    status_t status = handle_find(&self->process->handles, handle, &from);
    if (status < 0) {
        return status;
    }
    struct object *object = from->object;
    if (object->ops->read == nullptr) {
        return ERR_WRONG_KIND;
    }
    if ((from->rights & RIGHT_READ) == 0) {
        return ERR_RIGHTS;
    }
    return object->ops->read(object, self, buffer, length < READ_MAX ? length : READ_MAX, offset);
}

long sys_write(struct thread *self, handle_t handle, user_ptr_t buffer, uint64_t length, uint64_t offset) {
    struct handle *to;
    status_t status = handle_find(&self->process->handles, handle, &to);
    if (status < 0) {
        return status;
    }
    struct object *object = to->object;
    if (object->ops->write == nullptr) {
        return ERR_WRONG_KIND;
    }
    if ((to->rights & RIGHT_WRITE) == 0) {
        return ERR_RIGHTS;
    }
    // A message is whole or not at all: a connection sees the true length.
    if (length >= READ_MAX && object->ops->kind != OBJECT_CONNECTION && object->ops->kind != OBJECT_CHANNEL) {
        length = READ_MAX;
    }
    return object->ops->write(object, self, buffer, length, offset);
}
