// /kern/ipc/waits: who waits for what, since when, and who could wake it (FIELD-1); /kern/ipc/holders: who holds which end
// of what (FIELD-2). See kfs/doc/ipc.md.
#include "abi/abi.h"
#include "base/format.h"
#include "kernel/process.h"
#include "kernel/slice.h"
#include "kernel/thread.h"
#include "kernel/wait_graph.h"
#include "kfs/text.h"
#include "kfs/tree.h"

enum {
    WAKERS_SHOWN = 8,
    WAKERS_VISITED = 128, // handles by which somebody can wake a thread: then it says `any`
    LINE_UNITS = 5,       // of work for a line, besides what finding out takes who can wake whom
    LINE_LEAST = 16,      // of which that begins with no less
    WORK_PER_UNIT = 4,
    GAP_UNITS = 16, // for a stretch of unused handles
    INDEX_BITS = 4, // of a cursor, for one of a thread's WAIT_MAX objects
    THREAD_BITS = 32,
};
static_assert(WAIT_MAX == 1 << INDEX_BITS && PID_MAX < 1ull << (64 - INDEX_BITS - THREAD_BITS));

// ---- waits -----------------------------------------------------------------------------------------------------------

static const struct text_columns waits_columns = TEXT_COLUMNS("pid", "process", "thread", "operation", "object",
                                                              "about", "since_ns", "deadline_ns", "wakers", "stuck");

struct wakers {
    uint32_t pid[WAKERS_SHOWN];
    unsigned count, visits;
    uint64_t search;
};

static bool wakers_add(void *context, struct process *process) {
    struct wakers *wakers = context;
    if (wakers->visits++ == WAKERS_VISITED) {
        return false;
    }
    if (!process_mark(process, wakers->search)) {
        return true;
    }
    if (wakers->count == WAKERS_SHOWN) {
        return false;
    }
    wakers->pid[wakers->count++] = process->pid;
    return true;
}

// "3,7,any": pids, and `any` if they are not all. Who waits for nothing is woken by its deadline, or not at all. How many
// were looked at.
static unsigned write_wakers(const struct thread *thread, const struct object *object, struct text *text) {
    struct wakers wakers = {.search = process_search()};
    bool others = object == nullptr ? timer_pending(&thread->park.timer)
                                    : !wait_graph_wakers(thread, object, wakers_add, &wakers);
    char word[WAKERS_SHOWN * 11 + 4] = "";
    size_t length = 0;
    for (unsigned i = 0; i < wakers.count; i++) {
        length += format(word + length, sizeof word - length, "%s%u", i > 0 ? "," : "", wakers.pid[i]);
    }
    if (others) {
        format(word + length, sizeof word - length, "%sany", length > 0 ? "," : "");
    }
    text_word(text, word);
    return wakers.visits;
}

static void write_about(const struct object *object, struct text *text) {
    char about[PATH_LEN_MAX + 1] = "";
    if (object != nullptr) {
        object->ops->describe(object, about, sizeof about);
    }
    text_word(text, object != nullptr ? object->ops->name : "");
    text_label(text, about);
}

static void write_wait(const struct thread *thread, const struct object *object, struct text *text, unsigned *budget) {
    unsigned work = 0;
    bool stuck = wait_graph_stuck(thread, &work);
    text_u64(text, thread->process->pid);
    text_word(text, thread->process->name);
    text_u64(text, thread->id);
    text_word(text, thread->park.kind->operation);
    write_about(object, text);
    text_numbers(text, arch_stamp_time(thread->park.since),
                 timer_pending(&thread->park.timer) ? thread->park.timer.deadline : 0);
    work += write_wakers(thread, object, text);
    text_u64(text, stuck);
    slice_spend(budget, LINE_UNITS + work / WORK_PER_UNIT);
}

