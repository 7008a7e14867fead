// Buddy page allocator. Each range keeps one byte of state per page in its own first pages, so that memory describes
// itself and nothing limits how much there is. A free block is linked through its own first bytes into the list of its
// order; a word of bits tells which lists are not empty.
#include "kernel/page_alloc.h"

#include "abi/abi.h"
#include "base/bits.h"
#include "base/checked.h"
#include "base/list.h"
#include "base/memory.h"
#include "kernel/alloc_fault.h"
#include "kernel/memory_check.h"
#include "kernel/panic.h"

// Boot ranges may be cut in two at mapped_limit, and a few more are given later.
enum { RANGES_MAX = 2 * BOOT_RANGES_MAX + 16 };

enum { PAGE_SHIFT = 12 };
static_assert(PAGE_SIZE == 1 << PAGE_SHIFT);

// State of a page: the first of a free or of a taken block, with the block's order in the low bits; or STATE_INSIDE
// one.
enum { STATE_INSIDE = 0, STATE_FREE = 0x40, STATE_TAKEN = 0x80 };

struct range {
    paddr_t first; // first page that can be given out
    uint64_t pages;
    uint8_t *state; // by page from first
};

static struct range ranges[RANGES_MAX]; // sorted by first
static unsigned range_count;
static struct list free_blocks[PAGE_ORDER_MAX + 1];
static uint32_t free_orders; // bit k: free_blocks[k] is not empty
static struct page_stats stats;

// The range that has this page, or null.
static struct range *range_of(paddr_t page) {
    unsigned low = 0, high = range_count;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (ranges[middle].first <= page) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == 0) {
        return nullptr;
    }
    struct range *range = &ranges[low - 1];
    return (page - range->first) >> PAGE_SHIFT < range->pages ? range : nullptr;
}

static uint8_t *state_of(const struct range *range, paddr_t page) {
    return &range->state[(page - range->first) >> PAGE_SHIFT];
}

static void block_put(const struct range *range, paddr_t page, unsigned order) {
    *state_of(range, page) = (uint8_t)(STATE_FREE | order);
    struct list *link = arch_phys_to_virt(page);
    memory_forbid(link, (size_t)PAGE_SIZE << order);
    memory_permit(link, sizeof *link);
    list_push_front(&free_blocks[order], link);
    free_orders |= 1u << order;
}

static void block_remove(const struct range *range, paddr_t page, unsigned order) {
    *state_of(range, page) = STATE_INSIDE;
    struct list *link = arch_phys_to_virt(page);
    list_remove(link);
    memory_forbid(link, sizeof *link);
    if (list_empty(&free_blocks[order])) {
        free_orders &= ~(1u << order);
    }
}

// Give RAM that is in the direct map; what does not fill a page is left out.
static void range_add(paddr_t base, uint64_t size) {
    paddr_t end;
    if (!checked_add(base, size, &end) || !checked_align_up(base, PAGE_SIZE, &base)) {
        return;
    }
    end = align_down(end, PAGE_SIZE);
    if (base == 0) {
        base = PAGE_SIZE;
    }
    if (end <= base || range_count == RANGES_MAX) {
        return;
    }
    uint64_t pages = (end - base) >> PAGE_SHIFT;
    uint64_t own = (pages + PAGE_SIZE - 1) >> PAGE_SHIFT; // of the state bytes
    if (own >= pages) {
        return;
    }
    struct range range = {
        .first = base + (own << PAGE_SHIFT),
        .pages = pages - own,
        .state = arch_phys_to_virt(base),
    };
    memory_permit(range.state, end - base);
    memset(range.state, STATE_INSIDE, range.pages);

    unsigned at = range_count++;
    for (; at > 0 && ranges[at - 1].first > range.first; at--) {
        ranges[at] = ranges[at - 1];
    }
    ranges[at] = range;

    for (paddr_t page = range.first; page < end;) {
        unsigned order = bits_lowest(page >> PAGE_SHIFT);
        unsigned fits = bits_highest((end - page) >> PAGE_SHIFT);
        order = order < fits ? order : fits;
        order = order < PAGE_ORDER_MAX ? order : PAGE_ORDER_MAX;
        block_put(&range, page, order);
        page += (uint64_t)PAGE_SIZE << order;
    }
    stats.total += range.pages;
    stats.free += range.pages;
    stats.low_water += range.pages; // as if all had been there from the start
}

