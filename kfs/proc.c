// /proc: a directory for each process, and `self`, a link to that of whoever looks. See kfs/doc/proc.md.
//
// A node below /proc keeps its process referenced, so that a pid is not given out anew while a file of the old one is
// open.
#include "abi/abi.h"
#include "base/format.h"
#include "base/str.h"
#include "kernel/cpu.h"
#include "kernel/panic.h"
#include "kernel/process.h"
#include "kernel/slice.h"
#include "kernel/thread.h"
#include "kfs/command.h"
#include "kfs/node.h"
#include "kfs/text.h"
#include "kfs/tree.h"

enum {
    GAP_UNITS = 16, // of work, to pass over a stretch of unused handles
    MAP_UNITS = 6,  // for what is written of a mapping
};

static struct process *process_at(const struct node *node) {
    return process_of(node->kernel.held);
}

static const char *const state_name[] = {
    [PROCESS_EMBRYO] = "embryo", [PROCESS_RUNNING] = "running", [PROCESS_EXITED] = "exited",
    [PROCESS_KILLED] = "killed", [PROCESS_FAULTED] = "faulted",
};

// ---- the files of a process ----

static void status_snapshot(const struct node *node, const struct process *, struct text *text) {
    const struct process *process = process_at(node);
    text_header(text, "pid", "parent", "name", "state", "owner", "group", "exit_status", "threads", "handles",
                "mapped_bytes", "resident_pages", "cpu_ns", "started_ns", "ended_ns", "calls", "call_errors");
    text_numbers(text, process->pid, process->parent);
    text_word(text, process->name);
    text_word(text, state_name[process->state]);
    text_numbers(text, process->owner, process->group);
    text_i64(text, process->exit_status);
    text_numbers(text, process->thread_count, process->handles.used, process->space.mapped, process->space.resident,
                 process_cpu_time(process), process->started, process->ended, process->calls, process->call_errors);
}

static void name_snapshot(const struct node *node, const struct process *, struct text *text) {
    text_header(text, "name");
    text_word(text, process_at(node)->name);
}

static void cpu_snapshot(const struct node *node, const struct process *, struct text *text) {
    const struct process *process = process_at(node);
    text_header(text, "cpu_ns", "calls", "call_errors");
    text_numbers(text, process_cpu_time(process), process->calls, process->call_errors);
}

static void fault_snapshot(const struct node *node, const struct process *, struct text *text) {
    const struct process *process = process_at(node);
    if (process->fault_text != nullptr && !process->reporting) {
        text_bytes(text, process->fault_text, strlen(process->fault_text));
    }
}

static bool handles_record(const struct node *node, uint64_t *cursor, struct text *text, unsigned *budget) {
    uint32_t index = (uint32_t)*cursor;
    const struct handle *handle = handle_next(&process_at(node)->handles, &index);
    if (handle == nullptr) {
        // A stretch of unused entries, or the end.
        slice_spend(budget, GAP_UNITS);
        *cursor = index;
        return index < process_at(node)->handles.fresh;
    }
    const struct object *object = handle->object;
    char about[PATH_LEN_MAX + 1] = "";
    object->ops->describe(object, about, sizeof about);
    *cursor = (uint64_t)index + 1;
    text_u64(text, handle_value(handle, index));
    text_word(text, object->ops->name);
    text_rights(text, handle->rights);
    text_u64(text, handle->badge);
    text_label(text, about);
    return true;
}

// A thread is started in the same stay in the kernel that makes it, and leaves its process's list when it dies: none that
// is listed is new or dead.
static const char *const thread_state_name[] = {
    [THREAD_READY] = "ready", [THREAD_RUNNING] = "running", [THREAD_PARKED] = "parked"};

static void write_thread(struct text *text, const struct thread *thread) {
    KASSERT(thread->state != THREAD_NEW && thread->state != THREAD_DEAD);
    bool parked = thread->state == THREAD_PARKED;
    text_u64(text, thread->id);
    text_word(text, thread_state_name[thread->state]);
    text_numbers(text, thread->priority, thread_cpu(thread)->index, thread_cpu_time(thread));
    text_word(text, parked ? thread->park.kind->operation : "");
    text_u64(text, parked ? arch_stamp_time(thread->park.since) : 0);
}

static bool threads_record(const struct node *node, uint64_t *cursor, struct text *text, unsigned *) {
    const struct thread *thread = thread_after(process_at(node), (uint32_t)*cursor);
    if (thread == nullptr) {
        return false;
    }
    write_thread(text, thread);
    *cursor = thread->id;
    return true;
}

