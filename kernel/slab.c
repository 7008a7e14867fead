// A slab is one page of objects of one size behind a header with a bit per free object. Slabs with a free object are on
// their class's list; full ones are on none and come back when an object in them is freed, found by its address.
#include "kernel/slab.h"

#include "abi/abi.h"
#include "base/bits.h"
#include "base/list.h"
#include "base/memory.h"
#include "kernel/alloc_fault.h"
#include "kernel/memory_check.h"
#include "kernel/page_alloc.h"
#include "kernel/panic.h"

enum {
    SLAB_UNIT = 32, // class sizes are multiples of it, and so objects are aligned to it
    SLAB_HEADER = 64,
    SLAB_OBJECTS_MAX = (PAGE_SIZE - SLAB_HEADER) / SLAB_UNIT,
    SLAB_WORDS = (SLAB_OBJECTS_MAX + 63) / 64,
};

constexpr uint64_t SLAB_MAGIC = 0x62616c7379736e69;

struct slab {
    uint64_t magic;
    struct list link; // in struct class.partial unless full
    uint64_t free[SLAB_WORDS];
    uint16_t used;
    uint8_t class_index;
};

static_assert(sizeof(struct slab) <= SLAB_HEADER);

struct class {
    struct list partial;
    struct slab *empty; // the one empty slab that is kept, on partial as the last choice; or null
    struct slab_stats stats;
};

static constexpr uint16_t class_size[SLAB_SIZES] = {32, 64, 96, 128, 192, 256, 384, 512, 672, 992, 1344, SLAB_MAX};

// By size / SLAB_UNIT, rounded up: the smallest class that fits.
static constexpr uint8_t class_by_units[SLAB_MAX / SLAB_UNIT + 1] = {
    0,  0,  1,  2,  3,  4,  4,  5,  5,  6,  6,  6,  6,  7,  7,  7,  7,  8,  8,  8,  8,  8,
    9,  9,  9,  9,  9,  9,  9,  9,  9,  9,  10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 11,
    11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11,
};

#define CLASS(index) {.partial = LIST_INIT(classes[index].partial)}
static struct class classes[SLAB_SIZES] = {
    CLASS(0), CLASS(1), CLASS(2), CLASS(3), CLASS(4),  CLASS(5),
    CLASS(6), CLASS(7), CLASS(8), CLASS(9), CLASS(10), CLASS(11),
};
static struct slab_stats whole_pages;

static unsigned class_of(size_t size) {
    return class_by_units[(size + SLAB_UNIT - 1) / SLAB_UNIT];
}

#define CAPACITY(size) ((PAGE_SIZE - SLAB_HEADER) / (size))
static constexpr uint8_t class_capacity[SLAB_SIZES] = {
    CAPACITY(32),  CAPACITY(64),  CAPACITY(96),  CAPACITY(128), CAPACITY(192),  CAPACITY(256),
    CAPACITY(384), CAPACITY(512), CAPACITY(672), CAPACITY(992), CAPACITY(1344), CAPACITY(SLAB_MAX),
};

static unsigned slab_capacity(unsigned class_index) {
    return class_capacity[class_index];
}

// Which object of a slab begins at or before an offset in its page.
static unsigned object_index(size_t offset, unsigned class_index) {
    return (unsigned)offset / class_size[class_index];
}

static struct slab *slab_create(unsigned class_index) {
    paddr_t page = page_alloc(0);
    if (page == 0) {
        return nullptr;
    }
    struct class *class = &classes[class_index];
    unsigned capacity = slab_capacity(class_index);
    struct slab *slab = arch_phys_to_virt(page);
    *slab = (struct slab){.magic = SLAB_MAGIC, .class_index = (uint8_t)class_index};
    for (unsigned word = 0; word < SLAB_WORDS; word++) {
        unsigned objects = capacity > word * 64 ? capacity - word * 64 : 0;
        slab->free[word] = objects >= 64 ? UINT64_MAX : (UINT64_C(1) << objects) - 1;
    }
    memory_forbid((char *)slab + SLAB_HEADER, PAGE_SIZE - SLAB_HEADER);
    list_push_front(&class->partial, &slab->link);
    class->stats.pages++;
    class->stats.capacity += capacity;
    return slab;
}

[[gnu::noinline]] static void slab_release(struct class *class, struct slab *slab) {
    list_remove(&slab->link);
    class->stats.pages--;
    class->stats.capacity -= slab_capacity(slab->class_index);
    slab->magic = 0;
    page_free(arch_virt_to_phys(slab), 0);
}

static unsigned whole_order(size_t size) {
    return log2_up((size + PAGE_SIZE - 1) / PAGE_SIZE);
}

