// Page tables of four levels in pages of the core's allocator, walked in software; and a cache of translations per CPU
// that behaves as a processor's does: an entry stays until it is flushed or replaced.
#include <string.h>

#include "abi/abi.h"
#include "kernel/page_alloc.h"
#include "machine.h"

enum {
    LEVELS = 4,
    LEVEL_BITS = 9,
    LEVEL_ENTRIES = 1 << LEVEL_BITS,
    PAGE_BITS = 12,
    ENTRY_VALID = 8, // beside the three protection bits
};

static const uint64_t entry_address = ~(uint64_t)(PAGE_SIZE - 1);

static uint64_t *table_at(paddr_t page) {
    return arch_phys_to_virt(page);
}

static unsigned index_at(uint64_t va, unsigned level) { // level 0 holds pages
    return va >> (PAGE_BITS + LEVEL_BITS * level) & (LEVEL_ENTRIES - 1);
}

static uint64_t cpu_bit(const struct host_cpu *cpu) {
    return (uint64_t)1 << (cpu - host.cpu);
}

static void check_user_page(uint64_t va) {
    if (va % PAGE_SIZE != 0 || va < ARCH_USER_BASE || va >= ARCH_USER_TOP) {
        host_breach("%#llx is no page of user space", (unsigned long long)va);
    }
}

static paddr_t table_new(void) {
    paddr_t page = page_alloc_zeroed();
    if (page != 0) {
        host.table_pages++;
    }
    return page;
}

static void table_free(paddr_t page) {
    page_free(page, 0);
    host.table_pages--;
}

status_t arch_space_create(struct arch_space *space) {
    paddr_t root = table_new();
    if (root == 0) {
        return ERR_NO_MEMORY;
    }
    *space = (struct arch_space){.id = ++host.spaces, .root = root};
    return 0;
}

// The way down to the first table that has no table below it.
static unsigned first_leaf(paddr_t root, paddr_t path[LEVELS], unsigned index[LEVELS]) {
    unsigned depth = 0;
    path[0] = root;
    for (unsigned level = LEVELS - 1; level > 0; level--) {
        const uint64_t *table = table_at(path[depth]);
        unsigned i = 0;
        while (i < LEVEL_ENTRIES && table[i] == 0) {
            i++;
        }
        if (i == LEVEL_ENTRIES) {
            break;
        }
        index[depth] = i;
        path[++depth] = table[i] & entry_address;
    }
    return depth;
}

bool arch_space_destroy(struct arch_space *space, unsigned *budget) {
    for (unsigned i = 0; i < host.cpus; i++) {
        if (host.cpu[i].space == space) {
            host_breach("CPU %u is in a space that is destroyed", i);
        }
    }
    while (space->root != 0 && *budget > 0) {
        paddr_t path[LEVELS];
        unsigned index[LEVELS];
        unsigned depth = first_leaf(space->root, path, index);
        if (depth == 0) {
            space->root = 0;
        } else {
            table_at(path[depth - 1])[index[depth - 1]] = 0;
        }
        table_free(path[depth]);
        --*budget;
    }
    return space->root == 0;
}

status_t arch_space_map(struct arch_space *space, uint64_t va, paddr_t page, unsigned protection) {
    check_user_page(va);
    if (page % PAGE_SIZE != 0 || !host_is_memory(page)) {
        host_breach("%#llx is no page of memory", (unsigned long long)page);
    }
    if ((protection & ~7u) != 0 ||
        (protection & (ARCH_PROT_WRITE | ARCH_PROT_EXEC)) == (ARCH_PROT_WRITE | ARCH_PROT_EXEC)) {
        host_breach("protection %u is not allowed", protection);
    }
    uint64_t *table = table_at(space->root);
    for (unsigned level = LEVELS - 1; level > 0; level--) {
        uint64_t *entry = &table[index_at(va, level)];
        if (*entry == 0) {
            paddr_t below = table_new();
            if (below == 0) {
                return ERR_NO_MEMORY;
            }
            *entry = below | ENTRY_VALID;
        }
        table = table_at(*entry & entry_address);
    }
    uint64_t *entry = &table[index_at(va, 0)];
    if (*entry != 0) {
        host_breach("%#llx is mapped already", (unsigned long long)va);
    }
    *entry = page | ENTRY_VALID | protection;
    return 0;
}

static uint64_t *find_entry(const struct arch_space *space, uint64_t va) {
    if (space->root == 0) {
        return nullptr;
    }
    uint64_t *table = table_at(space->root);
    for (unsigned level = LEVELS - 1; level > 0; level--) {
        uint64_t entry = table[index_at(va, level)];
        if (entry == 0) {
            return nullptr;
        }
        table = table_at(entry & entry_address);
    }
    uint64_t *entry = &table[index_at(va, 0)];
    return *entry == 0 ? nullptr : entry;
}

bool arch_space_unmap(struct arch_space *space, uint64_t va) {
    check_user_page(va);
    uint64_t *entry = find_entry(space, va);
    if (entry == nullptr) {
        return false;
    }
    *entry = 0;
    return true;
}

bool arch_space_query(const struct arch_space *space, uint64_t va, paddr_t *page, unsigned *protection) {
    const uint64_t *entry = find_entry(space, va);
    if (entry == nullptr) {
        return false;
    }
    *page = *entry & entry_address;
    *protection = *entry & 7;
    return true;
}

