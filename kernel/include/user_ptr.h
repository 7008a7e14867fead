// A user address is an allegation until it is checked. It has its own type, and these are the only functions that turn
// it into bytes: nothing else in the core reads or writes user memory.
#pragma once

#include <arch_types.h>

#include "base/types.h"

typedef struct {
    uint64_t va;
} user_ptr_t;

// Whether that many bytes lie in user space, mapped or not.
static inline bool user_range(user_ptr_t user, uint64_t length) {
    constexpr uint64_t SIZE = ARCH_USER_TOP - ARCH_USER_BASE;
    return length <= SIZE && user.va - ARCH_USER_BASE <= SIZE - length;
}

// Copy between kernel and the current thread's address space. Pages that a mapping provides but that were not touched
// yet are brought in. ERR_FAULT: some byte is not user memory mapped with the access needed (a prefix may have been
// copied); ERR_NO_MEMORY: a page could not be brought in.
[[nodiscard]] status_t user_copy_in(void *to, user_ptr_t from, uint64_t length);
[[nodiscard]] status_t user_copy_out(user_ptr_t to, const void *from, uint64_t length);
