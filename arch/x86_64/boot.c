#include "boot.h"

#include "base/bits.h"
#include "base/str.h"
#include "span/span.h"

#include "map.h"

enum : uint64_t { PAGE = 4096, LOW_MEMORY_END = 0xa0000, MAPPED_LIMIT = 4ull << 30 };

static struct spans usable, reserved, left;
static struct boot_info info;
paddr_t x86_boot_trampoline;
paddr_t x86_boot_rsdp_address;

extern const uint8_t x86_image_start[], x86_image_end[];

// ---- what the readers report -----------------------------------------------------------------------------------------

void x86_boot_loader(const char *name) {
    info.loader = name;
}

void x86_boot_command_line(const char *text) {
    str_copy(info.command_line, sizeof info.command_line, text);
}

static void reserve(paddr_t base, uint64_t size) {
    paddr_t end = base + size < base ? UINT64_MAX : base + size;
    end = end > UINT64_MAX - PAGE ? UINT64_MAX : align_up(end, PAGE);
    if (!spans_add(&reserved, align_down(base, PAGE), end)) {
        usable.count = 0; // never hand out memory that is somebody's
    }
}

void x86_boot_memory(paddr_t base, uint64_t size, bool is_usable) {
    if (!is_usable) {
        reserve(base, size);
        return;
    }
    paddr_t end = base + size < base ? UINT64_MAX : base + size;
    end = end > X86_DIRECT_MAP_SIZE ? X86_DIRECT_MAP_SIZE : end;
    (void)spans_add(&usable, base, end); // memory that is left out is only not used
}

void x86_boot_archive(paddr_t base, uint64_t size) {
    if (info.archive_count == BOOT_ARCHIVES_MAX || size == 0 || base + size > MAPPED_LIMIT) {
        return;
    }
    info.archive[info.archive_count++] = (struct boot_range){base, size};
    reserve(base, size);
}

void x86_boot_rsdp(paddr_t address) {
    x86_boot_rsdp_address = address;
}

// ---- the record ------------------------------------------------------------------------------------------------------

// The highest free page below 1 MiB.
static void choose_trampoline(void) {
    for (unsigned i = 0; i < left.count; i++) {
        paddr_t end = left.span[i].end > LOW_MEMORY_END ? LOW_MEMORY_END : left.span[i].end;
        end = align_down(end, PAGE);
        if (end >= align_up(left.span[i].base, PAGE) + PAGE) {
            x86_boot_trampoline = end - PAGE;
        }
    }
}

// Whole pages of what is left; if there are too many ranges, the largest.
static void fill_ranges(void) {
    spans_shrink(&left, PAGE, BOOT_RANGES_MAX);
    for (unsigned i = 0; i < left.count; i++) {
        info.range[i] = (struct boot_range){left.span[i].base, left.span[i].end - left.span[i].base};
    }
    info.range_count = left.count;
}

// What cannot be told apart for want of room is not used.
static void subtract(void) {
    spans_merge(&reserved);
    (void)spans_subtract(&left, &usable, &reserved);
}

const struct boot_info *x86_boot_finish(void) {
    reserve(0, PAGE); // the core's "no page"
    reserve(arch_virt_to_phys(x86_image_start), (uint64_t)(x86_image_end - x86_image_start));
    spans_merge(&usable);
    info.memory_total = spans_total(&usable);
    subtract();
    choose_trampoline();
    if (x86_boot_trampoline != 0) {
        reserve(x86_boot_trampoline, PAGE);
        subtract();
    }
    fill_ranges();
    info.mapped_limit = MAPPED_LIMIT;
    return &info;
}