// The cursor: pid, a thread, and which of its objects is next; 0: the first one of the next thread. The lines of a thread that
// goes on and waits anew while it is listed are of both its waits.
static uint64_t cursor_at(const struct process *process, uint32_t thread, unsigned index) {
    return (uint64_t)process->pid << (THREAD_BITS + INDEX_BITS) | (uint64_t)thread << INDEX_BITS | index;
}

static bool waits_record(const struct node *, uint64_t *cursor, struct text *text, unsigned *budget) {
    if (*budget < LINE_LEAST) {
        *budget = 0; // a line of the next part
        return true;
    }
    uint32_t pid = (uint32_t)(*cursor >> (THREAD_BITS + INDEX_BITS));
    uint32_t id = (uint32_t)(*cursor >> INDEX_BITS);
    unsigned index = *cursor % WAIT_MAX;
    struct process *process = process_by_pid(pid);
    const struct thread *thread = process == nullptr ? nullptr : thread_after(process, index > 0 ? id - 1 : id);
    if (thread == nullptr) {
        process = process_after(pid);
        if (process == nullptr) {
            return false;
        }
        *cursor = cursor_at(process, 0, 0);
        return true;
    }
    index = thread->id == id ? index : 0;
    *cursor = cursor_at(process, thread->id, 0);
    if (thread->state != THREAD_PARKED) {
        return true;
    }
    struct object *object[WAIT_MAX];
    unsigned count = wait_graph_objects(thread, object);
    if (index + 1 < count) {
        *cursor = cursor_at(process, thread->id, index + 1);
    }
    if (index < count || index == 0) {
        write_wait(thread, count == 0 ? nullptr : object[index], text, budget);
    }
    return true;
}

// ---- holders ---------------------------------------------------------------------------------------------------------

static const struct text_columns holders_columns =
    TEXT_COLUMNS("object", "about", "pid", "process", "handle", "rights", "badge", "derived");

// Memory too, where a server got it by attach: only then it has a badge, that of the connection.
static bool is_conversational(const struct handle *handle) {
    enum object_kind kind = handle->object->ops->kind;
    return (kind == OBJECT_PAGES && handle->badge != 0) || kind == OBJECT_CHANNEL || kind == OBJECT_CONNECTION ||
           kind == OBJECT_NOTIFIER || kind == OBJECT_EVENTS;
}

// The cursor: pid in the high half, the index of the handle to look at next in the low one.
static bool holders_record(const struct node *, uint64_t *cursor, struct text *text, unsigned *budget) {
    struct process *process = process_by_pid((uint32_t)(*cursor >> 32));
    uint32_t index = (uint32_t)*cursor;
    if (process == nullptr || index >= process->handles.fresh) {
        process = process_after((uint32_t)(*cursor >> 32));
        if (process == nullptr) {
            return false;
        }
        *cursor = (uint64_t)process->pid << 32;
        return true;
    }
    const struct handle *handle = handle_next(&process->handles, &index);
    slice_spend(budget, handle == nullptr ? GAP_UNITS : 0);
    *cursor = (uint64_t)process->pid << 32 | (handle != nullptr ? index + 1 : index);
    if (handle == nullptr || !is_conversational(handle)) {
        return true;
    }
    write_about(handle->object, text);
    text_u64(text, process->pid);
    text_word(text, process->name);
    text_u64(text, handle_value(handle, index));
    text_rights(text, handle->rights);
    text_numbers(text, handle->badge, handle->lineage != nullptr && handle->lineage->parent != nullptr);
    return true;
}

static const struct tree_ops waits_ops = {.columns = &waits_columns, .record = waits_record};
static const struct tree_ops holders_ops = {.columns = &holders_columns, .record = holders_record};

static const struct tree_entry entries[] = {
    {"kern/ipc/waits", NODE_KERNEL, 0444, &waits_ops},
    {"kern/ipc/holders", NODE_KERNEL, 0444, &holders_ops},
};

status_t kern_waits_build(struct node *root) {
    return tree_build(root, entries, sizeof entries / sizeof entries[0]);
}
