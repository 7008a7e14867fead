#include "kernel/pages.h"

#include "abi/abi.h"
#include "base/bits.h"
#include "base/checked.h"
#include "base/format.h"
#include "base/memory.h"
#include "kernel/page_alloc.h"
#include "kernel/panic.h"
#include "kernel/slab.h"

enum {
    LEAF_ENTRIES = PAGE_SIZE / sizeof(paddr_t),
    DESTROY_AT_ONCE = 16, // units of work that the last unref does itself; more go in slices
    LOOK_AT = 16,         // entries that a unit looks through
};

// The directory reaches every page of the largest object.
static_assert(PAGES_MAX / PAGE_SIZE <= LEAF_ENTRIES * LEAF_ENTRIES);

static const char zeroes[PAGE_SIZE];

static paddr_t *leaf_of(const struct pages *pages, uint64_t index) {
    if (pages->directory == nullptr) {
        return nullptr;
    }
    paddr_t leaf = pages->directory[index / LEAF_ENTRIES];
    return leaf != 0 ? arch_phys_to_virt(leaf) : nullptr;
}

// Where the page at index is written down. create makes room for it if there is none yet; null: no memory, or no room.
static paddr_t *slot_of(struct pages *pages, uint64_t index, bool create) {
    if (index < PAGES_INLINE) {
        return &pages->direct[index];
    }
    if (create && pages->directory == nullptr) {
        paddr_t page = page_alloc_zeroed();
        if (page == 0) {
            return nullptr;
        }
        pages->directory = arch_phys_to_virt(page);
    }
    paddr_t *leaf = leaf_of(pages, index);
    if (leaf == nullptr && create) {
        paddr_t page = page_alloc_zeroed();
        if (page == 0) {
            return nullptr;
        }
        pages->directory[index / LEAF_ENTRIES] = page;
        leaf = arch_phys_to_virt(page);
    }
    return leaf != nullptr ? &leaf[index % LEAF_ENTRIES] : nullptr;
}

status_t pages_create(uint64_t size, struct pages **result) {
    if (size == 0 || size > PAGES_MAX) {
        return ERR_INVALID;
    }
    struct pages *pages = slab_alloc(sizeof *pages);
    if (pages == nullptr) {
        return ERR_NO_MEMORY;
    }
    object_init(&pages->object, &pages_ops);
    pages->count = align_up(size, PAGE_SIZE) / PAGE_SIZE;
    list_init(&pages->teardown.link);
    *result = pages;
    return 0;
}

paddr_t pages_get(struct pages *pages, uint64_t index, bool take) {
    KASSERT(index < pages->count);
    paddr_t *slot = slot_of(pages, index, take);
    if (slot == nullptr) {
        return 0;
    }
    if (*slot == 0 && take) {
        *slot = page_alloc_zeroed();
        pages->resident += *slot != 0;
    }
    return *slot;
}

bool pages_next(const struct pages *pages, uint64_t *index, uint64_t end, unsigned *budget) {
    KASSERT(end <= pages->count);
    for (unsigned looked = 0; *index < end; looked++) {
        if (looked % LOOK_AT == 0) {
            if (*budget == 0) {
                return false;
            }
            slice_spend(budget, 1);
        }
        if (*index < PAGES_INLINE) {
            if (pages->direct[*index] != 0) {
                return true;
            }
            ++*index;
            continue;
        }
        const paddr_t *leaf = leaf_of(pages, *index);
        if (leaf == nullptr) {
            *index = pages->directory == nullptr ? end : align_down(*index, LEAF_ENTRIES) + LEAF_ENTRIES;
        } else if (leaf[*index % LEAF_ENTRIES] != 0) {
            return true;
        } else {
            ++*index;
        }
    }
    *index = end;
    return false;
}

enum direction { TO_USER, FROM_USER, FROM_KERNEL };

static status_t copy_page(struct pages *pages, uint64_t offset, enum direction direction, user_ptr_t user,
                          const void *kernel, uint64_t length) {
    paddr_t page = pages_get(pages, offset / PAGE_SIZE, direction != TO_USER);
    char *bytes = page != 0 ? (char *)arch_phys_to_virt(page) + offset % PAGE_SIZE : nullptr;
    if (direction == TO_USER) {
        return user_copy_out(user, bytes != nullptr ? bytes : zeroes, length);
    }
    if (bytes == nullptr) {
        return ERR_NO_MEMORY;
    }
    if (direction == FROM_USER) {
        return user_copy_in(bytes, user, length);
    }
    memcpy(bytes, kernel, length);
    return 0;
}

static status_t copy(struct pages *pages, uint64_t offset, uint64_t length, enum direction direction, user_ptr_t user,
                     const char *kernel) {
    KASSERT(range_within(offset, length, pages->count * PAGE_SIZE));
    while (length > 0) {
        uint64_t in_page = PAGE_SIZE - offset % PAGE_SIZE;
        uint64_t part = length < in_page ? length : in_page;
        status_t status = copy_page(pages, offset, direction, user, kernel, part);
        if (status < 0) {
            return status;
        }
        offset += part;
        length -= part;
        user.va += part;
        if (direction == FROM_KERNEL) {
            kernel += part;
        }
    }
    return 0;
}

