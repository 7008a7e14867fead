#include "kernel/space.h"

#include "base/bits.h"
#include "base/checked.h"
#include "base/memory.h"
#include "kernel/panic.h"
#include "kernel/slab.h"
#include "kernel/tlb.h"

enum {
    MAPPING_CAPACITY_FIRST = 8,
    UNMAP_AT_ONCE = 48, // units of work that the call does itself
    FREE_UNITS = 8,     // of a slice's budget: the object may go with its last mapping
};

static_assert(PROT_READ == ARCH_PROT_READ && PROT_WRITE == ARCH_PROT_WRITE && PROT_EXEC == ARCH_PROT_EXEC);

// Addresses that the kernel chooses lie above this while there is room, out of the way of programs' own.
static const uint64_t chosen_base = ARCH_USER_TOP / 4 & ~(uint64_t)(PAGE_SIZE - 1);

status_t space_create(struct space *space) {
    *space = (struct space){};
    list_init(&space->unmapping);
    list_init(&space->teardown.link);
    return arch_space_create(&space->arch);
}

// Index of the first mapping that ends above address.
static uint32_t index_of(const struct space *space, uint64_t address) {
    uint32_t low = 0, high = space->mapping_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        const struct mapping *mapping = space->mapping[middle];
        if (mapping->base + mapping->size > address) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

static struct mapping *mapping_at(const struct space *space, uint64_t address) {
    uint32_t index = index_of(space, address);
    if (index == space->mapping_count) {
        return nullptr;
    }
    struct mapping *mapping = space->mapping[index];
    return mapping->base <= address && !mapping->unmapping ? mapping : nullptr;
}

const struct mapping *space_find(const struct space *space, uint64_t address) {
    return mapping_at(space, address);
}

static bool range_free(const struct space *space, uint64_t base, uint64_t size) {
    uint32_t index = index_of(space, base);
    return index == space->mapping_count || space->mapping[index]->base >= base + size;
}

// A free range at or above `from` with a free page on either side, so that running over the end of one mapping never
// gets into the next: 0 if there is none.
static uint64_t range_choose_from(const struct space *space, uint64_t from, uint64_t size) {
    uint64_t base = from + PAGE_SIZE;
    for (uint32_t index = index_of(space, from); index < space->mapping_count; index++) {
        const struct mapping *mapping = space->mapping[index];
        if (mapping->base >= base && mapping->base - base >= size + PAGE_SIZE) {
            break;
        }
        base = mapping->base + mapping->size + PAGE_SIZE;
    }
    return base < ARCH_USER_TOP && ARCH_USER_TOP - base >= size + PAGE_SIZE ? base : 0;
}

static uint64_t range_choose(const struct space *space, uint64_t size) {
    uint64_t base = range_choose_from(space, chosen_base, size);
    return base != 0 ? base : range_choose_from(space, ARCH_USER_BASE, size);
}

// Room for one more mapping in the table. It grows by doubling.
static status_t table_reserve(struct space *space) {
    if (space->mapping_count < space->mapping_capacity) {
        return 0;
    }
    uint32_t capacity = space->mapping_capacity != 0 ? 2 * space->mapping_capacity : MAPPING_CAPACITY_FIRST;
    struct mapping **table = slab_alloc(capacity * sizeof *table);
    if (table == nullptr) {
        return ERR_NO_MEMORY;
    }
    if (space->mapping_count > 0) {
        memcpy(table, space->mapping, space->mapping_count * sizeof *table);
    }
    slab_free(space->mapping, space->mapping_capacity * sizeof *table);
    space->mapping = table;
    space->mapping_capacity = capacity;
    return 0;
}

static status_t map_check(const struct space *space, const struct pages *pages, uint64_t *address, uint64_t offset,
                          uint64_t *length, unsigned protection) {
    constexpr unsigned both = PROT_WRITE | PROT_EXEC;
    if (!is_aligned(*address, PAGE_SIZE) || !is_aligned(offset, PAGE_SIZE) || *length == 0 ||
        !checked_align_up(*length, PAGE_SIZE, length) || (protection & ~(both | PROT_READ)) != 0 ||
        (protection & both) == both || !range_within(offset, *length, pages->count * PAGE_SIZE) ||
        (*address != 0 && (*address < ARCH_USER_BASE || !range_within(*address, *length, ARCH_USER_TOP)))) {
        return ERR_INVALID;
    }
    if (*address != 0 && !range_free(space, *address, *length)) {
        return ERR_EXISTS;
    }
    if (((protection & PROT_WRITE) != 0 && pages->mapped_executable > 0) ||
        ((protection & PROT_EXEC) != 0 && pages->mapped_writable > 0)) {
        return ERR_BUSY;
    }
    return space->mapping_count < MAPPINGS_MAX ? 0 : ERR_LIMIT;
}

status_t space_map(struct space *space, struct pages *pages, uint64_t *address, uint64_t offset, uint64_t length,
                   unsigned protection) {
    status_t status = map_check(space, pages, address, offset, &length, protection);
    if (status < 0) {
        return status;
    }
    struct mapping *mapping = slab_alloc(sizeof *mapping);
    if (mapping == nullptr || table_reserve(space) < 0) {
        slab_free(mapping, sizeof *mapping);
        return ERR_NO_MEMORY;
    }
    uint64_t base = *address != 0 ? *address : range_choose(space, length);
    if (base == 0) {
        slab_free(mapping, sizeof *mapping);
        return ERR_NO_MEMORY;
    }
    *mapping = (struct mapping){
        .base = base,
        .size = length,
        .offset = offset,
        .protection = protection | PROT_READ,
        .pages = pages,
    };
    list_init(&mapping->link);
    uint32_t index = index_of(space, base);
    memmove(&space->mapping[index + 1], &space->mapping[index],
            (space->mapping_count - index) * sizeof *space->mapping);
    space->mapping[index] = mapping;
    space->mapping_count++;
    space->mapped += length;
    object_ref(&pages->object);
    pages->mapped++;
    pages->mapped_writable += (protection & PROT_WRITE) != 0;
    pages->mapped_executable += (protection & PROT_EXEC) != 0;
    *address = base;
    return 0;
}

// The mapping is no longer in the table and no CPU can use it.
static void mapping_free(struct space *space, struct mapping *mapping) {
    struct pages *pages = mapping->pages;
    pages->mapped--;
    pages->mapped_writable -= (mapping->protection & PROT_WRITE) != 0;
    pages->mapped_executable -= (mapping->protection & PROT_EXEC) != 0;
    space->mapped -= mapping->size;
    slab_free(mapping, sizeof *mapping);
    object_unref(&pages->object);
}

// Remove page-table entries, and what CPUs hold of them. Only pages that the object has can be in the page table. True
// when all are gone.
static bool entries_remove(struct space *space, struct mapping *mapping, unsigned *budget) {
    uint64_t object_first = mapping->offset / PAGE_SIZE;
    uint64_t pages = mapping->size / PAGE_SIZE;
    uint64_t first = mapping->removed;
    bool any = false;
    while (mapping->removed < pages && *budget > 0) {
        uint64_t next = object_first + mapping->removed;
        bool found = pages_next(mapping->pages, &next, object_first + pages, budget);
        mapping->removed = next - object_first;
        if (found) {
            if (arch_space_unmap(&space->arch, mapping->base + mapping->removed * PAGE_SIZE)) {
                space->resident--;
                any = true;
            }
            mapping->removed++;
        }
    }
    if (any) {
        tlb_shootdown(space, mapping->base + first * PAGE_SIZE, mapping->removed - first);
    }
    return mapping->removed == pages;
}

// With the last entry the mapping goes.
static bool mapping_remove(struct space *space, struct mapping *mapping, unsigned *budget) {
    if (!entries_remove(space, mapping, budget)) {
        return false;
    }
    uint32_t index = index_of(space, mapping->base);
    KASSERT(space->mapping[index] == mapping);
    space->mapping_count--;
    memmove(&space->mapping[index], &space->mapping[index + 1],
            (space->mapping_count - index) * sizeof *space->mapping);
    list_remove(&mapping->link);
    mapping_free(space, mapping);
    return true;
}

static bool space_unmapping(struct slice *slice, unsigned *budget) {
    struct space *space = container_of(slice, struct space, teardown);
    while (!list_empty(&space->unmapping)) {
        struct mapping *mapping = container_of(list_first(&space->unmapping), struct mapping, link);
        if (*budget == 0 || !mapping_remove(space, mapping, budget)) {
            return false;
        }
    }
    return true;
}

status_t space_unmap(struct space *space, uint64_t address) {
    struct mapping *mapping = mapping_at(space, address);
    if (mapping == nullptr || mapping->base != address) {
        return ERR_INVALID;
    }
    mapping->unmapping = true;
    unsigned budget = UNMAP_AT_ONCE;
    if (!mapping_remove(space, mapping, &budget)) {
        list_push_back(&space->unmapping, &mapping->link);
        if (!list_is_linked(&space->teardown.link)) {
            slice_queue(&space->teardown, space_unmapping);
        }
    }
    return 0;
}

status_t space_fault(struct space *space, uint64_t address, unsigned access) {
    struct mapping *mapping = mapping_at(space, address);
    if (mapping == nullptr || (mapping->protection & access) != access) {
        return ERR_FAULT;
    }
    uint64_t va = align_down(address, PAGE_SIZE);
    paddr_t page;
    unsigned protection;
    if (arch_space_query(&space->arch, va, &page, &protection)) {
        return 0; // another thread was first
    }
    page = pages_get(mapping->pages, (mapping->offset + (va - mapping->base)) / PAGE_SIZE, true);
    if (page == 0) {
        return ERR_NO_MEMORY;
    }
    status_t status = arch_space_map(&space->arch, va, page, mapping->protection);
    if (status == 0) {
        space->resident++;
    }
    return status;
}

bool space_destroy(struct space *space, unsigned *budget) {
    slice_cancel(&space->teardown); // what it was to do is done here
    // Nothing can be used through page tables that no CPU will ever load again: entries need no removal one by one.
    while (space->mapping_count > 0) {
        if (*budget == 0) {
            return false;
        }
        slice_spend(budget, FREE_UNITS);
        mapping_free(space, space->mapping[--space->mapping_count]);
    }
    if (space->mapping != nullptr) {
        slab_free(space->mapping, space->mapping_capacity * sizeof *space->mapping);
        space->mapping = nullptr;
        space->mapping_capacity = 0;
    }
    list_init(&space->unmapping);
    space->resident = 0;
    return arch_space_destroy(&space->arch, budget);
}
