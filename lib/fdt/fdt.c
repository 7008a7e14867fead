// The device-tree reader. fdt_open walks the whole structure once and checks every token; the other functions rely on
// that: from any node on there are well-formed tokens up to the end.
#include "fdt/fdt.h"

#include "base/checked.h"
#include "base/str.h"

enum : uint32_t { MAGIC = 0xd00dfeed, VERSION = 17, RESERVATION_SIZE = 16 };

// Offsets of header fields.
enum {
    HEADER_MAGIC = 0,
    HEADER_SIZE = 4,
    HEADER_STRUCTURE = 8,
    HEADER_STRINGS = 12,
    HEADER_RESERVATIONS = 16,
    HEADER_VERSION = 20,
    HEADER_LAST_COMPATIBLE = 24,
    HEADER_STRINGS_SIZE = 32,
    HEADER_STRUCTURE_SIZE = 36,
};

enum token : uint32_t { BEGIN_NODE = 1, END_NODE = 2, PROPERTY = 3, NOTHING = 4, END = 9 };

static uint32_t read32(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint64_t read64(const uint8_t *at) {
    return (uint64_t)read32(at) << 32 | read32(at + 4);
}

// ---- the structure, token by token -----------------------------------------------------------------------------------

// One token. Its text or value lies in the blob.
struct item {
    enum token token;
    const char *name; // of a node or property
    struct fdt_value value;
    uint32_t next; // offset of the token behind it
};

static const char *string_at(const struct fdt *fdt, uint32_t offset) {
    if (offset >= fdt->strings_size) {
        return nullptr;
    }
    const char *text = (const char *)fdt->bytes + fdt->strings + offset;
    return strnlen(text, fdt->strings_size - offset) < fdt->strings_size - offset ? text : nullptr;
}

// Read the token at an offset of the structure block; false: there is none that is whole.
static bool item_read(const struct fdt *fdt, uint32_t at, struct item *item) {
    const uint8_t *block = fdt->bytes + fdt->structure;
    if (!range_within(at, 4, fdt->structure_size)) {
        return false;
    }
    *item = (struct item){.token = read32(block + at)};
    uint64_t end = (uint64_t)at + 4;
    switch (item->token) {
    case BEGIN_NODE: {
        size_t room = fdt->structure_size - end;
        item->name = (const char *)block + end;
        size_t length = strnlen(item->name, room);
        if (length == room) {
            return false;
        }
        end += length + 1;
        break;
    }
    case PROPERTY:
        if (!range_within(end, 8, fdt->structure_size)) {
            return false;
        }
        item->value = (struct fdt_value){block + end + 8, read32(block + end)};
        item->name = string_at(fdt, read32(block + end + 4));
        end += 8;
        if (item->name == nullptr || !range_within(end, item->value.length, fdt->structure_size)) {
            return false;
        }
        end += item->value.length;
        break;
    case END_NODE:
    case NOTHING:
    case END:
        break;
    default:
        return false;
    }
    end = (end + 3) & ~3ull;
    if (end > fdt->structure_size) {
        return false;
    }
    item->next = (uint32_t)end;
    return true;
}

// One root with everything in it, properties before children in each node, then the end.
static bool structure_valid(const struct fdt *fdt) {
    unsigned depth = 0;
    bool had_root = false, properties = false;
    struct item item;
    for (uint32_t at = 0; item_read(fdt, at, &item); at = item.next) {
        switch (item.token) {
        case BEGIN_NODE:
            if (depth == FDT_DEPTH_MAX || (depth == 0 && had_root)) {
                return false;
            }
            depth++;
            had_root = properties = true;
            break;
        case END_NODE:
            if (depth == 0) {
                return false;
            }
            depth--;
            properties = false;
            break;
        case PROPERTY:
            if (!properties) {
                return false;
            }
            break;
        case END:
            return had_root && depth == 0;
        case NOTHING:
            break;
        }
    }
    return false;
}

// ---- the blob --------------------------------------------------------------------------------------------------------

uint32_t fdt_size(const void *header) {
    const uint8_t *bytes = header;
    uint32_t size = read32(bytes + HEADER_SIZE);
    bool valid = read32(bytes + HEADER_MAGIC) == MAGIC && read32(bytes + HEADER_VERSION) >= VERSION &&
                 read32(bytes + HEADER_LAST_COMPATIBLE) <= VERSION && size >= FDT_HEADER_SIZE && size <= FDT_SIZE_MAX;
    return valid ? size : 0;
}

// The list of reservations ends with one of size 0.
static bool reservations_count(struct fdt *fdt) {
    for (uint64_t at = fdt->reservations; range_within(at, RESERVATION_SIZE, fdt->size); at += RESERVATION_SIZE) {
        if (read64(fdt->bytes + at + 8) == 0) {
            return true;
        }
        fdt->reservation_count++;
    }
    return false;
}

bool fdt_open(struct fdt *fdt, const void *blob, size_t limit) {
    const uint8_t *bytes = blob;
    *fdt = (struct fdt){};
    if (limit < FDT_HEADER_SIZE) {
        return false;
    }
    uint32_t size = fdt_size(blob);
    if (size == 0 || size > limit) {
        return false;
    }
    *fdt = (struct fdt){
        .bytes = bytes,
        .size = size,
        .structure = read32(bytes + HEADER_STRUCTURE),
        .structure_size = read32(bytes + HEADER_STRUCTURE_SIZE),
        .strings = read32(bytes + HEADER_STRINGS),
        .strings_size = read32(bytes + HEADER_STRINGS_SIZE),
        .reservations = read32(bytes + HEADER_RESERVATIONS),
    };
    return range_within(fdt->structure, fdt->structure_size, size) &&
           range_within(fdt->strings, fdt->strings_size, size) && reservations_count(fdt) && structure_valid(fdt);
}

void fdt_reservation(const struct fdt *fdt, uint32_t index, uint64_t *base, uint64_t *size) {
    const uint8_t *at = fdt->bytes + fdt->reservations + (size_t)index * RESERVATION_SIZE;
    *base = read64(at);
    *size = read64(at + 8);
}

// ---- nodes -----------------------------------------------------------------------------------------------------------

// The first token is the root's, but for ones that mean nothing.
struct fdt_node fdt_root(const struct fdt *fdt) {
    struct item item = {};
    uint32_t at = 0;
    while (item_read(fdt, at, &item) && item.token == NOTHING) {
        at = item.next;
    }
    return (struct fdt_node){.fdt = fdt, .offset = {at}};
}

bool fdt_next(struct fdt_node *node) {
    struct item item;
    if (!item_read(node->fdt, node->offset[node->depth], &item)) {
        return false;
    }
    unsigned open = node->depth + 1; // nodes that are begun and not ended
    for (uint32_t at = item.next; open > 0 && item_read(node->fdt, at, &item); at = item.next) {
        if (item.token == BEGIN_NODE) {
            node->depth = open;
            node->offset[open] = at;
            return true;
        }
        open -= item.token == END_NODE ? 1 : 0;
    }
    node->depth = 0;
    return false;
}

bool fdt_next_below(struct fdt_node *node, unsigned depth) {
    return fdt_next(node) && node->depth > depth;
}

static const char *name_at(const struct fdt *fdt, uint32_t offset) {
    struct item item;
    return item_read(fdt, offset, &item) && item.token == BEGIN_NODE ? item.name : "";
}

const char *fdt_name(const struct fdt_node *node) {
    return name_at(node->fdt, node->offset[node->depth]);
}

// Whether a component of a path names a node.
static bool name_matches(const char *name, const char *component, size_t length) {
    if (strncmp(name, component, length) != 0) {
        return false;
    }
    return name[length] == '\0' || name[length] == '@';
}

bool fdt_find(const struct fdt *fdt, const char *path, struct fdt_node *node) {
    *node = fdt_root(fdt);
    unsigned matched = 0; // depth of the last node on the path that is found
    for (;;) {
        while (*path == '/') {
            path++;
        }
        size_t length = 0;
        while (path[length] != '\0' && path[length] != '/') {
            length++;
        }
        if (length == 0) {
            return true;
        }
        do {
            if (!fdt_next_below(node, matched)) {
                return false;
            }
        } while (node->depth != matched + 1 || !name_matches(fdt_name(node), path, length));
        matched++;
        path += length;
    }
}

bool fdt_find_phandle(const struct fdt *fdt, uint32_t phandle, struct fdt_node *node) {
    *node = fdt_root(fdt);
    do {
        struct fdt_value value;
        uint32_t cell;
        if (fdt_property(node, "phandle", &value) && fdt_cell(&value, 0, &cell) && cell == phandle) {
            return true;
        }
    } while (fdt_next(node));
    return false;
}

// ---- properties ------------------------------------------------------------------------------------------------------

static bool property_at(const struct fdt *fdt, uint32_t offset, const char *name, struct fdt_value *value) {
    struct item item;
    if (!item_read(fdt, offset, &item)) {
        return false;
    }
    for (uint32_t at = item.next; item_read(fdt, at, &item) && (item.token == PROPERTY || item.token == NOTHING);
         at = item.next) {
        if (item.token == PROPERTY && str_equal(item.name, name)) {
            *value = item.value;
            return true;
        }
    }
    return false;
}

bool fdt_property(const struct fdt_node *node, const char *name, struct fdt_value *value) {
    return property_at(node->fdt, node->offset[node->depth], name, value);
}

bool fdt_cell(const struct fdt_value *value, uint32_t index, uint32_t *cell) {
    if (!range_within((uint64_t)index * 4, 4, value->length)) {
        return false;
    }
    *cell = read32(value->bytes + (size_t)index * 4);
    return true;
}

bool fdt_cells(const struct fdt_value *value, uint32_t index, uint32_t count, uint64_t *number) {
    if (count > 2 || !range_within((uint64_t)index * 4, (uint64_t)count * 4, value->length)) {
        return false;
    }
    const uint8_t *at = value->bytes + (size_t)index * 4;
    *number = count == 0 ? 0 : count == 1 ? read32(at) : read64(at);
    return true;
}

static uint32_t u32_at(const struct fdt *fdt, uint32_t offset, const char *name, uint32_t otherwise) {
    struct fdt_value value;
    uint32_t cell;
    return property_at(fdt, offset, name, &value) && fdt_cell(&value, 0, &cell) ? cell : otherwise;
}

uint32_t fdt_property_u32(const struct fdt_node *node, const char *name, uint32_t otherwise) {
    return u32_at(node->fdt, node->offset[node->depth], name, otherwise);
}

const char *fdt_property_string(const struct fdt_node *node, const char *name) {
    struct fdt_value value;
    if (!fdt_property(node, name, &value)) {
        return nullptr;
    }
    const char *text = (const char *)value.bytes;
    return strnlen(text, value.length) < value.length ? text : nullptr;
}

bool fdt_compatible(const struct fdt_node *node, const char *model) {
    struct fdt_value value;
    if (!fdt_property(node, "compatible", &value)) {
        return false;
    }
    for (uint32_t at = 0; at < value.length;) {
        const char *text = (const char *)value.bytes + at;
        size_t length = strnlen(text, value.length - at);
        if (length == value.length - at) {
            return false;
        }
        if (str_equal(text, model)) {
            return true;
        }
        at += (uint32_t)length + 1;
    }
    return false;
}

bool fdt_enabled(const struct fdt_node *node) {
    struct fdt_value value;
    if (!fdt_property(node, "status", &value)) {
        return true;
    }
    const char *status = fdt_property_string(node, "status");
    return status != nullptr && (str_equal(status, "okay") || str_equal(status, "ok"));
}

// ---- addresses -------------------------------------------------------------------------------------------------------

// Cells of the addresses and sizes that the children of a node have.
struct cells {
    uint32_t address, size;
};

static struct cells cells_below(const struct fdt *fdt, uint32_t offset) {
    return (struct cells){u32_at(fdt, offset, "#address-cells", 2), u32_at(fdt, offset, "#size-cells", 1)};
}

// From an address on a node's own bus to one on its parent's.
static bool translate(const struct fdt *fdt, uint32_t bus, uint32_t parent, uint64_t size, uint64_t *base) {
    struct fdt_value ranges;
    if (!property_at(fdt, bus, "ranges", &ranges)) {
        return false;
    }
    if (ranges.length == 0) {
        return true;
    }
    struct cells own = cells_below(fdt, bus), outer = cells_below(fdt, parent);
    if (own.address > 2 || own.size > 2 || outer.address > 2) {
        return false;
    }
    uint32_t stride = own.address + outer.address + own.size;
    uint64_t from, to, length;
    for (uint32_t at = 0; stride > 0 && fdt_cells(&ranges, at, own.address, &from) &&
                          fdt_cells(&ranges, at + own.address, outer.address, &to) &&
                          fdt_cells(&ranges, at + own.address + outer.address, own.size, &length);
         at += stride) {
        if (*base >= from && range_within(*base - from, size, length)) {
            return checked_add(to, *base - from, base);
        }
    }
    return false;
}

bool fdt_reg(const struct fdt_node *node, uint32_t index, uint64_t *base, uint64_t *size) {
    struct fdt_value reg;
    if (node->depth == 0 || !fdt_property(node, "reg", &reg)) {
        return false;
    }
    struct cells cells = cells_below(node->fdt, node->offset[node->depth - 1]);
    if (cells.address > 2 || cells.size > 2) {
        return false;
    }
    uint64_t first, end;
    if (!checked_mul(index, cells.address + cells.size, &first) || first > reg.length) {
        return false;
    }
    if (cells.address == 0 || !fdt_cells(&reg, (uint32_t)first, cells.address, base) ||
        !fdt_cells(&reg, (uint32_t)first + cells.address, cells.size, size)) {
        return false;
    }
    for (unsigned depth = node->depth - 1; depth > 0; depth--) {
        if (!translate(node->fdt, node->offset[depth], node->offset[depth - 1], *size, base)) {
            return false;
        }
    }
    return checked_add(*base, *size, &end);
}

bool fdt_unit(const struct fdt_node *node, uint64_t *unit) {
    struct fdt_value reg;
    if (node->depth == 0 || !fdt_property(node, "reg", &reg)) {
        return false;
    }
    uint32_t count = cells_below(node->fdt, node->offset[node->depth - 1]).address;
    return count > 0 && fdt_cells(&reg, 0, count, unit);
}
