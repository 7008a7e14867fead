// Failing allocations on purpose. page_alloc and slab_alloc ask alloc_fault() first; a test arms it to refuse the n-th
// allocation from now (and only that one, or that one and all later ones).
#pragma once

#include "base/types.h"

void alloc_fault_arm(uint64_t nth, bool and_all_later); // 1: the next; 0 disarms
bool alloc_fault_fired(void);                           // since armed
bool alloc_fault(void);                                 // for the allocators: refuse this one?
