#include "kernel/process.h"

#include "base/format.h"
#include "base/str.h"
#include "kernel/cpu.h"
#include "kernel/log.h"
#include "kernel/panic.h"
#include "kernel/slab.h"
#include "kernel/thread.h"
#include "kernel/wait.h"

enum { PID_INIT = 1 };
enum { THREAD_UNITS = 8, EMBRYO_UNITS = 4 }; // of a slice's budget: to end one

static struct id_tree all; // by pid
static uint32_t last_pid;
static uint32_t present; // with memory, in any state: bounded by PROCESS_LIMIT
static uint64_t living, created, ended;

uint64_t process_search(void) {
    static uint64_t last;
    return ++last;
}

static struct process *at_node(struct id_node *node) {
    return node == nullptr ? nullptr : container_of(node, struct process, by_pid);
}

struct process *process_by_pid(uint32_t pid) {
    return at_node(id_tree_find(&all, pid));
}

struct process *process_after(uint32_t pid) {
    return at_node(id_tree_after(&all, pid));
}

// Give it a pid that nobody has, and its place among all. Pids ascend until they have all been used once.
static void enlist(struct process *process) {
    do {
        last_pid = last_pid == PID_MAX ? 1 : last_pid + 1;
    } while (process_by_pid(last_pid) != nullptr);
    process->pid = last_pid;
    process->by_pid.id = last_pid;
    id_tree_insert(&all, &process->by_pid);
}

status_t process_create(const char *name, uint32_t owner, uint32_t group, uint32_t parent, struct process **result) {
    if (present >= PROCESS_LIMIT) {
        return ERR_LIMIT;
    }
    struct process *process = slab_alloc(sizeof *process);
    if (process == nullptr) {
        return ERR_NO_MEMORY;
    }
    status_t status = space_create(&process->space);
    if (status < 0) {
        slab_free(process, sizeof *process);
        return status;
    }
    object_init(&process->object, &process_ops);
    object_ref(&process->object); // its own, until it is taken apart
    enlist(process);
    process->parent = parent;
    process->owner = owner;
    process->group = group;
    str_copy(process->name, sizeof process->name, name);
    process->state = PROCESS_EMBRYO;
    list_init(&process->threads);
    list_init(&process->embryos);
    list_init(&process->embryo);
    struct process *creator = process_by_pid(parent);
    if (creator != nullptr) {
        list_push_back(&creator->embryos, &process->embryo);
    }
    process->started = arch_time_now();
    present++;
    living++;
    created++;
    *result = process;
    return 0;
}

static void destroy(struct object *object) {
    struct process *process = process_of(object);
    KASSERT(process->exited && list_empty(&process->threads));
    id_tree_remove(&all, &process->by_pid);
    slab_free(process->fault_text, FAULT_TEXT_MAX);
    slab_free(process, sizeof *process);
    present--;
}

static void unhandled(struct object *object) {
    struct process *process = process_of(object);
    if (process->state == PROCESS_EMBRYO) {
        process_end(process, PROCESS_KILLED, -1);
    }
}

static uint32_t events(const struct object *object) {
    return container_of(object, struct process, object)->exited ? EVENT_EXITED : 0;
}

static void describe(const struct object *object, char *text, size_t capacity) {
    const struct process *process = container_of(object, struct process, object);
    format(text, capacity, "%u %s", process->pid, process->name);
}

// Itself, by ending. An embryo does nothing by itself: it is started by who holds it, and ends with its last handle or with
// its creator.
static bool wakers(const struct object *object, bool (*visit)(void *context, struct process *process), void *context) {
    struct process *process = container_of(object, struct process, object);
    if (!visit(context, process)) {
        return false;
    }
    if (process->state != PROCESS_EMBRYO) {
        return true;
    }
    struct process *creator = process_by_pid(process->parent);
    KASSERT(creator != nullptr); // the embryo would have ended with it
    return visit(context, creator) && process_visit_holders(object, 0, visit, context);
}

const struct object_ops process_ops = {
    .kind = OBJECT_PROCESS,
    .name = "process",
    .destroy = destroy,
    .unhandled = unhandled,
    .events = events,
    .wakers = wakers,
    .describe = describe,
};

// From now on its handles for itself are like others.
static void count_own_handles(struct process *process) {
    process->object.handles += process->own_handles;
    process->own_handles = 0;
}

void process_holds_itself(struct process *process) {
    KASSERT(process->state == PROCESS_EMBRYO && process->object.handles > 1);
    process->object.handles--;
    process->own_handles++;
}

void process_started(struct process *process) {
    KASSERT(process->state == PROCESS_EMBRYO);
    process->state = PROCESS_RUNNING;
    count_own_handles(process);
    list_remove(&process->embryo);
}

// ---- the end ---------------------------------------------------------------------------------------------------------

