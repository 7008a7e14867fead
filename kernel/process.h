// A process: an address space, a handle table, threads, an identity. It ends by exit, by kill, by a fault or with its
// last thread; then it is taken apart in bounded slices (threads, handles, mappings, page tables), and only when
// everything is returned does EVENT_EXITED hold: who waits for it finds nothing of it left. Needs the kernel lock.
#pragma once

#include "kernel/handle.h"
#include "kernel/slice.h"
#include "kernel/space.h"

enum { PROCESS_LIMIT = 4096, THREAD_LIMIT = 16384, FAULT_TEXT_MAX = 1024 };

struct process {
    struct object object;
    uint32_t pid;
    uint32_t parent; // pid
    uint32_t owner, group;
    char name[PROCESS_NAME_MAX + 1];
    uint32_t state; // PROCESS_*
    int32_t exit_status;
    bool exited;    // taken apart: EVENT_EXITED holds
    uint32_t thread_count;
    struct list threads; // of struct thread.siblings
    struct handle_table handles;
    struct space space;
    struct slice teardown;
    struct list all;     // in the table of processes, ordered by pid
    struct list bucket;  // of the pid hash
    uint64_t started, ended, cpu_time;
    uint64_t calls, call_errors;
    char *fault_text; // report of the fault that ended it, or null
};

extern const struct object_ops process_ops;

[[nodiscard]] status_t process_create(const char *name, uint32_t owner, uint32_t group, uint32_t parent,
                                      struct process **process); // ERR_NO_MEMORY, ERR_LIMIT; one reference
// Begin the end. state is PROCESS_EXITED, KILLED or FAULTED. ERR_DEAD if it has already begun.
status_t process_end(struct process *process, uint32_t state, int32_t exit_status);
struct process *process_by_pid(uint32_t pid);     // while anything references it; not a new reference; or null
struct process *process_after(uint32_t pid);      // the one with the next higher pid, or null: a resumable listing
uint64_t process_count(void);                     // alive (not yet taken apart)
uint64_t process_created(void), process_ended(void); // ever