void page_alloc_init(const struct boot_info *boot) {
    for (unsigned order = 0; order <= PAGE_ORDER_MAX; order++) {
        list_init(&free_blocks[order]);
    }
    range_count = 0;
    free_orders = 0;
    stats = (struct page_stats){};
    for (unsigned i = 0; i < boot->range_count; i++) {
        const struct boot_range *range = &boot->range[i];
        if (range->base < boot->mapped_limit) {
            uint64_t mapped = boot->mapped_limit - range->base;
            range_add(range->base, range->size < mapped ? range->size : mapped);
        }
    }
}

void page_alloc_extend(const struct boot_info *boot) {
    for (unsigned i = 0; i < boot->range_count; i++) {
        const struct boot_range *range = &boot->range[i];
        uint64_t mapped = range->base < boot->mapped_limit ? boot->mapped_limit - range->base : 0;
        // The page that mapped_limit may cut belongs to neither part: range_add leaves it out of both.
        if (mapped < range->size) {
            range_add(range->base + mapped, range->size - mapped);
        }
    }
}

void page_alloc_add(paddr_t base, uint64_t size) {
    range_add(base, size);
}

static paddr_t block_take(unsigned order) {
    uint32_t fitting = free_orders & ~((1u << order) - 1);
    if (fitting == 0) {
        return 0;
    }
    unsigned from = bits_lowest(fitting);
    paddr_t page = arch_virt_to_phys(list_first(&free_blocks[from]));
    const struct range *range = range_of(page);
    KASSERT(range != nullptr && *state_of(range, page) == (STATE_FREE | from));
    block_remove(range, page, from);
    while (from > order) {
        from--;
        block_put(range, page + ((uint64_t)PAGE_SIZE << from), from);
    }
    *state_of(range, page) = (uint8_t)(STATE_TAKEN | order);
    memory_permit(arch_phys_to_virt(page), (size_t)PAGE_SIZE << order);
    return page;
}

paddr_t page_alloc(unsigned order) {
    KASSERT(order <= PAGE_ORDER_MAX);
    if (alloc_fault()) {
        stats.failures++;
        return 0;
    }
    paddr_t page = block_take(order);
    if (page == 0) {
        stats.failures++;
        return 0;
    }
    stats.allocations++;
    stats.free -= UINT64_C(1) << order;
    if (stats.free < stats.low_water) {
        stats.low_water = stats.free;
    }
    return page;
}

paddr_t page_alloc_zeroed(void) {
    paddr_t page = page_alloc(0);
    if (page != 0) {
        memset(arch_phys_to_virt(page), 0, PAGE_SIZE);
    }
    return page;
}

void page_free(paddr_t page, unsigned order) {
    const struct range *range = range_of(page);
    KASSERT(range != nullptr && is_aligned(page, PAGE_SIZE));
    KASSERT(*state_of(range, page) == (STATE_TAKEN | order)); // taken, with this order, and not free already
    *state_of(range, page) = STATE_INSIDE;
    stats.frees++;
    stats.free += UINT64_C(1) << order;
    for (; order < PAGE_ORDER_MAX; order++) {
        paddr_t buddy = page ^ ((uint64_t)PAGE_SIZE << order);
        uint64_t index = (buddy - range->first) >> PAGE_SHIFT; // huge if it lies before the range
        if (index >= range->pages || range->state[index] != (STATE_FREE | order)) {
            break;
        }
        block_remove(range, buddy, order);
        page = page < buddy ? page : buddy;
    }
    block_put(range, page, order);
}

struct page_stats page_alloc_stats(void) {
    return stats;
}
