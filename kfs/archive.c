#include "kfs/archive.h"

#include "abi/abi.h"
#include "base/bits.h"
#include "base/checked.h"
#include "base/memory.h"
#include "base/str.h"
#include "kfs/node.h"
#include "kfs/ramfile.h"

// A header is 110 characters: the magic, then thirteen fields of eight hexadecimal digits.
enum { HEADER_SIZE = 110, MAGIC_SIZE = 6, FIELD_SIZE = 8, ALIGNMENT = 4, ARCHIVE_NAME_MAX = 4096 };
enum field { FIELD_MODE = 1, FIELD_FILE_SIZE = 6, FIELD_NAME_SIZE = 11 };
enum : uint32_t { TYPE_MASK = 0170000, TYPE_DIRECTORY = 0040000, TYPE_FILE = 0100000, TYPE_LINK = 0120000 };

static const char trailer[] = "TRAILER!!!";

struct member {
    uint32_t mode;
    const char *name;
    size_t name_length;
    const char *content;
    uint64_t size;
    uint64_t next; // offset of what follows
};

static bool read_field(const char *header, enum field field, uint32_t *value) {
    const char *digits = header + MAGIC_SIZE + FIELD_SIZE * (size_t)field;
    uint32_t result = 0;
    for (size_t i = 0; i < FIELD_SIZE; i++) {
        char digit = digits[i];
        uint32_t nibble;
        if (digit >= '0' && digit <= '9') {
            nibble = (uint32_t)(digit - '0');
        } else if (digit >= 'a' && digit <= 'f') {
            nibble = (uint32_t)(digit - 'a') + 10;
        } else if (digit >= 'A' && digit <= 'F') {
            nibble = (uint32_t)(digit - 'A') + 10;
        } else {
            return false;
        }
        result = result << 4 | nibble;
    }
    *value = result;
    return true;
}

// Decode the member at offset. False: damaged.
static bool read_member(const char *archive, uint64_t size, uint64_t offset, struct member *member) {
    if (!range_within(offset, HEADER_SIZE, size)) {
        return false;
    }
    const char *header = archive + offset;
    if (memcmp(header, "070701", MAGIC_SIZE) != 0 && memcmp(header, "070702", MAGIC_SIZE) != 0) {
        return false;
    }
    uint32_t file_size, name_size;
    if (!read_field(header, FIELD_MODE, &member->mode) || !read_field(header, FIELD_FILE_SIZE, &file_size) ||
        !read_field(header, FIELD_NAME_SIZE, &name_size)) {
        return false;
    }
    uint64_t name = offset + HEADER_SIZE;
    if (name_size == 0 || name_size > ARCHIVE_NAME_MAX || !range_within(name, name_size, size)) {
        return false;
    }
    // Alignment counts from the archive's own beginning, hence from any of its headers.
    uint64_t content = offset + align_up(HEADER_SIZE + name_size, ALIGNMENT);
    if (!range_within(content, file_size, size) || archive[name + name_size - 1] != '\0') {
        return false;
    }
    member->name = archive + name;
    member->name_length = name_size - 1;
    member->content = archive + content;
    member->size = file_size;
    member->next = content + align_up(file_size, ALIGNMENT);
    return true;
}

// Go to the directory that holds the last component of the member's name, making what is missing. *name is left at that
// component. null: the name cannot be given (*status 0), or there is no memory.
static struct node *enter(struct node *root, const char **name, size_t *length, status_t *status) {
    struct node *at = root;
    const char *end = *name + *length;
    const char *begin = *name;
    while (end > begin && end[-1] == '/') {
        end--;
    }
    for (;;) {
        while (begin < end && *begin == '/') {
            begin++;
        }
        const char *stop = begin;
        while (stop < end && *stop != '/') {
            stop++;
        }
        size_t part = (size_t)(stop - begin);
        bool dot = part == 1 && *begin == '.';
        if (stop == end) {
            *name = begin;
            *length = dot ? 0 : part;
            return at;
        }
        if (!dot) {
            if (!node_name_valid(begin, part)) {
                return nullptr;
            }
            struct node *child = node_child(at, begin, part);
            if (child == nullptr) {
                child = node_new(NODE_DIR, 0755, 0, 0);
                if (child == nullptr) {
                    *status = ERR_NO_MEMORY;
                    return nullptr;
                }
                node_link(at, child, begin, part);
                node_unref(child);
            }
            if (child->kind != NODE_DIR || child->sealed) {
                return nullptr;
            }
            at = child;
        }
        begin = stop;
    }
}

