#include "kernel/wait.h"

#include "abi/calls.h"
#include "kernel/include/arch.h"
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/thread.h"

static constexpr uint32_t EVENTS_ALL =
    EVENT_READABLE | EVENT_WRITABLE | EVENT_PEER_LOST | EVENT_EXITED | EVENT_REMOVED | EVENT_CALLED;

static const struct park_kind wait_parked = {.operation = "wait", .withdraw = wait_withdraw};

long sys_wait(struct thread *self, user_ptr_t items, uint32_t count, uint64_t deadline, struct call_results *out) {
    struct abi_wait_item item[WAIT_MAX];
    struct object *object[WAIT_MAX];
    if (count > WAIT_MAX) {
        return ERR_INVALID;
    }
    status_t status = user_copy_in(item, items, count * sizeof item[0]);
    if (status < 0) {
        return status;
    }
    for (unsigned i = 0; i < count; i++) {
        if ((item[i].events & ~EVENTS_ALL) != 0) {
            return ERR_INVALID;
        }
    }
    uint64_t ready = 0;
    for (unsigned i = 0; i < count; i++) {
        struct handle *handle;
        status = handle_find(&self->process->handles, item[i].handle, &handle);
        if (status < 0) {
            return status;
        }
        if ((handle->rights & RIGHT_WATCH) == 0) {
            return ERR_RIGHTS;
        }
        const struct object_ops *ops = handle->object->ops;
        if (ops->events == nullptr) {
            return ERR_WRONG_KIND;
        }
        object[i] = ops->source != nullptr ? ops->source(handle->object) : handle->object;
        if ((object[i]->ops->events(object[i]) & item[i].events) != 0) {
            ready |= 1ull << i;
        }
    }
    if (ready != 0) {
        out->word[0] = ready;
        return 0;
    }
    if (deadline <= arch_time_now()) {
        return ERR_TIMED_OUT;
    }
    for (unsigned i = 0; i < count; i++) {
        struct wait_link *link = &self->wait[i];
        object_ref(object[i]);
        link->object = object[i];
        link->events = item[i].events;
        list_push_back(&object[i]->waiters, &link->link);
    }
    self->wait_count = (uint8_t)count;
    park_thread(self, &wait_parked, count > 0 ? object[0] : nullptr, deadline);
    return CALL_PENDING;
}
