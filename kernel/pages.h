// A memory object: a number of pages, taken one by one at first touch, zeroed. Mapped into address spaces (space.h),
// and the content of ordinary files. Once mapped executable it is not mapped writable nor written, and the reverse (W^X
// over all mappings). Needs the kernel lock.
#pragma once

#include "kernel/include/arch.h"
#include "kernel/object.h"
#include "kernel/slice.h"

enum { PAGES_INLINE = 6 };

struct pages {
    struct object object;
    uint64_t count;     // pages, 1 to PAGES_MAX / PAGE_SIZE
    uint64_t resident;  // pages taken
    uint32_t mapped_writable, mapped_executable, mapped; // mappings
    paddr_t direct[PAGES_INLINE]; // the first pages
    paddr_t *directory;           // then: pages of 512 entries, in one directory page; null until used
    struct slice teardown;
};

extern const struct object_ops pages_ops;

[[nodiscard]] status_t pages_create(uint64_t size, struct pages **pages); // ERR_INVALID, ERR_NO_MEMORY; one reference
// The page at index, taken now if it was not there yet and take is set; 0: not there, or no memory.
[[nodiscard]] paddr_t pages_get(struct pages *pages, uint64_t index, bool take);
// Copy bytes; holes read as zeroes. offset + length within the object. ERR_FAULT, ERR_NO_MEMORY; the reverse of
// direction is from the user's point of view: read copies out to the user.
[[nodiscard]] status_t pages_read(struct pages *pages, user_ptr_t to, uint64_t offset, uint64_t length);
[[nodiscard]] status_t pages_write(struct pages *pages, user_ptr_t from, uint64_t offset, uint64_t length);
[[nodiscard]] status_t pages_fill(struct pages *pages, const void *from, uint64_t offset, uint64_t length); // from the kernel
// Give back pages from index on (not mapped); at most *budget; true when done.
[[nodiscard]] bool pages_truncate(struct pages *pages, uint64_t index, unsigned *budget);