// The first mapping that begins at or above this address; they are sorted.
static const struct mapping *mapping_from(const struct space *space, uint64_t address) {
    uint32_t low = 0;
    uint32_t high = space->mapping_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (space->mapping[middle]->base < address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < space->mapping_count ? space->mapping[low] : nullptr;
}

static bool maps_record(const struct node *node, uint64_t *cursor, struct text *text, unsigned *budget) {
    const struct mapping *mapping = mapping_from(&process_at(node)->space, *cursor);
    if (mapping == nullptr) {
        return false;
    }
    char protection[4] = {'r', (mapping->protection & PROT_WRITE) != 0 ? 'w' : '-',
                          (mapping->protection & PROT_EXEC) != 0 ? 'x' : '-', '\0'};
    *cursor = mapping->base + 1;
    slice_spend(budget, MAP_UNITS);
    text_hex(text, mapping->base);
    text_hex(text, mapping->size);
    text_word(text, protection);
    text_hex(text, mapping->offset);
    text_u64(text, mapping->pages->resident);
    return true;
}

static long ctl_command(struct node *node, struct thread *self, const char *command) {
    struct process *process = process_at(node);
    int32_t status;
    if (!command_number(command, "kill", -1, &status)) {
        return ERR_INVALID;
    }
    if (self->process->owner != 0 && self->process->owner != process->owner) {
        return ERR_ACCESS;
    }
    return process_end(process, PROCESS_KILLED, status);
}

enum { FILE_STATUS, FILE_HANDLES, FILE_THREADS, FILE_MAPS, FILE_FAULT, FILE_CTL, FILE_NAME, FILE_CPU, FILES };

static const char *const file_name[FILES] = {"status", "handles", "threads", "maps", "fault", "ctl", "name", "cpu"};
static const uint32_t file_mode[FILES] = {0444, 0400, 0444, 0400, 0400, 0200, 0444, 0444};

static const struct text_columns handle_columns = TEXT_COLUMNS("handle", "kind", "rights", "badge", "about");
static const struct text_columns thread_columns =
    TEXT_COLUMNS("id", "state", "priority", "cpu", "cpu_ns", "parked_on", "parked_since_ns");
static const struct text_columns map_columns = TEXT_COLUMNS("base", "size", "protection", "offset", "object_resident");

static const struct tree_ops file_ops_of[FILES] = {
    [FILE_STATUS] = {.snapshot = status_snapshot},
    [FILE_HANDLES] = {.columns = &handle_columns, .record = handles_record},
    [FILE_THREADS] = {.columns = &thread_columns, .record = threads_record},
    [FILE_MAPS] = {.columns = &map_columns, .record = maps_record},
    [FILE_FAULT] = {.snapshot = fault_snapshot},
    [FILE_CTL] = {.command = ctl_command},
    [FILE_NAME] = {.snapshot = name_snapshot},
    [FILE_CPU] = {.snapshot = cpu_snapshot},
};

// ---- the directory of a process ----

static void set_times(struct node *node, const struct process *process) {
    node->created = process->started;
    node->modified = process->ended != 0 ? process->ended : process->started;
}

static status_t file_node(struct node *directory, size_t index, struct node **child) {
    struct process *process = process_at(directory);
    *child = node_synthesise(directory, file_name[index], NODE_KERNEL, file_mode[index], process->owner, process->group,
                             &file_ops_of[index], directory->id | (index + 1), &process->object);
    if (*child == nullptr) {
        return ERR_NO_MEMORY;
    }
    set_times(*child, process);
    return 0;
}

static status_t process_lookup(struct node *directory, const struct process *, const char *name, size_t length,
                               struct node **child) {
    size_t index = tree_index(file_name, FILES, name, length);
    return index < FILES ? file_node(directory, index, child) : ERR_NOT_FOUND;
}

static status_t process_next(struct node *directory, const struct process *, uint64_t *cookie, struct node **child) {
    if (*cookie >= FILES) {
        return ERR_NOT_FOUND;
    }
    return file_node(directory, (*cookie)++, child);
}

static const struct tree_ops process_directory_ops = {.lookup = process_lookup, .next = process_next};

// ---- /proc ----

static status_t process_node(struct node *directory, struct process *process, struct node **child) {
    char name[16];
    format(name, sizeof name, "%u", (unsigned)process->pid);
    *child = node_synthesise(directory, name, NODE_DIR, 0555, process->owner, process->group, &process_directory_ops,
                             NODE_ID_PROCESS | (uint64_t)process->pid << 4, &process->object);
    if (*child != nullptr) {
        set_times(*child, process);
    }
    return *child == nullptr ? ERR_NO_MEMORY : 0;
}

static status_t self_node(struct node *directory, const struct process *caller, struct node **child) {
    char target[16];
    size_t length = format(target, sizeof target, "%u", caller != nullptr ? (unsigned)caller->pid : 0);
    struct node *node = node_synthesise(directory, "self", NODE_LINK, 0777, 0, 0, nullptr, NODE_ID_PROCESS, nullptr);
    if (node == nullptr || node_set_target(node, target, length) < 0) {
        node_unref(node);
        return ERR_NO_MEMORY;
    }
    *child = node;
    return 0;
}

static status_t proc_lookup(struct node *directory, const struct process *caller, const char *name, size_t length,
                            struct node **child) {
    static const char *const self[] = {"self"};
    if (tree_index(self, 1, name, length) == 0) {
        return self_node(directory, caller, child);
    }
    // Only the way a pid is written, or the same directory would have many names.
    uint64_t pid;
    if (length > 10 || name[0] < '1' || name[0] > '9' || !str_to_u64_bytes(name, length, &pid) || pid > UINT32_MAX) {
        return ERR_NOT_FOUND;
    }
    struct process *process = process_by_pid((uint32_t)pid);
    return process != nullptr ? process_node(directory, process, child) : ERR_NOT_FOUND;
}

// Cookies: 1 is `self`, pid + 1 a process.
static status_t proc_next(struct node *directory, const struct process *caller, uint64_t *cookie, struct node **child) {
    if (*cookie == 0) {
        *cookie = 1;
        return self_node(directory, caller, child);
    }
    struct process *process = *cookie <= UINT32_MAX ? process_after((uint32_t)(*cookie - 1)) : nullptr;
    if (process == nullptr) {
        return ERR_NOT_FOUND;
    }
    *cookie = (uint64_t)process->pid + 1;
    return process_node(directory, process, child);
}

static const struct tree_ops proc_ops = {.lookup = proc_lookup, .next = proc_next};

static const struct tree_entry entries[] = {{"proc", NODE_DIR, 0555, &proc_ops}};

status_t proc_build(struct node *root) {
    return tree_build(root, entries, sizeof entries / sizeof entries[0]);
}
