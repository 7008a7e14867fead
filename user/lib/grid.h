// A table that a program prints: columns for people, or tab-separated values for scripts.
#pragma once

#include "lib/text.h"

// Zero it and set `columns`; then add the cells row by row, the names of the columns first.
struct grid {
    unsigned columns;
    size_t cell_count;
    struct text cells; // each behind its predecessor's zero
    bool failed;       // there was no memory: grid_print will tell
};

void grid_add(struct grid *grid, const char *cell);
void grid_add_number(struct grid *grid, uint64_t number);

// Print it to standard output, and empty it for the next one. Columns of numbers only are aligned at their right.
// ERR_NO_MEMORY if a cell found no memory; nothing is printed then.
[[nodiscard]] long grid_print(struct grid *grid, bool tabs);
