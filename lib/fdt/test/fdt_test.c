// What the device-tree reader finds in a good tree, each thing that it must refuse, and that damaged trees make it read
// nothing outside the blob (the sanitizer looks) and come to an end.
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "fdt/fdt_boot.h"

enum { CAPACITY = 4096, HEADER = 40, RESERVATIONS = 40, STRUCTURE = 72 };

static unsigned char blob[CAPACITY];
static char strings[512];
static size_t at, strings_used, blob_size;
static struct fdt fdt;

// ---- a writer of trees -----------------------------------------------------------------------------------------------

static void put32_at(size_t offset, uint32_t value) {
    for (int i = 0; i < 4; i++) {
        blob[offset + (size_t)i] = (unsigned char)(value >> (24 - 8 * i));
    }
}

static void put32(uint32_t value) {
    put32_at(at, value);
    at += 4;
}

static void put_text(const char *text) {
    memcpy(blob + at, text, strlen(text) + 1);
    at = (at + strlen(text) + 1 + 3) & ~3ull;
}

static void begin(const char *name) {
    put32(1);
    put_text(name);
}

static void end(void) {
    put32(2);
}

static void property(const char *name, const void *value, size_t length) {
    put32(3);
    put32((uint32_t)length);
    put32((uint32_t)strings_used);
    memcpy(strings + strings_used, name, strlen(name) + 1);
    strings_used += strlen(name) + 1;
    memcpy(blob + at, value, length);
    at = (at + length + 3) & ~3ull;
}

#define TEXT(name, text) property(name, text, sizeof(text))
#define CELLS(name, ...)                                                                                               \
    cells(name, sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t), (const uint32_t[]){__VA_ARGS__})

static void cells(const char *name, size_t count, const uint32_t *cell) {
    unsigned char bytes[64];
    for (size_t i = 0; i < count * 4; i++) {
        bytes[i] = (unsigned char)(cell[i / 4] >> (24 - 8 * (i % 4)));
    }
    property(name, bytes, count * 4);
}

static void start(void) {
    memset(blob, 0, sizeof blob);
    strings_used = 0;
    blob[RESERVATIONS + 6] = 0x80; // 0x8000, 0x1000 bytes; then none
    blob[RESERVATIONS + 14] = 0x10;
    at = STRUCTURE;
}

static void finish(void) {
    put32(9);
    size_t structure_end = at;
    memcpy(blob + at, strings, strings_used);
    blob_size = at + strings_used;
    const uint32_t header[] = {0xd00dfeed,
                               (uint32_t)blob_size,
                               STRUCTURE,
                               (uint32_t)structure_end,
                               RESERVATIONS,
                               17,
                               16,
                               0,
                               (uint32_t)strings_used,
                               (uint32_t)(structure_end - STRUCTURE)};
    for (size_t i = 0; i < sizeof header / sizeof *header; i++) {
        put32_at(i * 4, header[i]);
    }
}

// A machine with memory, two CPUs, a bus that shifts addresses, and one that CPUs do not see.
static void build(void) {
    start();
    put32(4);
    begin("");
    CELLS("#address-cells", 2);
    CELLS("#size-cells", 2);
    TEXT("compatible", "maker,board\0maker,family");
    begin("memory@40000000");
    TEXT("device_type", "memory");
    CELLS("reg", 0, 0x40000000, 0, 0x8000000, 1, 0, 2, 0);
    end();
    begin("cpus");
    CELLS("#address-cells", 1);
    CELLS("#size-cells", 0);
    begin("cpu@0");
    CELLS("reg", 0);
    CELLS("phandle", 7);
    end();
    begin("cpu@101");
    CELLS("reg", 0x101);
    TEXT("status", "disabled");
    end();
    end();
    put32(4);
    begin("soc");
    CELLS("#address-cells", 1);
    CELLS("#size-cells", 1);
    CELLS("ranges", 0x1000, 0, 0x9000000, 0x1000);
    begin("bus");
    CELLS("#address-cells", 1);
    CELLS("#size-cells", 1);
    property("ranges", "", 0);
    begin("serial@1100");
    CELLS("reg", 0x1100, 0x100, 0x1f80, 0x100);
    TEXT("compatible", "arm,pl011\0arm,primecell");
    TEXT("status", "okay");
    end();
    end();
    end();
    begin("i2c");
    CELLS("#address-cells", 1);
    CELLS("#size-cells", 0);
    begin("clock@68");
    CELLS("reg", 0x68);
    end();
    end();
    end();
    finish();
}

static bool open_blob(void) {
    return fdt_open(&fdt, blob, blob_size);
}

TestSuite(fdt, .init = build);

// ---- what is found ---------------------------------------------------------------------------------------------------

