// Memory of the workstation, apart because its names collide with the ABI's.
#pragma once

#include <stddef.h>

void *memory_map(size_t size); // zeroes, taken at first touch; aborts when there is none
void memory_unmap(void *memory, size_t size);
void memory_forbid(void *memory, size_t size); // from now on a touch ends the program
void memory_allow(void *memory, size_t size);
