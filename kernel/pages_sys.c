#include "abi/calls.h"
#include "kernel/pages.h"
#include "kernel/process.h"
#include "kernel/thread.h"

long sys_pages_create(struct thread *self, uint64_t size) {
    struct pages *pages;
    status_t status = pages_create(size, &pages);
    if (status < 0) {
        return status;
    }
    constexpr uint32_t rights = RIGHT_READ | RIGHT_WRITE | RIGHT_MAP | RIGHT_EXEC | RIGHT_GRANT | RIGHT_ADMIN;
    handle_t value;
    status = handle_insert(&self->process->handles, &pages->object, rights, 0, nullptr, &value);
    object_unref(&pages->object); // the handle has its own, or there is none
    return status < 0 ? status : (long)value;
}
