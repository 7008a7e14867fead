#include "boot.h"

#include "base/bits.h"
#include "base/str.h"
#include "fdt/fdt_boot.h"
#include "span/span.h"

#include "map.h"

enum : uint64_t { PAGE = 4096 };

static struct spans usable, reserved, unmapped, left;
static struct boot_info info;

extern const uint8_t riscv_image_start[], riscv_image_end[];

// What cannot be told apart for want of room is not used.
static void reserve(paddr_t base, uint64_t size) {
    paddr_t end = base + size < base || base + size > UINT64_MAX - PAGE ? UINT64_MAX : align_up(base + size, PAGE);
    if (!spans_add(&reserved, align_down(base, PAGE), end)) {
        usable.count = 0;
    }
}

bool riscv_boot_read(const struct fdt *fdt) {
    info.loader = "device tree";
    str_copy(info.command_line, sizeof info.command_line, fdt_command_line(fdt));
    if (!fdt_memory(fdt, &usable, &reserved, &unmapped)) {
        return false;
    }
    paddr_t base;
    uint64_t size;
    if (fdt_initial_archive(fdt, &base, &size)) {
        info.archive[info.archive_count++] = (struct boot_range){base, size};
        reserve(base, size);
    }
    reserve(0, PAGE); // the core's "no page"
    reserve(arch_virt_to_phys(riscv_image_start), (uint64_t)(riscv_image_end - riscv_image_start));
    spans_merge(&usable);
    spans_merge(&reserved);
    return usable.count > 0;
}

static bool has_word(const char *line, const char *word) {
    size_t length = strlen(word);
    for (const char *at = line; *at != '\0'; at++) {
        if ((at == line || at[-1] == ' ') && strncmp(at, word, length) == 0 &&
            (at[length] == '\0' || at[length] == ' ')) {
            return true;
        }
    }
    return false;
}

// Memory beyond the direct map is as if it were not there.
static void clip(uint64_t limit) {
    unsigned kept = 0;
    for (unsigned i = 0; i < usable.count; i++) {
        struct span span = usable.span[i];
        if (span.base < limit) {
            usable.span[kept++] = (struct span){span.base, span.end < limit ? span.end : limit};
        }
    }
    usable.count = kept;
}

const struct boot_info *riscv_boot_finish(void) {
    clip(riscv_map_choose(!has_word(info.command_line, "sv39")));
    for (unsigned i = 0; i < usable.count; i++) {
        riscv_map_memory(usable.span[i].base, usable.span[i].end);
    }
    if (info.archive_count > 0 &&
        !spans_hold(&usable, info.archive[0].base, info.archive[0].base + info.archive[0].size)) {
        info.archive_count = 0;
    }
    info.memory_total = spans_total(&usable);
    (void)spans_subtract(&left, &usable, &reserved);
    spans_shrink(&left, PAGE, BOOT_RANGES_MAX);
    for (unsigned i = 0; i < left.count; i++) {
        info.range[i] = (struct boot_range){left.span[i].base, left.span[i].end - left.span[i].base};
    }
    info.range_count = left.count;
    info.mapped_limit = riscv_map_init();
    return &info;
}
