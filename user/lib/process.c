// Other processes.
#include "lib/process.h"

#include "base/format.h"
#include "base/str.h"
#include "isthmus/calls.h"
#include "lib/file.h"
#include "lib/memory.h"
#include "lib/table.h"
#include "lib/wait.h"

long process_wait(handle_t process, uint64_t deadline, struct abi_process_info *info) {
    struct abi_process_info ignored;
    long status = wait_for(process, EVENT_EXITED, deadline);
    return status < 0 ? status : sys_process_info(process, info != nullptr ? info : &ignored);
}

int process_status(const struct abi_process_info *info) {
    switch (info->state) {
    case PROCESS_KILLED:
        return STATUS_KILLED + (info->exit_status & 127);
    case PROCESS_FAULTED:
        return STATUS_FAULTED;
    default:
        return info->exit_status & 255;
    }
}

long process_finish(long process) {
    if (process < 0) {
        return process;
    }
    struct abi_process_info info;
    long status = process_wait((handle_t)process, FOREVER, &info);
    (void)sys_close((handle_t)process);
    return status < 0 ? status : process_status(&info);
}

long process_give(handle_t process, handle_t handle) {
    long given = sys_give(process, handle, RIGHTS_ALL);
    if (given != ERR_RIGHTS) {
        return given;
    }
    // Nothing tells which rights a handle has, so try each.
    uint32_t rights = 0;
    for (uint32_t right = 1; right <= RIGHTS_ALL; right <<= 1) {
        long copy = sys_dup(handle, right);
        if (copy >= 0) {
            rights |= right;
            (void)sys_close((handle_t)copy);
        }
    }
    return rights == 0 ? ERR_RIGHTS : sys_give(process, handle, rights);
}

long process_kill(uint32_t pid, int status) {
    char path[48];
    char command[32];
    (void)format(path, sizeof path, "/proc/%u/ctl", pid);
    (void)format(command, sizeof command, "kill %d", status);
    return file_command(path, command);
}

static uint32_t parent_of(const char *pid) {
    char path[PATH_LEN_MAX + 1];
    char text[1024];
    (void)format(path, sizeof path, "/proc/%s/status", pid);
    uint64_t parent = 0;
    struct table table;
    if (file_load(path, text, sizeof text) > 0 && table_parse(&table, text)) {
        (void)table_number(&table, 0, "parent", &parent);
    }
    return (uint32_t)parent;
}

void process_kill_tree(uint32_t pid, int status) {
    // The children first are noted, then the parent ends (so that it cannot start more), then the children.
    struct abi_dirent *entries = nullptr;
    long count = file_list("/proc", &entries);
    (void)process_kill(pid, status);
    for (long i = 0; i < count; i++) {
        uint64_t child;
        if (str_to_u64(entries[i].name, &child) && child != pid && parent_of(entries[i].name) == pid) {
            process_kill_tree((uint32_t)child, status);
        }
    }
    free(entries);
}
