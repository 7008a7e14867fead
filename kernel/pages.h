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
    uint64_t count;                                      // pages, 1 to PAGES_MAX / PAGE_SIZE
    uint64_t resident;                                   // pages taken
    uint32_t mapped_writable, mapped_executable, mapped; // mappings, until no CPU can use them any more
    paddr_t direct[PAGES_INLINE];                        // the first pages
    paddr_t *directory; // of the others: one page that names pages of 512 entries; null until used
    struct slice teardown;
};

extern const struct object_ops pages_ops;

[[nodiscard]] status_t pages_create(uint64_t size, struct pages **pages); // ERR_INVALID, ERR_NO_MEMORY; one reference
// The page at index, taken now if it was not there yet and take is set; 0: not there, or no memory.
[[nodiscard]] paddr_t pages_get(struct pages *pages, uint64_t index, bool take);
// The page at index, if it is one of the first and is there; else 0.
static inline paddr_t pages_at_hand(const struct pages *pages, uint64_t index) {
    return index < PAGES_INLINE ? pages->direct[index] : 0;
}
// Look for the first page there is at or after *index and before end, as far as *budget of a slice goes: true if *index is
// one; else *index is where to go on, at last end.
[[nodiscard]] bool pages_next(const struct pages *pages, uint64_t *index, uint64_t end, unsigned *budget);
// Copy bytes; holes read as zeroes. offset + length within the object, length at most READ_MAX. ERR_FAULT,
// ERR_NO_MEMORY, a prefix may have been copied; writing also ERR_BUSY: mapped executable. The direction is from the
// user's point of view: read copies out to the user.
[[nodiscard]] status_t pages_read(struct pages *pages, user_ptr_t to, uint64_t offset, uint64_t length);
[[nodiscard]] status_t pages_write(struct pages *pages, user_ptr_t from, uint64_t offset, uint64_t length);
// From the kernel, at boot or bounded by the caller. ERR_NO_MEMORY.
[[nodiscard]] status_t pages_fill(struct pages *pages, const void *from, uint64_t offset, uint64_t length);
