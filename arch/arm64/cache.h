// Instruction caches do not see what is written through data caches: between writing code and running it, these do.
#pragma once

#include "kernel/include/arch.h"

void arm64_cache_init(void); // boot CPU, once

// All CPUs will execute what is in this page now. Whoever runs it next passes an exception return first.
void arm64_cache_page_code(paddr_t page);
