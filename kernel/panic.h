// Kernel bugs: report and stop with the distinct status. Never reachable by a user's action.
#pragma once

#include "base/types.h"

[[noreturn, gnu::format(printf, 1, 2)]] void panic(const char *format, ...);

enum { PANIC_STACK_MAX = 65536 }; // bytes of kernel stack that a back trace looks at

// Begin a report, behind all output that is queued: returns on the first CPU that calls it; another stops there, and the
// first one coming again has failed while it reported and stops everything.
void panic_begin(void);
// End it: what reports of users' faults are still to tell follows, then everything stops.
[[noreturn]] void panic_end(void);

// An invariant. Always checked: the kernel is small enough to afford it where it stands.
#define KASSERT(condition)                                                                                             \
    do {                                                                                                               \
        if (__builtin_expect(!(condition), 0))                                                                         \
            panic("%s:%d: %s does not hold", __FILE_NAME__, __LINE__, #condition);                                     \
    } while (0)
