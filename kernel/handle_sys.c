#include "kernel/handle.h"

#include "abi/calls.h"
#include "kernel/process.h"
#include "kernel/thread.h"

long sys_close(struct thread *self, handle_t handle) {
    return handle_close(&self->process->handles, handle);
}

long sys_dup(struct thread *self, handle_t handle, uint32_t rights) {
    struct handle *from;
    status_t status = handle_find(&self->process->handles, handle, &from);
    if (status < 0) {
        return status;
    }
    if ((from->rights & RIGHT_GRANT) == 0 || (rights & ~(uint32_t)from->rights) != 0) {
        return ERR_RIGHTS;
    }
    handle_t value;
    status = handle_insert(&self->process->handles, from->object, rights, from->badge, from, &value);
    return status < 0 ? status : (long)value;
}

long sys_give(struct thread *self, handle_t process, handle_t handle, uint32_t rights) {
    struct handle *to, *from;
    status_t status = handle_find(&self->process->handles, process, &to);
    if (status == 0) {
        status = handle_find(&self->process->handles, handle, &from);
    }
    if (status != 0) {
        return status;
    }
    if (to->object->ops->kind != OBJECT_PROCESS) {
        return ERR_WRONG_KIND;
    }
    if ((to->rights & RIGHT_ADMIN) == 0 || (from->rights & RIGHT_GRANT) == 0 ||
        (rights & ~(uint32_t)from->rights) != 0) {
        return ERR_RIGHTS;
    }
    struct process *receiver = process_of(to->object);
    if (!process_alive(receiver)) {
        return ERR_DEAD;
    }
    handle_t value;
    status = handle_insert(&receiver->handles, from->object, rights, from->badge, from, &value);
    if (status < 0) {
        return status;
    }
    if (receiver->state == PROCESS_EMBRYO && from->object == &receiver->object) {
        process_holds_itself(receiver);
    }
    return (long)value;
}
