// Dynamic memory of a program, on top of pages_create and map. Small sizes come from free lists of size classes, carved
// out of big chunks that the kernel backs page by page at first touch; sizes above MEMORY_CLASS_MAX get a mapping of
// their own, which free gives back. Safe between the threads of one process.
#pragma once

#include "abi/abi.h"
#include "base/types.h"

enum { MEMORY_CLASS_MAX = 2048 };

// `size` bytes, 16-byte aligned, not zeroed; null when there is no memory. A size of 0 gives a block too.
void *malloc(size_t size);

// The same for count * size bytes, zeroed; null too when the product overflows.
void *calloc(size_t count, size_t size);

// A block of `size` bytes with the contents of `block`, which may be null; null when there is no memory, and `block` is
// then still there.
void *realloc(void *block, size_t size);

// Give a block back; null is allowed.
void free(void *block);

// Map fresh zeroed memory of whole pages, `size` bytes; null when there is none. Given back with memory_unmap.
void *memory_map(size_t size);
void memory_unmap(void *address);
