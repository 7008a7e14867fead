// Reading flattened device trees (the format of the Devicetree Specification, version 17): what firmware tells a kernel
// of its machine on arm64 and riscv64. It does no I/O, allocates nothing and trusts nothing: whatever the bytes are,
// fdt_open refuses them or every function below stays within them and ends after work bounded by their number.
//
// The blob must not change while it is in use. Numbers in it are big-endian and need not be aligned.
#pragma once

#include "base/types.h"

enum {
    FDT_DEPTH_MAX = 16,     // nesting that is accepted; the root counts
    FDT_SIZE_MAX = 4 << 20, // bytes
    FDT_HEADER_SIZE = 40,   // what fdt_size looks at
};

struct fdt {
    const uint8_t *bytes;
    uint32_t size;                      // of the blob, as its header says
    uint32_t structure, structure_size; // the block of nodes and properties
    uint32_t strings, strings_size;     // the block of property names
    uint32_t reservations;              // of memory: offset of the first
    uint32_t reservation_count;
};

// A node, with the way to it from the root.
struct fdt_node {
    const struct fdt *fdt;
    unsigned depth;                 // 0: the root
    uint32_t offset[FDT_DEPTH_MAX]; // of the nodes on the way, this one at [depth]
};

// The bytes of a property.
struct fdt_value {
    const uint8_t *bytes;
    uint32_t length;
};

// The blob's size by its header, FDT_HEADER_SIZE bytes of which are readable; 0: this is no device tree that fdt_open
// would accept. For a blob of which only the address is known.
uint32_t fdt_size(const void *header);

// Check a blob of which `limit` bytes are readable. False: it is no device tree, is damaged, or exceeds the limits above.
[[nodiscard]] bool fdt_open(struct fdt *fdt, const void *blob, size_t limit);

// Memory that the firmware keeps, below fdt->reservation_count.
void fdt_reservation(const struct fdt *fdt, uint32_t index, uint64_t *base, uint64_t *size);

// ---- nodes -----------------------------------------------------------------------------------------------------------

struct fdt_node fdt_root(const struct fdt *fdt);
// Go to the next node of the whole tree, parents before their children. False: there is none, and node is the root.
[[nodiscard]] bool fdt_next(struct fdt_node *node);
// The same among the nodes below `node` as it was when depth was its depth: false once that subtree is left.
[[nodiscard]] bool fdt_next_below(struct fdt_node *node, unsigned depth);

const char *fdt_name(const struct fdt_node *node); // with its unit address, "memory@40000000"; "" for the root

// The node at a path such as "/cpus/cpu-map". A component without a unit address finds the first that has any.
[[nodiscard]] bool fdt_find(const struct fdt *fdt, const char *path, struct fdt_node *node);
[[nodiscard]] bool fdt_find_phandle(const struct fdt *fdt, uint32_t phandle, struct fdt_node *node);

// ---- properties ------------------------------------------------------------------------------------------------------

[[nodiscard]] bool fdt_property(const struct fdt_node *node, const char *name, struct fdt_value *value);
// The first 32-bit cell of a property, or `otherwise` if it has none.
uint32_t fdt_property_u32(const struct fdt_node *node, const char *name, uint32_t otherwise);
// A property that is one string; null: there is none, or it has no end.
const char *fdt_property_string(const struct fdt_node *node, const char *name);

bool fdt_compatible(const struct fdt_node *node, const char *model); // whether "compatible" lists it
bool fdt_enabled(const struct fdt_node *node);                       // "status" does not say otherwise

[[nodiscard]] bool fdt_cell(const struct fdt_value *value, uint32_t index, uint32_t *cell); // the index-th of 32 bits
// A number of count (0 to 2) cells from that one on.
[[nodiscard]] bool fdt_cells(const struct fdt_value *value, uint32_t index, uint32_t count, uint64_t *number);

// The index-th range of "reg" as the CPUs see it, through the "ranges" of all buses on the way. False: there is none, or
// CPUs do not see it, or it wraps.
[[nodiscard]] bool fdt_reg(const struct fdt_node *node, uint32_t index, uint64_t *base, uint64_t *size);
// The first address of "reg" as its bus has it, for nodes whose "reg" is an identity (CPUs).
[[nodiscard]] bool fdt_unit(const struct fdt_node *node, uint64_t *unit);
