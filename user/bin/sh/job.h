// Jobs: the processes of one pipeline.
#pragma once

#include "abi/abi.h"
#include "base/types.h"

struct job_process {
    handle_t handle; // 0: it could not be started, or it has ended
    uint32_t pid;
    int status; // once the handle is 0
};

struct job {
    unsigned id; // in the list of background jobs, from 1
    struct job_process *processes;
    unsigned count;
    char *text;
    struct job *next;
};

// An empty job; the text is for people. Never null.
struct job *job_new(const char *text, size_t length);

// Add what spawn_program gave. A negative one is a process that could not be started: it has ended with `status`.
void job_add(struct job *job, long process, int status);

// Whether all its processes have ended, as far as is known without waiting.
bool job_ended(struct job *job);

// Wait until one more of its processes has ended, or until the handle `other` (0 for none) has one of `events`.
void job_wait(struct job *job, handle_t other, uint32_t events);

// The status of its last process, once it has ended.
int job_status(const struct job *job);

// The pid of its last process, 0 if that could not be started.
uint32_t job_pid(const struct job *job);

// End everything that it started.
void job_kill(struct job *job, int status);

// Close its handles and forget it; processes that run go on.
void job_free(struct job *job);

// The background jobs.
extern struct job *job_list;
void job_to_background(struct job *job); // gives it an id
struct job *job_find(uint32_t id, bool by_pid);
void job_remove(struct job *job); // from the list
