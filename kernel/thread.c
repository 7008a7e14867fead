#include "kernel/thread.h"

#include "base/format.h"
#include "kernel/cpu.h"
#include "kernel/panic.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/slab.h"

static uint32_t last_id;
static uint64_t living, created;

static void destroy(struct object *object) {
    struct thread *thread = thread_of(object);
    KASSERT(thread->state == THREAD_DEAD);
    struct process *process = thread->process;
    slab_free(thread, sizeof *thread);
    object_unref(&process->object);
}

static uint32_t events(const struct object *object) {
    return thread_of(object)->state == THREAD_DEAD ? EVENT_EXITED : 0;
}

static void describe(const struct object *object, char *text, size_t capacity) {
    const struct thread *thread = thread_of(object);
    format(text, capacity, "%u of %u %s", thread->id, thread->process->pid, thread->process->name);
}

static bool wakers(const struct object *object, bool (*visit)(void *context, struct process *process), void *context) {
    return visit(context, container_of(object, struct thread, object)->process);
}

const struct object_ops thread_ops = {
    .kind = OBJECT_THREAD,
    .name = "thread",
    .destroy = destroy,
    .events = events,
    .wakers = wakers,
    .describe = describe,
};

status_t thread_create(struct process *process, uint64_t entry, uint64_t stack, uint64_t argument, unsigned priority,
                       struct thread **result) {
    if (!process_alive(process)) {
        return ERR_DEAD;
    }
    if (living >= THREAD_LIMIT) {
        return ERR_LIMIT;
    }
    struct thread *thread = slab_alloc(sizeof *thread);
    if (thread == nullptr) {
        return ERR_NO_MEMORY;
    }
    KASSERT(((uintptr_t)thread & 15) == 0);
    object_init(&thread->object, &thread_ops);
    object_ref(&thread->object); // its own, while alive
    arch_frame_init(&thread->frame, entry, stack, argument);
    thread->id = ++last_id;
    thread->state = THREAD_NEW;
    thread->priority = (uint8_t)priority;
    thread->base_priority = (uint8_t)priority;
    thread->home = (uint8_t)arch_cpu_current()->index;
    thread->holds = HOLD_TURN;
    thread->process = process;
    thread->last_given = thread->last_taken = &handle_none;
    object_ref(&process->object);
    list_push_back(&process->threads, &thread->siblings);
    thread->by_id.id = thread->id;
    id_tree_insert(&process->thread_ids, &thread->by_id);
    process->thread_count++;
    list_init(&thread->ready);
    list_init(&thread->park.timer.link);
    list_init(&thread->park.link);
    for (unsigned i = 0; i < WAIT_MAX; i++) {
        list_init(&thread->wait[i].link);
        thread->wait[i].thread = thread;
    }
    thread->started = arch_time_now();
    living++;
    created++;
    *result = thread;
    return 0;
}

struct thread *thread_after(const struct process *process, uint32_t id) {
    struct id_node *node = id_tree_after(&process->thread_ids, id);
    return node == nullptr ? nullptr : container_of(node, struct thread, by_id);
}

struct cpu *thread_cpu(const struct thread *thread) {
    for (unsigned i = 0; i < cpu_slots; i++) {
        if (cpu_table[i] != nullptr && cpu_table[i]->current == thread) {
            return cpu_table[i];
        }
    }
    return cpu_table[thread->home];
}

void thread_start(struct thread *thread) {
    KASSERT(thread->state == THREAD_NEW);
    if (thread->process->state == PROCESS_EMBRYO) {
        process_started(thread->process);
    }
    sched_ready(thread);
}

// It runs nowhere and is linked to nothing but its process.
static void die(struct thread *thread) {
    struct process *process = thread->process;
    thread->state = THREAD_DEAD;
    if (thread->call.serving != nullptr) {
        park_complete(thread->call.serving, ERR_PEER_CLOSED, (const uint64_t[4]){});
    }
    list_remove(&thread->siblings);
    id_tree_remove(&process->thread_ids, &thread->by_id);
    process->thread_count--;
    living--;
    arch_thread_destroy(&thread->arch);
    object_notify(&thread->object, EVENT_EXITED);
    watch_raise(&thread->object.watched,
                &(struct event){.kind = EVENT_EXITED, .pid = thread->process->pid, .value = thread->id});
    process_thread_gone(process); // the thread's reference keeps it
    object_unref(&thread->object);
}

void thread_stop(struct thread *thread) {
    thread->holds |= HOLD_ENDING;
    thread->last_given = thread->last_taken = &handle_none;
}

void thread_end(struct thread *thread) {
    switch (thread->state) {
    case THREAD_RUNNING:
        thread_stop(thread);
        cpu_resched(thread_cpu(thread));
        return;
    case THREAD_READY:
        sched_remove(thread);
        break;
    case THREAD_PARKED:
        park_cancel(thread);
        break;
    case THREAD_NEW:
        break;
    case THREAD_DEAD:
        return;
    }
    // A thread that has just parked or lost its turn may still be the one this CPU came from.
    if (arch_cpu_current()->current == thread) {
        sched_leave();
    }
    die(thread);
}

bool thread_doomed(const struct thread *thread) {
    return (thread->holds & HOLD_ENDING) != 0 || !process_alive(thread->process);
}

void thread_drop(struct thread *self) {
    KASSERT(arch_cpu_current()->current == self);
    if (self->state == THREAD_RUNNING) {
        sched_leave();
        die(self);
    } else {
        thread_end(self);
    }
}

uint64_t thread_cpu_time(const struct thread *thread) {
    uint64_t ticks = thread->cpu_ticks;
    const struct cpu *cpu = thread_cpu(thread);
    if (thread->state == THREAD_RUNNING && cpu->current == thread) {
        ticks += cpu_ticks_since_switch(cpu);
    }
    return arch_ticks_time(ticks);
}

uint32_t thread_current_pid(void) {
    const struct thread *current = arch_cpu_current()->current;
    return current != nullptr ? current->process->pid : 0;
}

uint64_t thread_count(void) {
    return living;
}

uint64_t thread_created(void) {
    return created;
}
