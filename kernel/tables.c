#include "kernel/include/tables.h"

#include "kernel/page_alloc.h"

// In entries looked at: a unit of a budget, and what freeing a table is worth.
enum { ENTRIES_PER_UNIT = 12, FREE_WORK = PAGE_FREE_UNITS * ENTRIES_PER_UNIT };
enum { PAGE_SHIFT = 12, LEVEL_SHIFT = 9 };
static_assert(TABLE_ENTRIES == 1 << LEVEL_SHIFT);

// Below one table of the given level, from where the last turn stopped; false when *work ran out first.
static bool free_below(const struct tables *tables, uint64_t *table, unsigned entries, unsigned level, uint64_t *freed,
                       unsigned *work) { // NOLINT(misc-no-recursion): a few levels
    unsigned shift = PAGE_SHIFT + LEVEL_SHIFT * (level - 1);
    uint64_t base = *freed >> (shift + LEVEL_SHIFT) << (shift + LEVEL_SHIFT); // what the table maps begins here
    for (uint64_t i = *freed >> shift & (TABLE_ENTRIES - 1); i < entries; i++) {
        for (; *work > 0 && table[i] == 0 && i < entries - 1; i++) {
            --*work;
        }
        if (*freed < base + (i << shift)) { // else below entry i the last turn has freed something
            *freed = base + (i << shift);
        }
        if (*work == 0) {
            return false;
        }
        --*work;
        if (table[i] != 0) {
            paddr_t below = tables->below(table[i]);
            if (level > 2 && !free_below(tables, arch_phys_to_virt(below), TABLE_ENTRIES, level - 1, freed, work)) {
                return false;
            }
            page_free(below, 0);
            table[i] = 0;
            *work -= *work < FREE_WORK ? *work : FREE_WORK;
        }
    }
    *freed = base + ((uint64_t)entries << shift);
    return true;
}

bool tables_free(const struct tables *tables, uint64_t *freed, unsigned *budget) {
    unsigned work = *budget * ENTRIES_PER_UNIT;
    bool done = free_below(tables, tables->root, tables->entries, tables->levels, freed, &work);
    *budget = work / ENTRIES_PER_UNIT;
    return done;
}
