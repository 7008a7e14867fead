// A process: an address space, a handle table, threads, an identity. It ends by exit, by kill, by a fault or with its
// last thread; then it is taken apart in bounded slices (threads, handles, mappings, page tables), and only when
// everything is returned does EVENT_EXITED hold: who waits for it finds nothing of it left. Needs the kernel lock.
#pragma once

#include "kernel/handle.h"
#include "kernel/id_tree.h"
#include "kernel/slice.h"
#include "kernel/space.h"

enum { PID_MAX = (1 << 28) - 1 }; // with a thread's id and a few bits more it fits in a listing's cursor
enum { PROCESS_LIMIT = 4096, THREAD_LIMIT = 131072, HOLDERS_MAX = 64, FAULT_TEXT_MAX = 2000 };

struct process {
    struct space space; // first: to go to a process's space, its address is all that a fast path needs
    struct object object;
    uint32_t pid;
    uint32_t parent; // pid
    uint32_t owner, group;
    char name[PROCESS_NAME_MAX + 1];
    uint32_t state;  // PROCESS_*
    uint32_t ending; // not 0: its end has begun: not EMBRYO nor RUNNING
    int32_t exit_status;
    bool exited;    // taken apart: EVENT_EXITED holds
    bool tearing;   // its teardown is queued, or its step is running
    bool reporting; // the fault that ended it is still being told
    uint32_t thread_count;
    struct list threads;       // of struct thread.siblings; alive
    struct id_tree thread_ids; // the same by id, of struct thread.by_id
    struct list embryos;       // of struct process.embryo: created by it and not started yet
    struct list embryo;
    uint32_t own_handles; // an embryo's handles for itself, which do not keep it: not in object.handles
    struct handle_table handles;
    struct slice teardown;
    struct id_node by_pid;   // among all processes
    uint64_t mark;           // by the last search that has met it (process_mark)
    uint64_t started, ended; // ended: when the end began
    uint64_t
        cpu_ticks; // neighbours. Of its threads up to when they last were switched to: process_cpu_time adds the rest
    uint64_t calls, call_errors;
    char *fault_text; // report of the fault that ended it, whole unless reporting; or null
};

extern const struct object_ops process_ops;

// The process of an OBJECT_PROCESS.
// Whose handle it is.
static inline struct process *process_holding(const struct handle *handle) {
    return container_of(handle->table, struct process, handles);
}

// Visit the processes that hold a handle of the object with any of these rights (0: whatever its rights), until visit says
// false; false if it did, or if there are more than HOLDERS_MAX handles.
bool process_visit_holders(const struct object *object, uint32_t rights,
                           bool (*visit)(void *context, struct process *process), void *context);

// Searches that are to meet each process once: one that begins takes a number, and process_mark says whether this is the
// first time that it meets the process.
uint64_t process_search(void);
static inline bool process_mark(struct process *process, uint64_t search) {
    bool first = process->mark != search;
    process->mark = search;
    return first;
}

static inline struct process *process_of(struct object *object) {
    return container_of(object, struct process, object);
}

// Whether it can still get handles, mappings and threads.
static inline bool process_alive(const struct process *process) {
    return process->ending == 0;
}

[[nodiscard]] status_t process_create(const char *name, uint32_t owner, uint32_t group, uint32_t parent,
                                      struct process **process); // ERR_NO_MEMORY, ERR_LIMIT; one reference
// An embryo lives until its last handle in another process closes, its creator ends, or process_end is called.
void process_started(struct process *process); // its first thread starts: no embryo any more
// An embryo got a handle for itself, which is not to keep it.
void process_holds_itself(struct process *process);
// The fault that ends it is being told until process_reported: its end is not to be seen before.
void process_reporting(struct process *process);
void process_reported(struct process *process);
// A thread of it has died.
void process_thread_gone(struct process *process);
// Begin the end. state is PROCESS_EXITED, KILLED or FAULTED. ERR_DEAD if it has already begun.
status_t process_end(struct process *process, uint32_t state, int32_t exit_status);
struct process *process_by_pid(uint32_t pid);        // while anything references it; not a new reference; or null
struct process *process_after(uint32_t pid);         // the one with the next higher pid, or null: a resumable listing
uint64_t process_count(void);                        // alive (not yet taken apart)
uint64_t process_created(void), process_ended(void); // ever
uint64_t process_cpu_time(const struct process *process); // nanoseconds, up to now
