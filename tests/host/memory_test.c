// The allocators against naive models: nothing overlaps, nothing is lost, exhaustion is an answer, and what was given
// back joins again.
#include <criterion/criterion.h>
#include <string.h>

#include "abi/abi.h"
#include "bare.h"
#include "kernel/alloc_fault.h"
#include "kernel/page_alloc.h"
#include "kernel/slab.h"
#include "property.h"

enum { BLOCKS_MAX = 4096, PAGES_MODELLED = 16384 };

struct block {
    paddr_t page;
    unsigned order;
    uint64_t mark;
};

static struct block blocks[BLOCKS_MAX];
static unsigned block_count;
static bool taken[PAGES_MODELLED]; // by page number

// Memory with holes, sizes and a mapped limit of the case's choice.
static void boot(struct property *p) {
    struct host_options options = {};
    uint64_t at = PAGE_SIZE * property_between(p, "first page", 1, 40);
    do {
        uint64_t pages = property_between(p, "pages", options.range_count == 0 ? 16 : 1, 1500);
        options.range[options.range_count++] = (struct boot_range){at, pages * PAGE_SIZE};
        at += (pages + property_between(p, "hole", 1, 700)) * PAGE_SIZE;
    } while (options.range_count < 5 && property_more(p, 2));
    if (property_chance(p, "part is mapped later", 50)) {
        uint64_t first = options.range[0].base / PAGE_SIZE + 16; // enough to map the rest with
        options.mapped_limit = PAGE_SIZE * property_between(p, "mapped pages", first, at / PAGE_SIZE);
    }
    bare_boot(&options);
    block_count = 0;
    memset(taken, 0, sizeof taken);
}

static bool usable(paddr_t page) {
    const struct boot_info *info = host_boot_info();
    for (unsigned i = 0; i < info->range_count; i++) {
        if (page >= info->range[i].base && page - info->range[i].base < info->range[i].size) {
            return true;
        }
    }
    return false;
}

static void take(struct property *p, unsigned order) {
    struct page_stats before = page_alloc_stats();
    paddr_t page = page_alloc(order);
    struct page_stats after = page_alloc_stats();
    property_note(p, "take order %u: %llx", order, (unsigned long long)page);
    if (page == 0) {
        property_equal(p, after.failures, before.failures + 1);
        property_equal(p, after.free, before.free);
        property_check(p, order > 0 || before.free == 0);
        return;
    }
    property_equal(p, before.free - after.free, 1u << order);
    property_check(p, page % ((uint64_t)PAGE_SIZE << order) == 0);
    for (unsigned i = 0; i < 1u << order; i++) {
        paddr_t one = page + (uint64_t)i * PAGE_SIZE;
        property_check(p, usable(one));
        property_check(p, !taken[one / PAGE_SIZE]);
        taken[one / PAGE_SIZE] = true;
        memset(arch_phys_to_virt(one), 0xa5, PAGE_SIZE);
    }
    struct block *block = &blocks[block_count++];
    *block = (struct block){page, order, page ^ 0x123456789};
    memcpy(arch_phys_to_virt(page), &block->mark, sizeof block->mark);
}

static void give_back(struct property *p, unsigned index) {
    struct block block = blocks[index];
    blocks[index] = blocks[--block_count];
    property_note(p, "give back %llx", (unsigned long long)block.page);
    property_check(p, memcmp(arch_phys_to_virt(block.page), &block.mark, sizeof block.mark) == 0);
    for (unsigned i = 0; i < 1u << block.order; i++) {
        taken[block.page / PAGE_SIZE + i] = false;
    }
    page_free(block.page, block.order);
}

// How many blocks of each order can be had at once: says how well what is free is joined.
static unsigned how_many(unsigned order) {
    static paddr_t had[BLOCKS_MAX];
    unsigned count = 0;
    while (count < BLOCKS_MAX && (had[count] = page_alloc(order)) != 0) {
        count++;
    }
    for (unsigned i = 0; i < count; i++) {
        page_free(had[i], order);
    }
    return count;
}