Test(fdt, nodes_come_in_order) {
    static const char *const expected[] = {"memory@40000000", "cpus", "cpu@0",   "cpu@101", "soc", "bus",
                                           "serial@1100",     "i2c",  "clock@68"};
    static const unsigned depth[] = {1, 1, 2, 2, 1, 2, 3, 1, 2};
    cr_assert(open_blob());
    cr_assert_eq(fdt_size(blob), blob_size);
    struct fdt_node node = fdt_root(&fdt);
    cr_assert_str_eq(fdt_name(&node), "");
    for (size_t i = 0; i < sizeof depth / sizeof *depth; i++) {
        cr_assert(fdt_next(&node));
        cr_assert_str_eq(fdt_name(&node), expected[i]);
        cr_assert_eq(node.depth, depth[i]);
    }
    cr_assert_not(fdt_next(&node));
    cr_assert_eq(node.depth, 0);
}

Test(fdt, subtree_ends) {
    cr_assert(open_blob());
    struct fdt_node node;
    cr_assert(fdt_find(&fdt, "/cpus", &node));
    unsigned count = 0;
    while (fdt_next_below(&node, 1)) {
        count++;
    }
    cr_assert_eq(count, 2);
}

Test(fdt, paths) {
    cr_assert(open_blob());
    struct fdt_node node;
    cr_assert(fdt_find(&fdt, "/", &node) && node.depth == 0);
    cr_assert(fdt_find(&fdt, "/cpus/cpu", &node));
    cr_assert_str_eq(fdt_name(&node), "cpu@0");
    cr_assert(fdt_find(&fdt, "/cpus/cpu@101", &node));
    cr_assert_str_eq(fdt_name(&node), "cpu@101");
    cr_assert(fdt_find(&fdt, "//soc/bus/serial", &node));
    cr_assert_not(fdt_find(&fdt, "/serial", &node));
    cr_assert_not(fdt_find(&fdt, "/cpus/serial", &node));
    cr_assert_not(fdt_find(&fdt, "/cpu", &node));
    cr_assert_not(fdt_find(&fdt, "/cpus/cpu@0/cpu@101", &node));
}

Test(fdt, phandle) {
    cr_assert(open_blob());
    struct fdt_node node;
    cr_assert(fdt_find_phandle(&fdt, 7, &node));
    cr_assert_str_eq(fdt_name(&node), "cpu@0");
    cr_assert_not(fdt_find_phandle(&fdt, 8, &node));
}

Test(fdt, properties) {
    cr_assert(open_blob());
    struct fdt_node node = fdt_root(&fdt);
    struct fdt_value value;
    uint32_t cell;
    uint64_t number;
    cr_assert_eq(fdt_property_u32(&node, "#address-cells", 9), 2);
    cr_assert_eq(fdt_property_u32(&node, "no such", 9), 9);
    cr_assert(fdt_compatible(&node, "maker,board") && fdt_compatible(&node, "maker,family"));
    cr_assert_not(fdt_compatible(&node, "maker"));
    cr_assert(fdt_next(&node));
    cr_assert_not(fdt_compatible(&node, "maker,board"));
    cr_assert_str_eq(fdt_property_string(&node, "device_type"), "memory");
    cr_assert_null(fdt_property_string(&node, "no such"));
    cr_assert(fdt_property(&node, "reg", &value));
    cr_assert_eq(value.length, 32);
    cr_assert(fdt_cell(&value, 7, &cell) && cell == 0);
    cr_assert_not(fdt_cell(&value, 8, &cell));
    cr_assert_not(fdt_cell(&value, UINT32_MAX, &cell));
    cr_assert(fdt_cells(&value, 6, 2, &number) && number == 2ull << 32);
    cr_assert_not(fdt_cells(&value, 7, 2, &number));
    cr_assert_not(fdt_cells(&value, 0, 3, &number));
    cr_assert(fdt_cells(&value, 0, 0, &number) && number == 0);
}

Test(fdt, status) {
    cr_assert(open_blob());
    struct fdt_node node;
    cr_assert(fdt_find(&fdt, "/cpus/cpu@0", &node) && fdt_enabled(&node));
    cr_assert(fdt_find(&fdt, "/cpus/cpu@101", &node) && !fdt_enabled(&node));
    cr_assert(fdt_find(&fdt, "/soc/bus/serial", &node) && fdt_enabled(&node));
}

