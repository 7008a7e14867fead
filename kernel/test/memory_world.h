// A machine with memory and one CPU that has not booted: for suites that call the core's memory management directly.
#pragma once

#include "kernel/include/arch.h"

enum { WORLD_CPU = 0 };

void world_begin(uint64_t memory);          // bytes; everything is given to the page allocator
void world_enter(struct arch_space *space); // the CPU runs in it; null: in none
// Pages and objects that are taken, not counting what the allocators keep for themselves.
uint64_t world_pages_taken(void);
uint64_t world_objects_taken(void);
void world_finish_slices(void); // run queued work to its end
