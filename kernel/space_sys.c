#include "abi/calls.h"
#include "base/bits.h"
#include "base/checked.h"
#include "kernel/process.h"
#include "kernel/space.h"
#include "kernel/thread.h"

// A process whose address space may be changed. The caller's handle keeps it referenced.
static status_t target_get(struct thread *self, handle_t handle, struct process **process) {
    struct object *object;
    status_t status = handle_get(&self->process->handles, handle, OBJECT_PROCESS, RIGHT_MAP, &object);
    if (status == 0) {
        *process = container_of(object, struct process, object);
    }
    return status;
}

static bool has_ended(const struct process *process) {
    return process->state >= PROCESS_EXITED;
}

// What an object must allow for a mapping with this protection.
static uint32_t rights_for(const struct object *object, uint32_t protection) {
    return RIGHT_READ | ((protection & PROT_WRITE) != 0 ? RIGHT_WRITE : 0) |
           ((protection & PROT_EXEC) != 0 ? RIGHT_EXEC : 0) | (object->ops->kind == OBJECT_PAGES ? RIGHT_MAP : 0);
}

// What can be told from the arguments alone; space_map checks against the object and the space.
static bool map_arguments_valid(uint64_t address, uint64_t offset, uint64_t length, uint32_t protection) {
    constexpr uint32_t both = PROT_WRITE | PROT_EXEC;
    return is_aligned(address, PAGE_SIZE) && is_aligned(offset, PAGE_SIZE) && length > 0 && length <= PAGES_MAX &&
           (address == 0 || (address >= ARCH_USER_BASE && range_within(address, length, ARCH_USER_TOP))) &&
           (protection & ~(both | PROT_READ)) == 0 && (protection & both) != both;
}

long sys_map(struct thread *self, handle_t process_handle, handle_t object_handle, user_ptr_t address, uint64_t offset,
             uint64_t length, uint32_t protection, struct call_results *out) {
    if (!map_arguments_valid(address.va, offset, length, protection)) {
        return ERR_INVALID;
    }
    struct process *process;
    status_t status = target_get(self, process_handle, &process);
    if (status != 0) {
        return status;
    }
    struct handle *handle;
    status = handle_find(&self->process->handles, object_handle, &handle);
    if (status < 0) {
        return status;
    }
    struct object *object = handle->object;
    if (object->ops->memory == nullptr) {
        return ERR_WRONG_KIND;
    }
    uint32_t rights = rights_for(object, protection);
    if ((handle->rights & rights) != rights) {
        return ERR_RIGHTS;
    }
    if (has_ended(process)) {
        return ERR_DEAD;
    }
    struct pages *pages;
    uint64_t size;
    status = object->ops->memory(object, protection, &pages, &size);
    if (status < 0) {
        return status;
    }
    // A file's memory could hold more than the file has: touching that would fill it with pages that nobody wrote.
    if (!range_within(offset, align_up(length, PAGE_SIZE), align_up(size, PAGE_SIZE))) {
        return ERR_INVALID;
    }
    status = space_map(&process->space, pages, &address.va, offset, length, protection);
    if (status == 0) {
        out->word[0] = address.va;
    }
    return status;
}

long sys_unmap(struct thread *self, handle_t process_handle, user_ptr_t address) {
    struct process *process;
    status_t status = target_get(self, process_handle, &process);
    if (status != 0) {
        return status;
    }
    if (has_ended(process)) {
        return ERR_DEAD;
    }
    return space_unmap(&process->space, address.va);
}
