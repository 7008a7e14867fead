#include "kernel/include/user_ptr.h"

#include "abi/abi.h"
#include "base/bits.h"
#include "kernel/cpu.h"
#include "kernel/panic.h"
#include "kernel/space.h"

static bool copy_try(user_ptr_t user, void *in, const void *out, uint64_t length) {
    return in != nullptr ? arch_user_copy_in(in, user.va, length) : arch_user_copy_out(user.va, out, length);
}

// Some page was not there: each is brought in as it is come to. Into `in`, or if that is null from `out`. A page that is
// there stays, because nothing else changes the space under the lock.
static status_t copy_by_pages(user_ptr_t user, char *in, const char *out, uint64_t length) {
    struct space *space = arch_cpu_current()->space;
    KASSERT(space != nullptr);
    while (length > 0) {
        uint64_t in_page = PAGE_SIZE - user.va % PAGE_SIZE;
        uint64_t part = length < in_page ? length : in_page;
        if (!copy_try(user, in, out, part)) {
            status_t status = space_fault(space, user.va, in != nullptr ? ARCH_PROT_READ : ARCH_PROT_WRITE);
            if (status < 0) {
                return status;
            }
            if (!copy_try(user, in, out, part)) {
                return ERR_FAULT;
            }
        }
        user.va += part;
        length -= part;
        in = in != nullptr ? in + part : nullptr;
        out = out != nullptr ? out + part : nullptr;
    }
    return 0;
}

// All is there as a rule: the first try takes it whole.
status_t user_copy_in(void *to, user_ptr_t from, uint64_t length) {
    if (length == 0) {
        return 0;
    }
    if (!user_range(from, length)) {
        return ERR_FAULT;
    }
    return arch_user_copy_in(to, from.va, length) ? 0 : copy_by_pages(from, to, nullptr, length);
}

status_t user_copy_out(user_ptr_t to, const void *from, uint64_t length) {
    if (length == 0) {
        return 0;
    }
    if (!user_range(to, length)) {
        return ERR_FAULT;
    }
    return arch_user_copy_out(to.va, from, length) ? 0 : copy_by_pages(to, nullptr, from, length);
}
