#include "abi/calls.h"
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/thread.h"

static bool name_valid(const char *name, uint64_t length) {
    for (uint64_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)name[i];
        if (c < ' ' || c == 0x7f || c == '/') {
            return false;
        }
    }
    return true;
}

long sys_process_create(struct thread *self, user_ptr_t name, uint64_t name_len, uint32_t owner, uint32_t group) {
    char text[PROCESS_NAME_MAX + 1];
    if (name_len == 0) {
        return ERR_INVALID;
    }
    if (name_len > PROCESS_NAME_MAX) {
        return ERR_NAME_TOO_LONG;
    }
    status_t status = user_copy_in(text, name, name_len);
    if (status < 0) {
        return status;
    }
    text[name_len] = '\0';
    if (!name_valid(text, name_len)) {
        return ERR_INVALID;
    }
    const struct process *creator = self->process;
    owner = owner == ID_INHERIT ? creator->owner : owner;
    group = group == ID_INHERIT ? creator->group : group;
    if (creator->owner != 0 && (owner != creator->owner || group != creator->group)) {
        return ERR_ACCESS;
    }
    struct process *process;
    status = process_create(text, owner, group, creator->pid, &process);
    if (status < 0) {
        return status;
    }
    handle_t value;
    status = handle_insert(&self->process->handles, &process->object, RIGHTS_ALL, 0, nullptr, &value);
    if (status < 0) {
        process_end(process, PROCESS_KILLED, -1);
    }
    object_unref(&process->object);
    return status < 0 ? status : (long)value;
}

long sys_process_info(struct thread *self, handle_t process, user_ptr_t info) {
    struct object *object;
    status_t status = handle_get(&self->process->handles, process, OBJECT_PROCESS, RIGHT_READ, &object);
    if (status < 0) {
        return status;
    }
    const struct process *about = process_of(object);
    struct abi_process_info answer = {
        .started = about->started,
        .ended = about->ended,
        .cpu_time = process_cpu_time(about),
        .pid = about->pid,
        .parent = about->parent,
        .state = about->state,
        .exit_status = about->exit_status,
        .owner = about->owner,
        .group = about->group,
    };
    return user_copy_out(info, &answer, sizeof answer);
}

long sys_kill(struct thread *self, handle_t process, int32_t status) {
    struct object *object;
    status_t refusal = handle_get(&self->process->handles, process, OBJECT_PROCESS, RIGHT_ADMIN, &object);
    if (refusal < 0) {
        return refusal;
    }
    return process_end(process_of(object), PROCESS_KILLED, status);
}

long sys_exit(struct thread *self, int32_t status) {
    process_end(self->process, PROCESS_EXITED, status);
    return CALL_PENDING;
}
