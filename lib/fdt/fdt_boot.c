#include "fdt/fdt_boot.h"

#include "base/checked.h"
#include "base/str.h"

static bool is_memory(const struct fdt_node *node) {
    const char *type = fdt_property_string(node, "device_type");
    return node->depth == 1 && type != nullptr && str_equal(type, "memory") && fdt_enabled(node);
}

// What a node below /reserved-memory keeps. One without "reg" only asks that some be chosen: nobody has.
static bool reserve_node(const struct fdt_node *node, struct spans *reserved, struct spans *unmapped) {
    struct fdt_value value;
    bool no_map = fdt_property(node, "no-map", &value), fits = true;
    uint64_t base, size;
    for (uint32_t i = 0; fdt_reg(node, i, &base, &size); i++) {
        fits = spans_add(reserved, base, base + size) && fits;
        fits = (!no_map || spans_add(unmapped, base, base + size)) && fits;
    }
    return fits;
}

bool fdt_memory(const struct fdt *fdt, struct spans *usable, struct spans *reserved, struct spans *unmapped) {
    bool fits = true;
    uint64_t base, size, end;
    struct fdt_node node = fdt_root(fdt);
    while (fdt_next(&node)) {
        for (uint32_t i = 0; is_memory(&node) && fdt_reg(&node, i, &base, &size); i++) {
            (void)spans_add(usable, base, base + size);
        }
    }
    for (uint32_t i = 0; i < fdt->reservation_count; i++) {
        fdt_reservation(fdt, i, &base, &size);
        fits = spans_add(reserved, base, checked_add(base, size, &end) ? end : UINT64_MAX) && fits;
    }
    if (fdt_find(fdt, "/reserved-memory", &node)) {
        while (fdt_next_below(&node, 1)) {
            fits = (!fdt_enabled(&node) || reserve_node(&node, reserved, unmapped)) && fits;
        }
    }
    return fits;
}

const char *fdt_command_line(const struct fdt *fdt) {
    struct fdt_node node;
    const char *text = fdt_find(fdt, "/chosen", &node) ? fdt_property_string(&node, "bootargs") : nullptr;
    return text != nullptr ? text : "";
}

// An address of 32 or 64 bits, as its length tells.
static bool address(const struct fdt_node *node, const char *name, uint64_t *number) {
    struct fdt_value value;
    return fdt_property(node, name, &value) && (value.length == 4 || value.length == 8) &&
           fdt_cells(&value, 0, value.length / 4, number);
}

bool fdt_initial_archive(const struct fdt *fdt, uint64_t *base, uint64_t *size) {
    struct fdt_node node;
    uint64_t end;
    if (!fdt_find(fdt, "/chosen", &node) || !address(&node, "linux,initrd-start", base) ||
        !address(&node, "linux,initrd-end", &end) || end <= *base) {
        return false;
    }
    *size = end - *base;
    return true;
}
