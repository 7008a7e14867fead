// The one function that may touch user memory (entry.S). Either side may be a user address, and either may fault: then
// it returns false, having copied some prefix.
#pragma once

#include "base/types.h"

[[nodiscard]] bool riscv_copy(void *to, const void *from, size_t length);