[[gnu::noinline]] static void *whole_alloc(size_t size, size_t cleared) {
    // Beyond the largest block the rounding above need not be considered.
    paddr_t page = size <= (size_t)PAGE_SIZE << PAGE_ORDER_MAX ? page_alloc(whole_order(size)) : 0;
    if (page == 0) {
        whole_pages.failures++;
        return nullptr;
    }
    uint64_t pages = UINT64_C(1) << whole_order(size);
    whole_pages.used += pages;
    whole_pages.pages += pages;
    whole_pages.capacity += pages;
    whole_pages.allocations++;
    return memset(arch_phys_to_virt(page), 0, cleared);
}

[[gnu::noinline]] static void whole_free(void *pointer, size_t size) {
    uint64_t pages = UINT64_C(1) << whole_order(size);
    whole_pages.used -= pages;
    whole_pages.pages -= pages;
    whole_pages.capacity -= pages;
    page_free(arch_virt_to_phys(pointer), whole_order(size));
}

void *slab_alloc(size_t size) {
    return slab_alloc_partly(size, size);
}

// An object of a slab that has one.
static inline void *slab_take(struct class *class, unsigned class_index, struct slab *slab, size_t size,
                              size_t cleared) {
    KASSERT(slab->magic == SLAB_MAGIC);
    if (slab == class->empty) {
        class->empty = nullptr;
    }
    unsigned word = slab->free[0] != 0 ? 0 : 1;
    static_assert(SLAB_WORDS == 2);
    unsigned index = word * 64 + bits_lowest(slab->free[word]);
    slab->free[word] &= slab->free[word] - 1;
    slab->used++;
    if (slab->used == slab_capacity(class_index)) {
        list_remove(&slab->link);
    }
    class->stats.used++;
    class->stats.allocations++;
    void *object = (char *)slab + SLAB_HEADER + (size_t)index * class_size[class_index];
    memory_permit(object, size);
    return cleared == 0 ? object : memset(object, 0, cleared);
}

// All slabs of the class are full.
[[gnu::noinline]] static void *slab_more(struct class *class, unsigned class_index, size_t size, size_t cleared) {
    struct slab *slab = slab_create(class_index);
    if (slab == nullptr) {
        class->stats.failures++;
        return nullptr;
    }
    return slab_take(class, class_index, slab, size, cleared);
}

// The usual way calls nothing, so that it needs no stack.
void *slab_alloc_partly(size_t size, size_t cleared) {
    if (size > SLAB_MAX) {
        return whole_alloc(size, cleared);
    }
    unsigned class_index = class_of(size);
    struct class *class = &classes[class_index];
    if (alloc_fault()) {
        class->stats.failures++;
        return nullptr;
    }
    struct list *first = class->partial.next;
    if (first == &class->partial) {
        return slab_more(class, class_index, size, cleared);
    }
    return slab_take(class, class_index, container_of(first, struct slab, link), size, cleared);
}

void slab_free(void *pointer, size_t size) {
    if (pointer == nullptr) {
        return;
    }
    if (size > SLAB_MAX) {
        whole_free(pointer, size);
        return;
    }
    struct slab *slab = (struct slab *)align_down((uintptr_t)pointer, PAGE_SIZE);
    KASSERT(slab->magic == SLAB_MAGIC && slab->class_index == class_of(size)); // a size as it was allocated
    struct class *class = &classes[slab->class_index];
    size_t offset = (size_t)((char *)pointer - (char *)slab) - SLAB_HEADER;
    unsigned index = object_index(offset, slab->class_index);
    KASSERT(offset == (size_t)index * class_size[slab->class_index] && index < slab_capacity(slab->class_index));
    uint64_t bit = UINT64_C(1) << index % 64;
    KASSERT((slab->free[index / 64] & bit) == 0); // not free already
    memory_forbid(pointer, class_size[slab->class_index]);
    if (slab->used == slab_capacity(slab->class_index)) {
        list_push_front(&class->partial, &slab->link);
    }
    slab->free[index / 64] |= bit;
    slab->used--;
    class->stats.used--;
    if (slab->used > 0) {
        return;
    }
    if (class->empty != nullptr) {
        slab_release(class, slab);
        return;
    }
    class->empty = slab;
    list_remove(&slab->link);
    list_push_back(&class->partial, &slab->link);
}

struct slab_stats slab_stats(unsigned class_index) {
    KASSERT(class_index < SLAB_CLASSES);
    struct slab_stats stats = class_index < SLAB_SIZES ? classes[class_index].stats : whole_pages;
    stats.size = class_index < SLAB_SIZES ? class_size[class_index] : PAGE_SIZE;
    return stats;
}
