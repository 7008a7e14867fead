// The four memory functions of the C standard, as symbols that the compiler may call too. A host build takes them from
// its C library instead.
#pragma once

#include "base/types.h"

void *memcpy(void *restrict to, const void *restrict from, size_t length);
void *memmove(void *to, const void *from, size_t length);
void *memset(void *to, int byte, size_t length);
int memcmp(const void *a, const void *b, size_t length);
