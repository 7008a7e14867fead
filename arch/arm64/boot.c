#include "boot.h"

#include "base/bits.h"
#include "base/checked.h"
#include "base/str.h"
#include "fdt/fdt_boot.h"
#include "span/span.h"

#include "map.h"

enum : uint64_t { PAGE = 4096, TREE_MAX = 2ull << 20 };

struct fdt arm64_tree;

static struct spans ram, reserved, unmapped, mapped, left;
static struct boot_info info;

extern const uint8_t arm64_image_start[], arm64_image_end[];

// Memory that is left out is only not used; what would be used in spite of its owner must not be.
static bool reserve(paddr_t base, uint64_t size) {
    paddr_t end;
    if (!checked_add(base, size, &end) || !checked_align_up(end, PAGE, &end)) {
        return false;
    }
    return spans_add(&reserved, align_down(base, PAGE), end);
}

// A whole page is kept where a part of it is.
static bool reserve_whole_pages(struct spans *spans) {
    for (unsigned i = 0; i < spans->count; i++) {
        spans->span[i].base = align_down(spans->span[i].base, PAGE);
        if (!checked_align_up(spans->span[i].end, PAGE, &spans->span[i].end)) {
            return false;
        }
    }
    spans_merge(spans);
    return true;
}

static void clip(struct spans *spans, uint64_t limit) {
    unsigned kept = 0;
    for (unsigned i = 0; i < spans->count; i++) {
        struct span span = spans->span[i];
        span.end = span.end > limit ? limit : span.end;
        if (span.base < span.end) {
            spans->span[kept++] = span;
        }
    }
    spans->count = kept;
}

static void find_archive(void) {
    uint64_t base, size;
    if (fdt_initial_archive(&arm64_tree, &base, &size) && spans_hold(&mapped, base, base + size) &&
        base + size <= info.mapped_limit && reserve(base, size)) {
        info.archive[info.archive_count++] = (struct boot_range){base, size};
    }
}

const struct boot_info *arm64_boot_read(paddr_t tree, const void *tree_now) {
    uint64_t limit = 2 * TREE_MAX - (tree & (TREE_MAX - 1)); // what start.S has mapped
    if (!fdt_open(&arm64_tree, tree_now, limit) || !fdt_memory(&arm64_tree, &ram, &reserved, &unmapped)) {
        return nullptr;
    }
    if (!reserve(0, PAGE) || !reserve(tree, arm64_tree.size) ||
        !reserve(arch_virt_to_phys(arm64_image_start), (uint64_t)(arm64_image_end - arm64_image_start))) {
        return nullptr;
    }
    spans_merge(&ram);
    clip(&ram, ARM64_DIRECT_MAP_SIZE);
    info.memory_total = spans_total(&ram);
    if (!reserve_whole_pages(&unmapped) || !spans_subtract(&mapped, &ram, &unmapped)) {
        return nullptr;
    }
    spans_shrink(&mapped, PAGE, SPANS_MAX);

    arm64_map_init(&mapped, &info.mapped_limit);
    arm64_tree.bytes = arm64_window_constant(tree, arm64_tree.size);
    info.loader = "device tree";
    str_copy(info.command_line, sizeof info.command_line, fdt_command_line(&arm64_tree));
    find_archive();
    if (!reserve_whole_pages(&reserved)) {
        return nullptr;
    }
    (void)spans_subtract(&left, &mapped, &reserved);
    spans_shrink(&left, PAGE, BOOT_RANGES_MAX);
    for (unsigned i = 0; i < left.count; i++) {
        info.range[i] = (struct boot_range){left.span[i].base, left.span[i].end - left.span[i].base};
    }
    info.range_count = left.count;
    return &info;
}

bool arm64_boot_interrupt(const struct fdt_node *node, uint32_t index, unsigned *number) {
    enum { CELLS = 3, SHARED_FIRST = 32, PRIVATE_FIRST = 16, NUMBER_MAX = 1019 };
    struct fdt_value value;
    uint32_t kind, line;
    if (!fdt_property(node, "interrupts", &value) || !fdt_cell(&value, index * CELLS, &kind) ||
        !fdt_cell(&value, index * CELLS + 1, &line) || kind > 1 || line > NUMBER_MAX - SHARED_FIRST) {
        return false;
    }
    *number = line + (kind == 0 ? SHARED_FIRST : PRIVATE_FIRST);
    return true;
}
