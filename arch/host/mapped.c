#define _DEFAULT_SOURCE // MAP_ANONYMOUS
#include "mapped.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#if __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#endif

static void check(bool done, const char *what) {
    if (!done) {
        perror(what);
        abort();
    }
}

void *mapped_create(size_t size) {
    void *memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    check(memory != MAP_FAILED, "mmap");
    return memory;
}

void mapped_destroy(void *memory, size_t size) {
#if __has_feature(address_sanitizer)
    __asan_unpoison_memory_region(memory, size);
#endif
    check(munmap(memory, size) == 0, "munmap");
}

void mapped_forbid(void *memory, size_t size) {
    check(mprotect(memory, size, PROT_NONE) == 0, "mprotect");
}

void mapped_allow(void *memory, size_t size) {
    check(mprotect(memory, size, PROT_READ | PROT_WRITE) == 0, "mprotect");
}