// How many of its threads are in user mode or in a call somewhere.
static unsigned running(const struct process *process) {
    unsigned count = 0;
    for (unsigned i = 0; i < cpu_slots; i++) {
        const struct cpu *cpu = cpu_table[i];
        if (cpu != nullptr && cpu->current != nullptr && cpu->current->state == THREAD_RUNNING &&
            cpu->current->process == process) {
            count++;
        }
    }
    return count;
}

// Threads, embryos, handles, memory, in this order. While threads still run elsewhere there is nothing to do: the last of
// them to stop queues this again (process_thread_gone). So it is while all is gone and only the report of its fault is not
// whole (process_reported).
static bool teardown(struct slice *slice, unsigned *budget) {
    struct process *process = container_of(slice, struct process, teardown);
    unsigned elsewhere = running(process);
    while (process->thread_count > elsewhere) {
        if (*budget == 0) {
            return false;
        }
        slice_spend(budget, THREAD_UNITS);
        struct thread *thread = container_of(list_first(&process->threads), struct thread, siblings);
        if (thread->state == THREAD_RUNNING) {
            list_remove(&thread->siblings);
            list_push_back(&process->threads, &thread->siblings);
        } else {
            thread_end(thread);
        }
    }
    if (process->thread_count > 0) {
        process->tearing = false;
        return true;
    }
    while (!list_empty(&process->embryos)) {
        if (*budget == 0) {
            return false;
        }
        slice_spend(budget, EMBRYO_UNITS);
        struct process *embryo = container_of(list_first(&process->embryos), struct process, embryo);
        process_end(embryo, PROCESS_KILLED, -1);
    }
    // Every CPU that ran one of its threads left the address space with it.
    if (!handle_table_destroy(&process->handles, budget) || !space_destroy(&process->space, budget)) {
        return false;
    }
    if (process->reporting) {
        process->tearing = false;
        return true;
    }
    if (process->pid == PID_INIT) {
        log_alert("init has ended with status %d: nothing is left that starts programs", process->exit_status);
    }
    process->exited = true;
    living--;
    ended++;
    object_notify(&process->object, EVENT_EXITED);
    watch_raise(&process->object.watched,
                &(struct event){.kind = EVENT_EXITED, .pid = process->pid, .value = (uint64_t)process->exit_status});
    object_unref(&process->object);
    return true;
}

static void queue_teardown(struct process *process) {
    if (!process->tearing) {
        process->tearing = true;
        slice_queue(&process->teardown, teardown);
    }
}

status_t process_end(struct process *process, uint32_t state, int32_t exit_status) {
    if (!process_alive(process)) {
        return ERR_DEAD;
    }
    process->state = state;
    process->ending = 1;
    process->exit_status = exit_status;
    process->ended = arch_time_now();
    list_remove(&process->embryo);
    count_own_handles(process);
    // Whatever runs of it stops at once; whatever does not run never does (thread_doomed).
    for (unsigned i = 0; i < cpu_slots; i++) {
        struct cpu *cpu = cpu_table[i];
        if (cpu != nullptr && cpu->current != nullptr && cpu->current->process == process) {
            thread_stop(cpu->current);
            cpu_resched(cpu);
        }
    }
    queue_teardown(process);
    return 0;
}

void process_reporting(struct process *process) {
    process->reporting = true;
}

void process_reported(struct process *process) {
    process->reporting = false;
    queue_teardown(process);
}

void process_thread_gone(struct process *process) {
    if (process->thread_count > 0) {
        return;
    }
    if (process->state == PROCESS_RUNNING) {
        process_end(process, PROCESS_EXITED, 0);
    } else if (!process_alive(process)) {
        queue_teardown(process);
    }
}

// ---- figures ---------------------------------------------------------------------------------------------------------

uint64_t process_cpu_time(const struct process *process) {
    uint64_t ticks = process->cpu_ticks;
    for (unsigned i = 0; i < cpu_slots; i++) {
        const struct cpu *cpu = cpu_table[i];
        if (cpu != nullptr && cpu->current != nullptr && cpu->current->process == process) {
            ticks += cpu_ticks_since_switch(cpu);
        }
    }
    return arch_ticks_time(ticks);
}

uint64_t process_count(void) {
    return living;
}

uint64_t process_created(void) {
    return created;
}

uint64_t process_ended(void) {
    return ended;
}

bool process_visit_holders(const struct object *object, uint32_t rights,
                           bool (*visit)(void *context, struct process *process), void *context) {
    unsigned looked = 0;
    list_for_each(link, &object->holders) {
        const struct handle *handle = container_of(link, struct handle, holder);
        if (++looked > HOLDERS_MAX) {
            return false;
        }
        bool counts = rights == 0 || (handle->rights & rights) != 0;
        if (counts && !visit(context, process_holding(handle))) {
            return false;
        }
    }
    return true;
}