// What the member holds, as a node that is not linked. null: no memory, or not a kind that we keep (*status 0).
static struct node *make_node(const struct member *member, struct archive_counts *counts, status_t *status) {
    uint32_t type = member->mode & TYPE_MASK;
    uint32_t mode = member->mode & 0777;
    uint32_t kind = type == TYPE_DIRECTORY ? NODE_DIR : type == TYPE_LINK ? NODE_LINK : NODE_FILE;
    bool bad_link = kind == NODE_LINK && (member->size == 0 || member->size > PATH_LEN_MAX ||
                                          strnlen(member->content, member->size) < member->size);
    if ((kind == NODE_FILE && type != TYPE_FILE) || bad_link || member->size > FILE_MAX) {
        return nullptr;
    }
    struct node *node = node_new(kind, kind == NODE_LINK ? 0777 : mode, 0, 0);
    if (node == nullptr) {
        *status = ERR_NO_MEMORY;
        return nullptr;
    }
    if (kind == NODE_LINK) {
        *status = node_set_target(node, member->content, member->size);
        counts->links++;
    } else if (kind == NODE_FILE) {
        *status = member->size > 0 ? ramfile_fill(node, member->content, member->size) : 0;
        counts->files++;
        counts->bytes += member->size;
    } else {
        counts->directories++;
    }
    if (*status < 0) {
        node_unref(node);
        return nullptr;
    }
    return node;
}

static status_t add_member(struct node *root, const struct member *member, struct archive_counts *counts) {
    status_t status = 0;
    const char *name = member->name;
    size_t length = member->name_length;
    bool plain = length <= PATH_LEN_MAX && strnlen(name, length) == length;
    struct node *directory = plain ? enter(root, &name, &length, &status) : nullptr;
    if (directory == nullptr) {
        counts->skipped += status == 0 ? 1 : 0;
        return status;
    }
    if (length == 0) {
        return 0; // "." and "/": the root itself
    }
    struct node *there = node_name_valid(name, length) ? node_child(directory, name, length) : nullptr;
    if (there != nullptr && there->kind == NODE_DIR && (member->mode & TYPE_MASK) == TYPE_DIRECTORY && !there->sealed) {
        node_set_access(there, there->owner, there->group, member->mode & 0777);
        return 0;
    }
    bool free = there == nullptr && node_name_valid(name, length);
    struct node *node = free ? make_node(member, counts, &status) : nullptr;
    if (node == nullptr) {
        counts->skipped += status == 0 ? 1 : 0;
        return status;
    }
    node_link(directory, node, name, length);
    node_unref(node);
    return 0;
}

status_t archive_unpack(struct node *root, const void *archive, uint64_t size, struct archive_counts *counts) {
    const char *bytes = archive;
    uint64_t offset = 0;
    while (offset < size) {
        if (bytes[offset] == '\0') {
            offset++; // padding between archives, and behind the last
            continue;
        }
        struct member member;
        if (!read_member(bytes, size, offset, &member)) {
            return ERR_INVALID;
        }
        bool last = member.name_length == sizeof trailer - 1 && memcmp(member.name, trailer, sizeof trailer - 1) == 0;
        status_t status = last ? 0 : add_member(root, &member, counts);
        if (status < 0) {
            return status;
        }
        offset = member.next;
    }
    return 0;
}
