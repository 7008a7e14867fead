// Memory that is free must not be touched. Where the address sanitizer runs (the host port) it is told what is free and
// reports who touches it; elsewhere these cost nothing.
#pragma once

#include "base/types.h"

#if __has_feature(address_sanitizer)
void __asan_poison_memory_region(const volatile void *address, size_t size);
void __asan_unpoison_memory_region(const volatile void *address, size_t size);

static inline void memory_forbid(const void *address, size_t size) {
    __asan_poison_memory_region(address, size);
}

static inline void memory_permit(const void *address, size_t size) {
    __asan_unpoison_memory_region(address, size);
}
#else
static inline void memory_forbid(const void *, size_t) {}
static inline void memory_permit(const void *, size_t) {}
#endif
