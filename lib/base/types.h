// The types that everything speaks: fixed-width integers, bool, size_t, and the ABI's scalars. Freestanding.
#pragma once

#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

// Names an object in the calling process. 0 names nothing.
typedef uint32_t handle_t;

// 0, or a negative error of abi/abi.h.
typedef int32_t status_t;
