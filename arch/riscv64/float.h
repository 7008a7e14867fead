// Floating-point state: a thread begins without, gets a clean one when it first touches it, and from then on it is
// switched with the thread.
#pragma once

#include "kernel/include/arch.h"

// The current thread used an undefined instruction while it had no floating-point state: give it one, and let it try
// again. False: it has one, or the machine has none, so this is something else. (One attempt tells the instructions that
// need the state from all others, which stay undefined.)
[[nodiscard]] bool riscv_float_first_use(struct thread *thread);
