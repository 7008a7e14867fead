// Memory of the workstation, apart because its names collide with the ABI's.
#pragma once

#include <stddef.h>

void *mapped_create(size_t size); // zeroes, taken at first touch; aborts when there is none
void mapped_destroy(void *memory, size_t size);
void mapped_forbid(void *memory, size_t size); // from now on a touch ends the program
void mapped_allow(void *memory, size_t size);