static void pages_follow_the_model(struct property *p) {
    boot(p);
    unsigned many[PAGE_ORDER_MAX + 1];
    for (unsigned order = 0; order <= PAGE_ORDER_MAX; order++) {
        many[order] = how_many(order);
    }
    uint64_t free = page_alloc_stats().free;
    property_check(p, page_alloc_stats().total - free <= 1); // what maps the rest
    while (property_more(p, 300)) {
        if (block_count < BLOCKS_MAX && property_chance(p, "take", 60)) {
            unsigned order = (unsigned)property_choose(p, "order", PAGE_ORDER_MAX + 1);
            take(p, property_chance(p, "as drawn", 30) ? order : order / 4);
        } else if (block_count > 0) {
            give_back(p, (unsigned)property_choose(p, "block", block_count));
        }
    }
    while (block_count > 0) {
        give_back(p, block_count - 1);
    }
    property_equal(p, page_alloc_stats().free, free);
    for (unsigned order = 0; order <= PAGE_ORDER_MAX; order++) {
        property_equal(p, how_many(order), many[order]);
    }
}

Test(memory, pages_follow_the_model) {
    cr_assert(property_run("pages_follow_the_model", 600, pages_follow_the_model));
}

// ---- slabs -----------------------------------------------------------------------------------------------------------

struct thing {
    unsigned char *at;
    size_t size;
    unsigned char mark;
};

static struct thing things[BLOCKS_MAX];

static void all_bytes_are(struct property *p, const unsigned char *at, size_t size, unsigned char value) {
    for (size_t i = 0; i < size; i++) {
        property_check(p, at[i] == value);
    }
}

static uint64_t slab_used(void) {
    uint64_t used = 0;
    for (unsigned i = 0; i < SLAB_CLASSES; i++) {
        used += slab_stats(i).used;
    }
    return used;
}

static void slabs_follow_the_model(struct property *p) {
    struct host_options options = {.memory = PAGE_SIZE * property_between(p, "pages", 8, 200)};
    bare_boot(&options);
    unsigned count = 0, mark = 0;
    uint64_t whole = page_alloc_stats().free;
    while (property_more(p, 500)) {
        bool room = count < BLOCKS_MAX;
        if (room && property_chance(p, "take", 55)) {
            size_t size = property_between(p, "size", 1, SLAB_MAX);
            if (property_chance(p, "large", 10)) {
                size = property_between(p, "large size", SLAB_MAX + 1, 40000);
            }
            unsigned char *at = slab_alloc(size);
            property_note(p, "take %zu: %p", size, (void *)at);
            if (at != nullptr) {
                all_bytes_are(p, at, size, 0);
                property_check(p, (uintptr_t)at % 32 == 0);
                memset(at, (int)(unsigned char)++mark, size);
                things[count++] = (struct thing){at, size, (unsigned char)mark};
            }
        } else if (count > 0) {
            unsigned index = (unsigned)property_choose(p, "thing", count);
            struct thing thing = things[index];
            things[index] = things[--count];
            all_bytes_are(p, thing.at, thing.size, thing.mark);
            slab_free(thing.at, thing.size);
        }
    }
    while (count > 0) {
        count--;
        all_bytes_are(p, things[count].at, things[count].size, things[count].mark);
        slab_free(things[count].at, things[count].size);
    }
    property_equal(p, slab_used(), 0);
    uint64_t kept = 0; // at most one page of each size
    for (unsigned i = 0; i < SLAB_CLASSES; i++) {
        property_check(p, slab_stats(i).pages <= (i < SLAB_SIZES ? 1 : 0));
        kept += slab_stats(i).pages;
    }
    property_equal(p, page_alloc_stats().free + kept, whole);
}

Test(memory, slabs_follow_the_model) {
    cr_assert(property_run("slabs_follow_the_model", 600, slabs_follow_the_model));
}

Test(memory, refused_allocation_is_the_one_that_was_armed) {
    bare_boot(&(struct host_options){});
    alloc_fault_arm(3, false);
    cr_assert_neq(page_alloc(0), 0);
    cr_assert_neq(page_alloc(0), 0);
    cr_assert(!alloc_fault_fired());
    cr_assert_eq(page_alloc(0), 0);
    cr_assert(alloc_fault_fired());
    cr_assert_neq(page_alloc(0), 0);
    alloc_fault_arm(1, true);
    cr_assert_eq(page_alloc(0), 0);
    cr_assert_eq(slab_alloc(100), nullptr);
    alloc_fault_arm(0, false);
    cr_assert_neq(page_alloc(0), 0);
}