// ---- cached translations
// ---------------------------------------------------------------------------------------------

static void drop(struct host_cpu *cpu, uint64_t space, uint64_t va, uint64_t pages) {
    for (unsigned i = 0; i < HOST_TLB_ENTRIES; i++) {
        struct host_translation *entry = &cpu->tlb[i];
        if (entry->space == space && entry->va >= va && (entry->va - va) / PAGE_SIZE < pages) {
            entry->space = 0;
        }
    }
}

void arch_space_switch(struct arch_space *space) {
    struct host_cpu *self = host.running;
    if (self->space != nullptr) {
        self->space->running &= ~cpu_bit(self);
    }
    self->space = space;
    if (space == nullptr) {
        return;
    }
    if (space->root == 0) {
        host_breach("a space without page tables is switched to");
    }
    if ((space->flush & cpu_bit(self)) != 0) {
        drop(self, space->id, 0, UINT64_MAX);
        space->flush &= ~cpu_bit(self);
    }
    space->running |= cpu_bit(self);
    space->cached |= cpu_bit(self);
}

uint64_t arch_space_stale(struct arch_space *space) {
    space->flush |= space->cached & ~space->running;
    return space->running;
}

void arch_tlb_flush(struct arch_space *space, uint64_t va, uint64_t pages) {
    host.tlb_flushes++;
    drop(host.running, space->id, va, pages);
}

uint64_t host_table_pages(void) {
    return host.table_pages;
}

uint64_t host_tlb_flushes(void) {
    return host.tlb_flushes;
}

static bool holds(const struct host_translation *entry, const struct arch_space *space) {
    paddr_t page;
    unsigned protection;
    return arch_space_query(space, entry->va, &page, &protection) && page == entry->page &&
           (entry->protection & ~protection) == 0;
}

// Only the space that a CPU is in can be followed to its tables; what others have cached was checked while they were
// in, and is checked again when they come back without a flush.
void host_check_translations(void) {
    for (unsigned i = 0; i < host.cpus; i++) {
        struct host_cpu *cpu = &host.cpu[i];
        if (cpu->space == nullptr) {
            continue;
        }
        for (unsigned j = 0; j < HOST_TLB_ENTRIES; j++) {
            if (cpu->tlb[j].space == cpu->space->id && !holds(&cpu->tlb[j], cpu->space)) {
                host_breach("CPU %u still has a translation of %#llx that is no more", i,
                            (unsigned long long)cpu->tlb[j].va);
            }
        }
    }
}

// Where va leads for this access, or null.
static unsigned char *translate(struct host_cpu *self, uint64_t va, unsigned access, bool *present) {
    *present = false;
    struct arch_space *space = self->space;
    if (space == nullptr || va < ARCH_USER_BASE || va >= ARCH_USER_TOP) {
        return nullptr;
    }
    uint64_t page_va = va & entry_address;
    struct host_translation *entry = &self->tlb[(page_va / PAGE_SIZE + space->id) % HOST_TLB_ENTRIES];
    if (entry->space != space->id || entry->va != page_va) {
        paddr_t page;
        unsigned protection;
        if (!arch_space_query(space, page_va, &page, &protection)) {
            return nullptr;
        }
        *entry = (struct host_translation){space->id, page_va, page, protection};
    } else if (host_nobody_inside() && !holds(entry, space)) {
        host_breach("a translation of %#llx is used that is no more", (unsigned long long)va);
    }
    *present = true;
    return (entry->protection & access) == 0 ? nullptr
                                             : (unsigned char *)arch_phys_to_virt(entry->page) + va % PAGE_SIZE;
}

static bool user_copy(struct host_cpu *self, uint64_t va, unsigned char *buffer, size_t length, bool store,
                      struct fault *fault) {
    unsigned access = store ? ARCH_PROT_WRITE : ARCH_PROT_READ;
    while (length > 0) {
        size_t part = PAGE_SIZE - va % PAGE_SIZE;
        part = part < length ? part : length;
        bool present;
        unsigned char *at = translate(self, va, access, &present);
        if (at == nullptr) {
            if (fault != nullptr) {
                *fault = (struct fault){
                    .kind = FAULT_PAGE, .access = access, .present = present, .address = va, .name = "page fault"};
            }
            return false;
        }
        if (store) {
            memcpy(at, buffer, part);
        } else {
            memcpy(buffer, at, part);
        }
        va += part;
        buffer += part;
        length -= part;
    }
    return true;
}

static void check_user_range(uint64_t va, size_t length) {
    if (va >= ARCH_USER_TOP || length > ARCH_USER_TOP - va) {
        host_breach("%zu bytes at %#llx are not in user space", length, (unsigned long long)va);
    }
}

bool arch_user_copy_in(void *to, uint64_t from, size_t length) {
    check_user_range(from, length);
    return user_copy(host.running, from, to, length, false, nullptr);
}

bool arch_user_copy_out(uint64_t to, const void *from, size_t length) {
    check_user_range(to, length);
    return user_copy(host.running, to, (unsigned char *)(uintptr_t)from, length, true, nullptr);
}

bool host_user_access(unsigned cpu, uint64_t va, void *buffer, size_t length, bool store, struct fault *fault) {
    return user_copy(host_cpu_of(cpu), va, buffer, length, store, fault);
}
