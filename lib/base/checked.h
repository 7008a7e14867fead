// Arithmetic that says when the true result does not fit, for values that are not trusted. Each returns true and stores
// the result if it fits; otherwise false, and *result is the wrapped value.
#pragma once

#include "base/types.h"

[[nodiscard]] static inline bool checked_add(uint64_t a, uint64_t b, uint64_t *result) {
    return !__builtin_add_overflow(a, b, result);
}

[[nodiscard]] static inline bool checked_sub(uint64_t a, uint64_t b, uint64_t *result) {
    return !__builtin_sub_overflow(a, b, result);
}

[[nodiscard]] static inline bool checked_mul(uint64_t a, uint64_t b, uint64_t *result) {
    return !__builtin_mul_overflow(a, b, result);
}

// Round up to a multiple of a power of two.
[[nodiscard]] static inline bool checked_align_up(uint64_t value, uint64_t alignment, uint64_t *result) {
    bool fits = checked_add(value, alignment - 1, result);
    *result &= ~(alignment - 1);
    return fits;
}

// Whether [offset, offset + length) lies in [0, size), without wrapping.
[[nodiscard]] static inline bool range_within(uint64_t offset, uint64_t length, uint64_t size) {
    return offset <= size && length <= size - offset;
}
