// Vector state (x87 and SSE): a thread begins without, gets a clean one when it first touches it, and from then on it is
// switched with the thread.
#pragma once

#include "kernel/include/arch.h"

// The current thread used a vector instruction while it had no state. False: it has, so this is something else.
[[nodiscard]] bool x86_vector_first_use(struct thread *thread);
