// More threads in this process.
#pragma once

#include "abi/abi.h"
#include "base/types.h"

// Start a thread that calls body(argument) on a fresh stack of `stack_size` bytes (0: 64 KiB) and ends when body
// returns. Its handle: wait for EVENT_EXITED on it. The stack is not given back before the process ends.
[[nodiscard]] long thread_start(void (*body)(void *argument), void *argument, size_t stack_size);
