#include "kernel/object.h"

#include "kernel/panic.h"

static uint64_t alive[OBJECT_KINDS];

void object_init(struct object *object, const struct object_ops *ops) {
    object->ops = ops;
    object->references = 1;
    object->handles = 0;
    list_init(&object->waiters);
    list_init(&object->holders);
    alive[ops->kind]++;
}

void object_ref(struct object *object) {
    KASSERT(object->references > 0 && object->references < UINT32_MAX);
    object->references++;
}

void object_gone(struct object *object) {
    KASSERT(object->handles == 0 && list_empty(&object->waiters));
    alive[object->ops->kind]--;
    watched_gone(&object->watched);
    object->ops->destroy(object);
}

void object_handle_added(struct object *object) {
    object_ref(object);
    object->handles++;
}

void object_handle_gone(struct object *object) {
    KASSERT(object->handles > 0);
    if (--object->handles == 0 && object->ops->unhandled != nullptr) {
        object->ops->unhandled(object);
    }
    object_unref(object);
}

uint64_t object_count(enum object_kind kind) {
    return alive[kind];
}