Test(fdt, addresses) {
    cr_assert(open_blob());
    struct fdt_node node;
    uint64_t base, size, unit;
    cr_assert(fdt_find(&fdt, "/memory", &node));
    cr_assert(fdt_reg(&node, 0, &base, &size) && base == 0x40000000 && size == 0x8000000);
    cr_assert(fdt_reg(&node, 1, &base, &size) && base == 1ull << 32 && size == 2ull << 32);
    cr_assert_not(fdt_reg(&node, 2, &base, &size));
    cr_assert_not(fdt_reg(&node, UINT32_MAX, &base, &size));
    cr_assert(fdt_find(&fdt, "/soc/bus/serial", &node));
    cr_assert(fdt_reg(&node, 0, &base, &size) && base == 0x9000100 && size == 0x100);
    cr_assert_not(fdt_reg(&node, 1, &base, &size), "partly outside the bus's window");
    cr_assert(fdt_find(&fdt, "/i2c/clock", &node));
    cr_assert_not(fdt_reg(&node, 0, &base, &size), "no CPU sees that bus");
    cr_assert(fdt_unit(&node, &unit) && unit == 0x68);
    cr_assert(fdt_find(&fdt, "/cpus/cpu@101", &node));
    cr_assert(fdt_unit(&node, &unit) && unit == 0x101);
    cr_assert(fdt_find(&fdt, "/cpus", &node));
    cr_assert_not(fdt_unit(&node, &unit));
    node = fdt_root(&fdt);
    cr_assert_not(fdt_reg(&node, 0, &base, &size));
    cr_assert_not(fdt_unit(&node, &unit));
}

Test(fdt, address_that_wraps_refused) {
    start();
    begin("");
    CELLS("#size-cells", 2);
    begin("memory");
    CELLS("reg", 0xffffffff, 0xfffff000, 0, 0x1001);
    end();
    end();
    finish();
    cr_assert(open_blob());
    struct fdt_node node;
    uint64_t base, size;
    cr_assert(fdt_find(&fdt, "/memory", &node));
    cr_assert_not(fdt_reg(&node, 0, &base, &size));
}

Test(fdt, reservations) {
    cr_assert(open_blob());
    uint64_t base, size;
    cr_assert_eq(fdt.reservation_count, 1);
    fdt_reservation(&fdt, 0, &base, &size);
    cr_assert(base == 0x8000 && size == 0x1000);
}

// ---- what a kernel asks when it starts -------------------------------------------------------------------------------

static struct spans usable, reserved, unmapped;

Test(fdt, memory_and_its_owners) {
    start();
    begin("");
    CELLS("#address-cells", 1);
    CELLS("#size-cells", 1);
    begin("chosen");
    TEXT("bootargs", "quiet x");
    CELLS("linux,initrd-start", 0x5000);
    CELLS("linux,initrd-end", 0, 0x6800);
    end();
    begin("memory@0");
    TEXT("device_type", "memory");
    CELLS("reg", 0, 0x10000, 0x20000, 0x1000);
    end();
    begin("memory@80000000");
    TEXT("device_type", "memory");
    TEXT("status", "disabled");
    CELLS("reg", 0x80000000, 0x1000);
    end();
    begin("reserved-memory");
    CELLS("#address-cells", 1);
    CELLS("#size-cells", 1);
    property("ranges", "", 0);
    begin("monitor@1000");
    CELLS("reg", 0x1000, 0x1000);
    property("no-map", "", 0);
    end();
    begin("pool");
    CELLS("size", 0x2000);
    end();
    begin("buffer@3000");
    CELLS("reg", 0x3000, 0x1000);
    end();
    end();
    begin("later");
    begin("memory@9000");
    TEXT("device_type", "memory");
    CELLS("reg", 0, 0x9000, 0x1000);
    end();
    end();
    end();
    finish();
    cr_assert(open_blob());
    cr_assert(fdt_memory(&fdt, &usable, &reserved, &unmapped));
    cr_assert_eq(usable.count, 2);
    cr_assert(spans_hold(&usable, 0, 0x10000) && spans_hold(&usable, 0x20000, 0x21000));
    cr_assert_eq(reserved.count, 3);
    cr_assert(spans_hold(&reserved, 0x8000, 0x9000) && spans_hold(&reserved, 0x1000, 0x2000));
    cr_assert(spans_hold(&reserved, 0x3000, 0x4000));
    cr_assert_eq(unmapped.count, 1);
    cr_assert(spans_hold(&unmapped, 0x1000, 0x2000));
    uint64_t base, size;
    cr_assert_str_eq(fdt_command_line(&fdt), "quiet x");
    cr_assert(fdt_initial_archive(&fdt, &base, &size) && base == 0x5000 && size == 0x1800);
}

Test(fdt, nothing_chosen) {
    uint64_t base, size;
    cr_assert(open_blob());
    cr_assert_str_eq(fdt_command_line(&fdt), "");
    cr_assert_not(fdt_initial_archive(&fdt, &base, &size));
}

// ---- what is refused -------------------------------------------------------------------------------------------------

#define REFUSED(name, damage)                                                                                          \
    Test(fdt, name##_refused) {                                                                                        \
        damage;                                                                                                        \
        cr_assert_not(open_blob());                                                                                    \
    }

