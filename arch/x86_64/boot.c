#include "boot.h"

#include "base/bits.h"
#include "base/str.h"

#include "map.h"

enum : uint64_t { PAGE = 4096, LOW_MEMORY_END = 0xa0000, MAPPED_LIMIT = 4ull << 30 };

// More than any firmware was seen to give; neighbours of one kind are merged as they come.
enum { SPANS_MAX = 512 };

struct spans {
    unsigned count;
    struct {
        paddr_t base, end;
    } span[SPANS_MAX];
};

static struct spans usable, reserved, left;
static struct boot_info info;
paddr_t x86_boot_trampoline;
paddr_t x86_boot_rsdp_address;

extern const uint8_t x86_image_start[], x86_image_end[];

// ---- sets of spans ---------------------------------------------------------------------------------------------------

// What does not fit is dropped: the caller decides which way that errs.
static bool spans_add(struct spans *spans, paddr_t base, paddr_t end) {
    if (base >= end) {
        return true;
    }
    for (unsigned i = 0; i < spans->count; i++) {
        if (base == spans->span[i].end) {
            spans->span[i].end = end;
            return true;
        }
        if (end == spans->span[i].base) {
            spans->span[i].base = base;
            return true;
        }
    }
    if (spans->count == SPANS_MAX) {
        return false;
    }
    spans->span[spans->count].base = base;
    spans->span[spans->count].end = end;
    spans->count++;
    return true;
}

// Sort, and merge what overlaps or touches.
static void spans_merge(struct spans *spans) {
    for (unsigned i = 1; i < spans->count; i++) {
        typeof(spans->span[0]) moving = spans->span[i];
        unsigned at = i;
        for (; at > 0 && spans->span[at - 1].base > moving.base; at--) {
            spans->span[at] = spans->span[at - 1];
        }
        spans->span[at] = moving;
    }
    unsigned kept = 0;
    for (unsigned i = 0; i < spans->count; i++) {
        if (kept > 0 && spans->span[i].base <= spans->span[kept - 1].end) {
            if (spans->span[i].end > spans->span[kept - 1].end) {
                spans->span[kept - 1].end = spans->span[i].end;
            }
        } else {
            spans->span[kept++] = spans->span[i];
        }
    }
    spans->count = kept;
}

// left = usable - reserved, both merged.
static void spans_subtract(void) {
    left.count = 0;
    unsigned hole = 0;
    for (unsigned i = 0; i < usable.count; i++) {
        paddr_t at = usable.span[i].base, end = usable.span[i].end;
        while (hole < reserved.count && reserved.span[hole].end <= at) {
            hole++;
        }
        for (unsigned j = hole; j < reserved.count && reserved.span[j].base < end; j++) {
            spans_add(&left, at, reserved.span[j].base);
            at = reserved.span[j].end;
        }
        spans_add(&left, at, end);
    }
}

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
    for (unsigned i = 0; i < left.count; i++) {
        paddr_t base = align_up(left.span[i].base, PAGE), end = align_down(left.span[i].end, PAGE);
        if (base >= end) {
            continue;
        }
        if (info.range_count == BOOT_RANGES_MAX) {
            unsigned smallest = 0;
            for (unsigned j = 1; j < BOOT_RANGES_MAX; j++) {
                smallest = info.range[j].size < info.range[smallest].size ? j : smallest;
            }
            if (info.range[smallest].size >= end - base) {
                continue;
            }
            for (unsigned j = smallest; j + 1 < BOOT_RANGES_MAX; j++) {
                info.range[j] = info.range[j + 1];
            }
            info.range_count--;
        }
        info.range[info.range_count++] = (struct boot_range){base, end - base};
    }
}

const struct boot_info *x86_boot_finish(void) {
    reserve(0, PAGE); // the core's "no page"
    reserve(arch_virt_to_phys(x86_image_start), (uint64_t)(x86_image_end - x86_image_start));
    spans_merge(&usable);
    for (unsigned i = 0; i < usable.count; i++) {
        info.memory_total += usable.span[i].end - usable.span[i].base;
    }
    spans_merge(&reserved);
    spans_subtract();
    choose_trampoline();
    if (x86_boot_trampoline != 0) {
        reserve(x86_boot_trampoline, PAGE);
        spans_merge(&reserved);
        spans_subtract();
    }
    fill_ranges();
    info.mapped_limit = MAPPED_LIMIT;
    return &info;
}
