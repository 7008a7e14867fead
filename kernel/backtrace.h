// Who called whom, by the chain of frame pointers.
#pragma once

#include "kernel/include/arch.h"

// Return addresses, innermost first, the frame's pc included; how many. In the address space of the thread whose frame it is.
unsigned backtrace(const struct arch_frame *frame, uint64_t *pc, unsigned capacity);
