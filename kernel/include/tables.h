// Page tables as all ports have them so far: a tree of tables of 512 entries of 8 bytes each, an entry of 0 leading nowhere.
#pragma once

#include "kernel/include/arch.h"

enum { TABLE_ENTRIES = 512 };

struct tables {
    uint64_t *root;
    unsigned entries; // of the root, from the first on: those that are a process's own
    unsigned levels;
    paddr_t (*below)(uint64_t entry); // the table that an entry above the lowest level leads to
};

// Free the tables below the root, not the root itself and not what the lowest level maps. Up to *budget units of about 100
// instructions are used up, entries looked at in vain included; true when all tables are gone. *freed, 0 at first, is how
// far it got: no table is left for addresses below. No CPU uses the tables any more.
[[nodiscard]] bool tables_free(const struct tables *tables, uint64_t *freed, unsigned *budget);
