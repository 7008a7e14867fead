#include "abi/calls.h"
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/thread.h"

enum { STACK_ALIGNMENT = 16 };

long sys_thread_create(struct thread *self, handle_t process, user_ptr_t entry, user_ptr_t stack, uint64_t argument,
                       uint32_t priority) {
    if (entry.va < ARCH_USER_BASE || entry.va >= ARCH_USER_TOP || stack.va <= ARCH_USER_BASE ||
        stack.va > ARCH_USER_TOP || stack.va % STACK_ALIGNMENT != 0 || priority >= PRIORITIES) {
        return ERR_INVALID;
    }
    if (priority > self->priority) {
        return ERR_ACCESS;
    }
    struct object *object;
    status_t status = handle_get(&self->process->handles, process, OBJECT_PROCESS, RIGHT_ADMIN, &object);
    if (status < 0) {
        return status;
    }
    struct thread *thread;
    status = thread_create(process_of(object), entry.va, stack.va, argument, priority, &thread);
    if (status < 0) {
        return status;
    }
    handle_t value;
    status = handle_insert(&self->process->handles, &thread->object,
                           RIGHT_READ | RIGHT_WATCH | RIGHT_GRANT | RIGHT_ADMIN, 0, nullptr, &value);
    if (status < 0) {
        thread_end(thread);
    } else {
        thread_start(thread);
    }
    object_unref(&thread->object);
    return status < 0 ? status : (long)value;
}

long sys_thread_exit(struct thread *self) {
    thread_end(self);
    return CALL_PENDING;
}
