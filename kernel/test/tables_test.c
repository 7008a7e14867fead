// Page tables of any shape are freed whole, in turns that keep to their budget.
#include <criterion/criterion.h>

#include "kernel/include/tables.h"
#include "kernel/page_alloc.h"
#include "memory_world.h"
#include "property.h"

enum { VALID = 1, LEVELS_MAX = 4 };

static paddr_t below(uint64_t entry) {
    return entry & ~(uint64_t)VALID;
}

// Make the tables that lead to an address; how many are new.
static unsigned reach(const struct tables *tables, uint64_t address) {
    uint64_t *table = tables->root;
    unsigned made = 0;
    for (unsigned level = tables->levels; level > 1; level--) {
        uint64_t *entry = &table[address >> (12 + 9 * (level - 1)) & (TABLE_ENTRIES - 1)];
        if (*entry == 0) {
            *entry = page_alloc_zeroed() | VALID;
            made++;
        }
        table = arch_phys_to_virt(below(*entry));
    }
    table[address >> 12 & (TABLE_ENTRIES - 1)] = UINT64_MAX; // what is mapped is left alone
    return made;
}

static void free_in_turns(struct property *p) {
    world_begin(4 << 20);
    paddr_t root = page_alloc_zeroed();
    const struct tables tables = {
        .root = arch_phys_to_virt(root),
        .entries = property_chance(p, "half", 50) ? TABLE_ENTRIES / 2 : TABLE_ENTRIES,
        .levels = (unsigned)property_between(p, "levels", 2, LEVELS_MAX),
        .below = below,
    };
    unsigned size = 12 + 9 * (tables.levels - 1);
    uint64_t end = (uint64_t)tables.entries << size, made = 0;
    uint64_t spread = end >> property_between(p, "near", 0, size - 1); // in a part of it
    for (uint64_t i = property_between(p, "addresses", 0, 60); i > 0; i--) {
        made += reach(&tables, end - 1 - property_between(p, "address", 0, spread - 1));
    }
    uint64_t before = world_pages_taken(), freed = 0;
    for (bool done = false; !done;) {
        unsigned budget = (unsigned)property_between(p, "budget", 1, 40), left = budget;
        uint64_t was = freed, pages = world_pages_taken();
        done = tables_free(&tables, &freed, &left);
        property_check(p, left <= budget && freed >= was); // a turn goes on from the last within its budget
        property_check(p,
                       pages - world_pages_taken() <= 16 * budget / 32 + LEVELS_MAX); // a turn frees what it is worth
        property_check(p, done || left == 0); // a turn that is not the last uses its budget up
    }
    property_equal(p, (int64_t)(before - world_pages_taken()), (int64_t)made);
    property_equal(p, (int64_t)freed, (int64_t)end);
    for (unsigned i = 0; i < tables.entries; i++) {
        property_equal(p, (int64_t)tables.root[i], 0);
    }
}

Test(tables, any_tree_is_freed_in_turns) {
    cr_assert(property_run("free_in_turns", 300, free_in_turns));
}
