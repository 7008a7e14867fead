// Reading /proc.
#include "lib/process_list.h"

#include "base/format.h"
#include "base/memory.h"
#include "base/str.h"
#include "lib/file.h"
#include "lib/memory.h"

long process_entry_load(struct process_entry *entry, uint32_t pid) {
    char path[32];
    (void)format(path, sizeof path, "/proc/%u/status", pid);
    entry->pid = pid;
    long length = file_load(path, entry->text, sizeof entry->text);
    if (length < 0) {
        return length;
    }
    return table_parse(&entry->status, entry->text) && entry->status.line_count > 0 ? 0 : ERR_NOT_FOUND;
}

// Numbers in ascending order.
static void sort(uint32_t *pids, long count) {
    for (long gap = count / 2; gap > 0; gap /= 2) {
        for (long i = gap; i < count; i++) {
            uint32_t moving = pids[i];
            long at = i;
            for (; at >= gap && pids[at - gap] > moving; at -= gap) {
                pids[at] = pids[at - gap];
            }
            pids[at] = moving;
        }
    }
}

long process_list(struct process_entry **entries) {
    struct abi_dirent *found;
    long count = file_list("/proc", &found);
    if (count < 0) {
        return count;
    }
    uint32_t *pids = calloc((size_t)count + 1, sizeof *pids);
    struct process_entry *list = calloc((size_t)count + 1, sizeof *list);
    long pid_count = 0;
    for (long i = 0; pids != nullptr && i < count; i++) {
        uint64_t pid;
        if (str_to_u64(found[i].name, &pid) && pid <= UINT32_MAX) {
            pids[pid_count++] = (uint32_t)pid;
        }
    }
    free(found);
    if (pids == nullptr || list == nullptr) {
        free(pids);
        free(list);
        return ERR_NO_MEMORY;
    }
    sort(pids, pid_count);
    count = 0;
    for (long i = 0; i < pid_count; i++) {
        count += process_entry_load(&list[count], pids[i]) == 0; // one that has just gone is no error
    }
    free(pids);
    *entries = list;
    return count;
}