status_t pages_read(struct pages *pages, user_ptr_t to, uint64_t offset, uint64_t length) {
    return copy(pages, offset, length, TO_USER, to, nullptr);
}

status_t pages_write(struct pages *pages, user_ptr_t from, uint64_t offset, uint64_t length) {
    if (pages->mapped_executable > 0) {
        return ERR_BUSY;
    }
    return copy(pages, offset, length, FROM_USER, from, nullptr);
}

status_t pages_fill(struct pages *pages, const void *from, uint64_t offset, uint64_t length) {
    return copy(pages, offset, length, FROM_KERNEL, (user_ptr_t){0}, from);
}

static void page_give_back(paddr_t *entry) {
    page_free(*entry, 0);
    *entry = 0;
}

// Give back the last page that entries first to end - 1 have: where it was, or first. At most LOOK_AT entries are looked at.
static uint64_t give_back_last(struct pages *pages, paddr_t *entry, uint64_t first, uint64_t end, unsigned *budget) {
    first = end - first > LOOK_AT ? end - LOOK_AT : first;
    slice_spend(budget, 1);
    while (end > first) {
        if (entry[--end] != 0) {
            page_give_back(&entry[end]);
            pages->resident--;
            slice_spend(budget, PAGE_FREE_UNITS);
            break;
        }
    }
    return end;
}

// From the end: what is above count has been given back. False when the budget ran out first.
static bool pages_teardown(struct slice *slice, unsigned *budget) {
    struct pages *pages = container_of(slice, struct pages, teardown);
    while (pages->count > 0) {
        if (*budget == 0) {
            return false;
        }
        if (pages->count <= PAGES_INLINE) {
            pages->count = give_back_last(pages, pages->direct, 0, pages->count, budget);
            continue;
        }
        uint64_t base = align_down(pages->count - 1, LEAF_ENTRIES); // of the leaf
        uint64_t first = base > PAGES_INLINE ? base : PAGES_INLINE;
        paddr_t *leaf = leaf_of(pages, base);
        if (leaf == nullptr) { // none of its stretch
            pages->count = pages->directory == nullptr ? PAGES_INLINE : first;
            slice_spend(budget, 1);
            continue;
        }
        pages->count = base + give_back_last(pages, leaf, first - base, pages->count - base, budget);
        if (pages->count == first) {
            page_give_back(&pages->directory[base / LEAF_ENTRIES]);
            slice_spend(budget, PAGE_FREE_UNITS);
        }
    }
    if (pages->directory != nullptr) {
        page_free(arch_virt_to_phys(pages->directory), 0);
    }
    KASSERT(pages->resident == 0);
    slab_free(pages, sizeof *pages);
    return true;
}

static void pages_destroy(struct object *object) {
    struct pages *pages = container_of(object, struct pages, object);
    unsigned budget = DESTROY_AT_ONCE;
    if (!pages_teardown(&pages->teardown, &budget)) {
        slice_queue(&pages->teardown, pages_teardown);
    }
}

// What a read or write at offset can move; 0 at and behind the end.
static uint64_t clip(const struct pages *pages, uint64_t offset, uint64_t length) {
    uint64_t size = pages->count * PAGE_SIZE;
    uint64_t left = offset < size ? size - offset : 0;
    length = length < left ? length : left;
    return length < READ_MAX ? length : READ_MAX;
}

static long pages_object_read(struct object *object, struct thread *, user_ptr_t buffer, uint64_t length,
                              uint64_t offset) {
    struct pages *pages = container_of(object, struct pages, object);
    if (offset == OFFSET_CURRENT) {
        return ERR_INVALID;
    }
    length = clip(pages, offset, length);
    status_t status = length > 0 ? pages_read(pages, buffer, offset, length) : 0;
    return status < 0 ? status : (long)length;
}

static long pages_object_write(struct object *object, struct thread *, user_ptr_t buffer, uint64_t length,
                               uint64_t offset) {
    struct pages *pages = container_of(object, struct pages, object);
    if (offset > pages->count * PAGE_SIZE || (offset == pages->count * PAGE_SIZE && length > 0)) {
        return ERR_INVALID; // OFFSET_CURRENT among them
    }
    length = clip(pages, offset, length);
    status_t status = pages_write(pages, buffer, offset, length);
    return status < 0 ? status : (long)length;
}

static status_t pages_memory(struct object *object, unsigned, struct pages **pages, uint64_t *size) {
    *pages = container_of(object, struct pages, object);
    *size = (*pages)->count * PAGE_SIZE;
    return 0;
}

static void pages_describe(const struct object *object, char *text, size_t capacity) {
    const struct pages *pages = container_of(object, struct pages, object);
    format(text, capacity, "%llu pages, %llu resident", (unsigned long long)pages->count,
           (unsigned long long)pages->resident);
}

const struct object_ops pages_ops = {
    .kind = OBJECT_PAGES,
    .name = "pages",
    .destroy = pages_destroy,
    .read = pages_object_read,
    .write = pages_object_write,
    .memory = pages_memory,
    .describe = pages_describe,
};
