#include "kernel/wait_graph.h"

#include "kernel/process.h"
#include "kernel/thread.h"
#include "kernel/timer.h"

// Looking at a thread is worth two units of work, at a process that can wake it, by any handle, one: some 25 instructions.
enum { CLOSURE_MAX = 32, WORK_MAX = 192, THREAD_WORK = 2 };

// Processes on which the waking of a thread depends, directly or through others.
struct closure {
    struct process *member[CLOSURE_MAX];
    unsigned count;
    unsigned work;
    uint64_t search; // whose mark the members have
    bool open;       // somebody can still act, or the closure got too large
};

static bool closure_add(void *context, struct process *process) {
    struct closure *closure = context;
    if (++closure->work > WORK_MAX) {
        closure->open = true;
        return false;
    }
    if (!process_mark(process, closure->search)) {
        return true;
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
    closure->work += THREAD_WORK;
    if (thread->state != THREAD_PARKED || timer_pending(&thread->park.timer) || closure->work > WORK_MAX) {
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

bool wait_graph_stuck(const struct thread *thread, unsigned *work) {
    struct closure closure = {.search = process_search()};
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
    *work = closure.work;
    return !closure.open;
}
