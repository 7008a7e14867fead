// The calls on notifiers.
#include "abi/calls.h"
#include "ipc/notifier.h"
#include "kernel/handle.h"
#include "kernel/process.h"
#include "kernel/thread.h"

static status_t find_notifier(struct thread *self, handle_t handle, uint32_t rights, struct notifier **notifier) {
    struct object *object;
    status_t status = handle_get(&self->process->handles, handle, OBJECT_NOTIFIER, rights, &object);
    if (status == 0) {
        *notifier = notifier_of(object);
    }
    return status;
}

long sys_notifier_create(struct thread *self, uint32_t depth) {
    if (depth > NOTIFIER_DEPTH_MAX) {
        return ERR_INVALID;
    }
    struct notifier *notifier;
    status_t status = notifier_new(depth == 0 ? NOTIFIER_DEPTH : depth, self->process->pid, &notifier);
    if (status != 0) {
        return status;
    }
    constexpr uint32_t rights = RIGHT_READ | RIGHT_WRITE | RIGHT_WATCH | RIGHT_GRANT | RIGHT_ADMIN;
    handle_t value = 0;
    status = handle_insert(&self->process->handles, notifier_object(notifier), rights, 0, nullptr, &value);
    object_unref(notifier_object(notifier));
    return status < 0 ? status : (long)value;
}

long sys_signal(struct thread *self, handle_t handle, uint64_t bits) {
    struct notifier *notifier;
    status_t status = find_notifier(self, handle, RIGHT_WRITE, &notifier);
    if (status != 0) {
        return status;
    }
    if (bits == 0) {
        return ERR_INVALID;
    }
    notifier_signal(notifier, bits);
    return 0;
}

long sys_take(struct thread *self, handle_t handle, uint64_t mask, uint64_t deadline, struct call_results *out) {
    struct notifier *notifier;
    status_t status = find_notifier(self, handle, RIGHT_READ, &notifier);
    if (status != 0) {
        return status;
    }
    if (mask == 0) {
        return ERR_INVALID;
    }
    return notifier_take(notifier, self, mask, deadline, &out->word[0]);
}

static bool spec_valid(const struct abi_watch_spec *spec) {
    constexpr uint32_t flags = WATCH_COALESCE | WATCH_SILENT;
    return spec->events != 0 && (spec->events & ~WATCH_EVENTS) == 0 && (spec->flags & ~flags) == 0 &&
           ((spec->flags & WATCH_SILENT) == 0 || spec->bits != 0);
}

long sys_watch(struct thread *self, handle_t handle, handle_t object, user_ptr_t spec_at, struct call_results *out) {
    struct handle *from, *to;
    status_t status = handle_find(&self->process->handles, handle, &to);
    if (status == 0) {
        status = handle_find(&self->process->handles, object, &from);
    }
    if (status != 0) {
        return status;
    }
    const struct object_ops *ops = from->object->ops;
    if (to->object->ops->kind != OBJECT_NOTIFIER || (ops->watched == nullptr && ops->events == nullptr) ||
        ops->kind == OBJECT_NOTIFIER) {
        return ERR_WRONG_KIND;
    }
    if ((to->rights & RIGHT_ADMIN) == 0 || (from->rights & RIGHT_WATCH) == 0) {
        return ERR_RIGHTS;
    }
    struct abi_watch_spec spec;
    status = user_copy_in(&spec, spec_at, sizeof spec);
    if (status < 0) {
        return status;
    }
    if (!spec_valid(&spec)) {
        return ERR_INVALID;
    }
    struct watched *thing = ops->watched != nullptr ? ops->watched(from->object) : &from->object->watched;
    return notifier_watch(notifier_of(to->object), thing, &spec, &out->word[0]);
}

long sys_unwatch(struct thread *self, handle_t handle, uint64_t id) {
    struct notifier *notifier;
    status_t status = find_notifier(self, handle, RIGHT_ADMIN, &notifier);
    return status != 0 ? status : notifier_unwatch(notifier, id);
}
