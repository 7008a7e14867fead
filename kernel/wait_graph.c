#include "kernel/wait_graph.h"

#include "kernel/process.h"
#include "kernel/thread.h"
#include "kernel/timer.h"

enum { CLOSURE_MAX = 32, THREADS_MAX = 128, VISITS_MAX = 1024 };

// Processes on which the waking of a thread depends, directly or through others.
struct closure {
    struct process *member[CLOSURE_MAX];
    unsigned count;
    unsigned threads; // looked at
    unsigned visits;  // of processes, each by any handle
    bool open;        // somebody can still act, or the closure got too large
};

static bool closure_add(void *context, struct process *process) {
    struct closure *closure = context;
    if (++closure->visits > VISITS_MAX) {
        closure->open = true;
        return false;
    }
    for (unsigned i = 0; i < closure->count; i++) {
        if (closure->member[i] == process) {
            return true;
        }
    }
    if (closure->count == CLOSURE_MAX) {
        closure->open = true;
        return false;
    }
    closure->member[closure->count++] = process;
    return true;
}

unsigned wait_graph_objects(const struct thread *thread, struct object **object) {
    for (unsigned i = 0; i < thread->wait_count; i++) {
        object[i] = thread->wait[i].object;
    }
    if (thread->wait_count == 0 && thread->park.object != nullptr) {
        object[0] = thread->park.object;
        return 1;
    }
    return thread->wait_count;
}

static bool object_wakers(const struct object *object, bool (*visit)(void *context, struct process *process),
                          void *context) {
    return object->ops->wakers != nullptr && object->ops->wakers(object, visit, context);
}

bool wait_graph_wakers(const struct thread *thread, const struct object *object,
                       bool (*visit)(void *context, struct process *process), void *context) {
    const struct park_kind *kind = thread->park.kind;
    return kind->wakers != nullptr ? kind->wakers(thread, visit, context) : object_wakers(object, visit, context);
}

static void closure_look_at(struct closure *closure, const struct thread *thread) {
    if (thread->state != THREAD_PARKED || timer_pending(&thread->park.timer) || ++closure->threads > THREADS_MAX) {
        closure->open = true;
        return;
    }
    struct object *object[WAIT_MAX];
    unsigned count = wait_graph_objects(thread, object);
    for (unsigned i = 0; i < count && !closure->open; i++) {
        if (!wait_graph_wakers(thread, object[i], closure_add, closure)) {
            closure->open = true;
        }
    }
}

bool wait_graph_stuck(const struct thread *thread) {
    struct closure closure = {};
    closure_look_at(&closure, thread);
    for (unsigned i = 0; i < closure.count && !closure.open; i++) {
        const struct process *process = closure.member[i];
        if (process->thread_count == 0) {
            // An embryo depends on whoever can start or end it; other ends are under way.
            closure.open |= process->state != PROCESS_EMBRYO || !object_wakers(&process->object, closure_add, &closure);
        }
        list_for_each(link, &process->threads) {
            if (closure.open) {
                break;
            }
            closure_look_at(&closure, container_of(link, struct thread, siblings));
        }
    }
    return !closure.open;
}
