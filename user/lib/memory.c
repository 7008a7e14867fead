// malloc: a 16-byte header before each block tells its size class, or the size of a mapping of its own.
#include "lib/memory.h"

#include "base/memory.h"
#include "isthmus/calls.h"
#include "lib/self.h"

enum { CLASS_COUNT = 8, CLASS_MIN = 16, CHUNK_SIZE = 256 * 1024 };

struct block {
    uint64_t size;      // usable bytes; above MEMORY_CLASS_MAX the block is a mapping of its own
    struct block *next; // in a free list; otherwise unused, it keeps the bytes behind aligned
};
static_assert(sizeof(struct block) == 16);

static struct block *free_list[CLASS_COUNT];
static char *chunk;
static size_t chunk_left;
static bool locked; // taken with the atomic exchange below

static void lock(void) {
    while (__atomic_exchange_n(&locked, true, __ATOMIC_ACQUIRE)) {
        (void)sys_yield();
    }
}

static void unlock(void) {
    __atomic_store_n(&locked, false, __ATOMIC_RELEASE);
}

void *memory_map(size_t size) {
    long pages = sys_pages_create(size);
    if (pages < 0) {
        return nullptr;
    }
    uint64_t address = 0;
    long status = sys_map(self_process(), (handle_t)pages, 0, 0, size, PROT_READ | PROT_WRITE, &address);
    (void)sys_close((handle_t)pages); // the mapping keeps the memory
    return status < 0 ? nullptr : (void *)(uintptr_t)address;
}

void memory_unmap(void *address) {
    if (address != nullptr) {
        (void)sys_unmap(self_process(), (uint64_t)(uintptr_t)address);
    }
}

static unsigned class_of(size_t size) {
    unsigned class = 0;
    while (((size_t)CLASS_MIN << class) < size) {
        class ++;
    }
    return class;
}

static void *allocate_small(size_t size) {
    unsigned class = class_of(size);
    size_t usable = (size_t)CLASS_MIN << class;
    lock();
    struct block *block = free_list[class];
    if (block != nullptr) {
        free_list[class] = block->next;
    } else {
        if (chunk_left < sizeof *block + usable) {
            char *fresh = memory_map(CHUNK_SIZE);
            if (fresh == nullptr) {
                unlock();
                return nullptr;
            }
            chunk = fresh;
            chunk_left = CHUNK_SIZE;
        }
        block = (struct block *)chunk;
        chunk += sizeof *block + usable;
        chunk_left -= sizeof *block + usable;
        block->size = usable;
    }
    unlock();
    return block + 1;
}

void *malloc(size_t size) {
    if (size <= MEMORY_CLASS_MAX) {
        return allocate_small(size);
    }
    if (size > PAGES_MAX - PAGE_SIZE) {
        return nullptr;
    }
    size_t whole = (size + sizeof(struct block) + PAGE_SIZE - 1) & ~(size_t)(PAGE_SIZE - 1);
    struct block *block = memory_map(whole);
    if (block == nullptr) {
        return nullptr;
    }
    block->size = whole - sizeof *block;
    return block + 1;
}

void *calloc(size_t count, size_t size) {
    size_t whole;
    if (__builtin_mul_overflow(count, size, &whole)) {
        return nullptr;
    }
    void *block = malloc(whole);
    if (block != nullptr) {
        memset(block, 0, whole);
    }
    return block;
}

void free(void *address) {
    if (address == nullptr) {
        return;
    }
    struct block *block = (struct block *)address - 1;
    if (block->size > MEMORY_CLASS_MAX) {
        memory_unmap(block);
        return;
    }
    unsigned class = class_of(block->size);
    lock();
    block->next = free_list[class];
    free_list[class] = block;
    unlock();
}

void *realloc(void *address, size_t size) {
    if (address == nullptr) {
        return malloc(size);
    }
    struct block *block = (struct block *)address - 1;
    if (size <= block->size) {
        return address;
    }
    void *fresh = malloc(size);
    if (fresh != nullptr) {
        memcpy(fresh, address, block->size);
        free(address);
    }
    return fresh;
}