REFUSED(bad_magic, blob[0] = 0)
REFUSED(size_beyond_limit, put32_at(4, (uint32_t)blob_size + 1))
REFUSED(size_below_header, put32_at(4, HEADER - 1))
REFUSED(huge_size, put32_at(4, FDT_SIZE_MAX + 1); blob_size = FDT_SIZE_MAX + 1)
REFUSED(old_version, put32_at(20, 16))
REFUSED(incompatible_version, put32_at(24, 18))
REFUSED(structure_outside, put32_at(8, (uint32_t)blob_size))
REFUSED(structure_too_long, put32_at(36, UINT32_MAX))
REFUSED(strings_outside, put32_at(12, UINT32_MAX))
REFUSED(strings_too_long, put32_at(32, (uint32_t)strings_used + 1))
REFUSED(reservations_without_end, put32_at(16, (uint32_t)blob_size - 16))
REFUSED(reservations_outside, put32_at(16, (uint32_t)blob_size + 8))
REFUSED(unknown_token, put32_at(STRUCTURE, 5))
REFUSED(no_end_token, put32_at(36, (uint32_t)(at - 4 - STRUCTURE)))
REFUSED(end_inside_a_node, put32_at(STRUCTURE + 12, 9))
REFUSED(end_before_any_node, put32_at(STRUCTURE, 9))
REFUSED(end_of_no_node, put32_at(STRUCTURE, 2))
REFUSED(unterminated_name, strings[strings_used - 1] = 'x'; blob[blob_size - 1] = 'x')
REFUSED(name_outside_strings, put32_at(STRUCTURE + 20, (uint32_t)strings_used))
REFUSED(property_longer_than_the_block, put32_at(STRUCTURE + 16, CAPACITY))
REFUSED(two_roots, start(); begin(""); end(); begin(""); end(); finish())
REFUSED(no_root, start(); finish())
REFUSED(property_behind_a_child, start(); begin(""); begin("a"); end(); CELLS("late", 1); end(); finish())
REFUSED(property_outside_nodes, start(); CELLS("early", 1); begin(""); end(); finish())

Test(fdt, deep_nesting_refused) {
    for (unsigned depth = FDT_DEPTH_MAX; depth <= FDT_DEPTH_MAX + 1; depth++) {
        start();
        for (unsigned i = 0; i < depth; i++) {
            begin("n");
        }
        for (unsigned i = 0; i < depth; i++) {
            end();
        }
        finish();
        cr_assert_eq(open_blob(), depth <= FDT_DEPTH_MAX);
    }
}

Test(fdt, short_blob_refused) {
    for (size_t size = 0; size < blob_size; size++) {
        unsigned char *copy = malloc(size > 0 ? size : 1); // its own size: the sanitizer sees a read behind it
        memcpy(copy, blob, size);
        cr_assert_not(fdt_open(&fdt, copy, size));
        free(copy);
    }
}

// Everything one can ask of a tree.
static void ask_all(void) {
    struct fdt_node node = fdt_root(&fdt), found;
    unsigned nodes = 0;
    do {
        uint64_t base, size;
        struct fdt_value value;
        cr_assert(++nodes <= CAPACITY && node.depth < FDT_DEPTH_MAX);
        (void)strlen(fdt_name(&node));
        (void)fdt_reg(&node, 1, &base, &size);
        (void)fdt_unit(&node, &base);
        (void)fdt_compatible(&node, "arm,primecell");
        (void)fdt_enabled(&node);
        (void)fdt_property(&node, "ranges", &value);
    } while (fdt_next(&node));
    usable.count = reserved.count = unmapped.count = 0;
    (void)fdt_memory(&fdt, &usable, &reserved, &unmapped);
    (void)fdt_find(&fdt, "/soc/bus/serial", &found);
    (void)fdt_find_phandle(&fdt, 7, &found);
    for (uint32_t i = 0; i < fdt.reservation_count; i++) {
        uint64_t base, size;
        fdt_reservation(&fdt, i, &base, &size);
    }
}

Test(fdt, any_damage_is_refused_or_harmless, .timeout = 120) {
    srand(5);
    unsigned accepted = 0;
    unsigned char *copy = malloc(blob_size);
    for (int round = 0; round < 60000; round++) {
        memcpy(copy, blob, blob_size);
        for (int n = 1 + rand() % 3; n > 0; n--) {
            copy[(size_t)rand() % blob_size] = (unsigned char)(rand() % 3 ? rand() : rand() % 2 * 255);
        }
        if (fdt_open(&fdt, copy, blob_size)) {
            accepted++;
            ask_all();
        }
    }
    free(copy);
    cr_assert_gt(accepted, 1000, "too few for the test to mean something: %u", accepted);
}
