#include "kernel/wait.h"

#include "kernel/panic.h"
#include "kernel/slice.h"
#include "kernel/thread.h"

// Waiters of an object that has many, moved here whole so that who notifies need not walk them all. A slice looks at
// each: since events are levels, looking a little later is as good. A link here is still its thread's to withdraw.
static struct list backlog = LIST_INIT(backlog);
static struct slice backlog_slice;
static bool backlog_queued; // or its step is running

enum {
    NOTIFY_UNITS = 32, // of work on the spot
    LOOK_UNITS = 4,    // of a slice's budget: a thread wakes
};

uint64_t wait_ready(const struct thread *thread) {
    uint64_t ready = 0;
    for (unsigned i = 0; i < thread->wait_count; i++) {
        const struct wait_link *link = &thread->wait[i];
        if ((link->object->ops->events(link->object) & link->events) != 0) {
            ready |= 1ull << i;
        }
    }
    return ready;
}

void wait_withdraw(struct thread *thread) {
    unsigned count = thread->wait_count;
    thread->wait_count = 0;
    for (unsigned i = 0; i < count; i++) {
        list_remove(&thread->wait[i].link);
        object_unref(thread->wait[i].object);
    }
}

// Put the link back among its object's waiters and, if something it waits for holds, finish its thread's wait: true then.
static bool look_at(struct wait_link *link) {
    list_push_back(&link->object->waiters, &link->link);
    struct thread *thread = link->thread;
    uint64_t ready = wait_ready(thread);
    if (ready != 0) {
        park_complete(thread, 0, (const uint64_t[4]){ready});
    }
    return ready != 0;
}

static bool backlog_step(struct slice *, unsigned *budget) {
    while (*budget > 0) {
        struct list *first = list_pop_front(&backlog);
        if (first == nullptr) {
            break;
        }
        slice_spend(budget, LOOK_UNITS);
        look_at(container_of(first, struct wait_link, link));
    }
    backlog_queued = !list_empty(&backlog);
    return !backlog_queued;
}

void object_notify(struct object *object, uint32_t events) {
    if (!list_empty(&object->waiters)) {
        object_notify_some(object, events, UINT_MAX);
    }
}

static unsigned notify(struct object *object, uint32_t events, unsigned limit, unsigned *budget) {
    unsigned completed = 0;
    struct list todo = LIST_INIT(todo);
    list_append(&todo, &object->waiters);
    // Finishing a wait drops its references: keep the object while its waiters are walked.
    object_ref(object);
    while (*budget > 0 && completed < limit) {
        struct list *first = list_pop_front(&todo);
        if (first == nullptr) {
            break;
        }
        slice_spend(budget, LOOK_UNITS);
        struct wait_link *link = container_of(first, struct wait_link, link);
        if ((link->events & events) != 0) {
            completed += look_at(link);
        } else {
            list_push_back(&object->waiters, &link->link);
        }
    }
    if (completed == limit) {
        list_append(&object->waiters, &todo);
    } else if (!list_empty(&todo)) {
        list_append(&backlog, &todo);
        if (!backlog_queued) {
            backlog_queued = true;
            slice_queue(&backlog_slice, backlog_step);
        }
    }
    object_unref(object);
    return completed;
}

unsigned object_notify_some(struct object *object, uint32_t events, unsigned limit) {
    unsigned budget = NOTIFY_UNITS;
    return list_empty(&object->waiters) ? 0 : notify(object, events, limit, &budget);
}

void object_notify_within(struct object *object, uint32_t events, unsigned *budget) {
    if (!list_empty(&object->waiters)) {
        notify(object, events, UINT_MAX, budget);
    }
}
