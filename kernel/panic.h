// Kernel bugs: report and stop with the distinct status. Never reachable by a user's action.
#pragma once

#include "base/types.h"

[[noreturn, gnu::format(printf, 1, 2)]] void panic(const char *format, ...);

// An invariant. Always checked: the kernel is small enough to afford it where it stands.
#define KASSERT(condition)                                                                                             \
    do {                                                                                                               \
        if (__builtin_expect(!(condition), 0))                                                                         \
            panic("%s:%d: %s does not hold", __FILE_NAME__, __LINE__, #condition);                                     \
    } while (0)
