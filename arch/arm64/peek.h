// Reading the kernel's own memory for a report on it, when that may be what is broken (entry.S).
#pragma once

#include "base/types.h"

[[nodiscard]] bool arm64_peek(uint64_t from, uint64_t words[2]); // false: an access faulted
