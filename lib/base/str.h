// Bounded strings. The functions with names of the C standard behave as there (cstring.c; a host build takes them from
// its C library).
#pragma once

#include "base/types.h"

size_t strlen(const char *text);
size_t strnlen(const char *text, size_t limit);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t limit);

// Copy a zero-terminated string into capacity bytes, cut if it does not fit and always terminated (unless capacity is
// 0). Returns the length of `from`: the copy was cut if that is >= capacity.
size_t str_copy(char *to, size_t capacity, const char *from);

// The same from length bytes that need no terminator.
size_t str_copy_bytes(char *to, size_t capacity, const char *from, size_t length);

bool str_equal(const char *a, const char *b);
bool str_starts(const char *text, const char *prefix);

// Read a whole string as an unsigned number: decimal, or hexadecimal after 0x. Returns true and stores it; false if it
// is empty, has anything else in it, or does not fit in 64 bits.
[[nodiscard]] bool str_to_u64(const char *text, uint64_t *value);
[[nodiscard]] bool str_to_u64_bytes(const char *text, size_t length, uint64_t *value);
