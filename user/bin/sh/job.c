// Jobs.
#include "job.h"

#include "arena.h"
#include "base/memory.h"
#include "isthmus/calls.h"
#include "lib/file.h"
#include "lib/memory.h"
#include "lib/process.h"

struct job *job_list;

struct job *job_new(const char *text, size_t length) {
    struct job *job = calloc(1, sizeof *job);
    char *copy = malloc(length + 1);
    if (job == nullptr || copy == nullptr) {
        arena_exhausted();
    }
    memcpy(copy, text, length);
    copy[length] = 0;
    job->text = copy;
    return job;
}

void job_add(struct job *job, long process, int status) {
    struct job_process *more = realloc(job->processes, (job->count + 1) * sizeof *more);
    if (more == nullptr) {
        arena_exhausted();
    }
    job->processes = more;
    struct job_process *added = &more[job->count++];
    *added = (struct job_process){.status = status};
    if (process >= 0) {
        struct abi_process_info info = {};
        (void)sys_process_info((handle_t)process, &info);
        added->handle = (handle_t)process;
        added->pid = info.pid;
    }
}

// Take note if a process has ended.
static void look_at(struct job_process *process) {
    struct abi_process_info info;
    if (process->handle != 0 && process_wait(process->handle, 0, &info) == 0) {
        process->status = process_status(&info);
        file_close(process->handle);
        process->handle = 0;
    }
}

bool job_ended(struct job *job) {
    bool ended = true;
    for (unsigned i = 0; i < job->count; i++) {
        look_at(&job->processes[i]);
        ended = ended && job->processes[i].handle == 0;
    }
    return ended;
}

void job_wait(struct job *job, handle_t other, uint32_t events) {
    struct abi_wait_item items[WAIT_MAX];
    uint32_t count = 0;
    if (other != 0) {
        items[count++] = (struct abi_wait_item){.handle = other, .events = events};
    }
    for (unsigned i = 0; i < job->count && count < WAIT_MAX; i++) {
        if (job->processes[i].handle != 0) {
            items[count++] = (struct abi_wait_item){.handle = job->processes[i].handle, .events = EVENT_EXITED};
        }
    }
    if (count > 0) {
        (void)sys_wait(items, count, FOREVER, nullptr);
    }
}

int job_status(const struct job *job) {
    return job->count == 0 ? 0 : job->processes[job->count - 1].status;
}
uint32_t job_pid(const struct job *job) {
    return job->count == 0 ? 0 : job->processes[job->count - 1].pid;
}

void job_kill(struct job *job, int status) {
    for (unsigned i = 0; i < job->count; i++) {
        if (job->processes[i].handle != 0) {
            process_kill_tree(job->processes[i].pid, status);
        }
    }
}

void job_free(struct job *job) {
    for (unsigned i = 0; i < job->count; i++) {
        file_close(job->processes[i].handle);
    }
    free(job->processes);
    free(job->text);
    free(job);
}

void job_to_background(struct job *job) {
    struct job **end = &job_list;
    job->id = 1;
    for (; *end != nullptr; end = &(*end)->next) {
        job->id = (*end)->id + 1;
    }
    *end = job;
}

struct job *job_find(uint32_t id, bool by_pid) {
    struct job *job = job_list;
    while (job != nullptr && (by_pid ? job_pid(job) : job->id) != id) {
        job = job->next;
    }
    return job;
}

void job_remove(struct job *job) {
    for (struct job **at = &job_list; *at != nullptr; at = &(*at)->next) {
        if (*at == job) {
            *at = job->next;
            return;
        }
    }
}
