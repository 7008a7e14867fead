// Address spaces, memory objects and user copies against a model that knows every mapping and every byte. Objects are
// shared between two spaces; allocations fail at random; the host port checks that no stale translation is ever used.
#include <criterion/criterion.h>
#include <string.h>

#include "abi/abi.h"
#include "host.h"
#include "kernel/alloc_fault.h"
#include "kernel/page_alloc.h"
#include "kernel/pages.h"
#include "kernel/slab.h"
#include "kernel/slice.h"
#include "kernel/space.h"
#include "memory_world.h"
#include "property.h"

enum {
    SPACES = 2,
    OBJECTS = 4,
    SMALL_PAGES = 12,   // of all objects but the last
    LARGE_PAGES = 1300, // of the last: more than one unmap removes at once
    MAPPINGS = 200,
    AREA = 64, // pages of user space that fixed addresses fall into
    COPY_MAX = 3 * PAGE_SIZE,
};

static const uint64_t area = ARCH_USER_BASE + 16 * PAGE_SIZE;

struct model_object {
    struct pages *pages;
    bool held; // the creator's reference
    uint64_t count;
    uint8_t *bytes;
};

struct model_mapping {
    unsigned space, object;
    uint64_t base, size, offset;
    unsigned protection;
};

static struct space space[SPACES];
static unsigned current;
static struct model_object object[OBJECTS];
static struct model_mapping mapping[MAPPINGS];
static unsigned mapping_count;
static uint8_t storage[OBJECTS][LARGE_PAGES * PAGE_SIZE];

// ---- what the model says ---------------------------------------------------------------------------------------------

static struct model_mapping *model_find(unsigned in, uint64_t va) {
    for (unsigned i = 0; i < mapping_count; i++) {
        struct model_mapping *m = &mapping[i];
        if (m->space == in && va >= m->base && va - m->base < m->size) {
            return m;
        }
    }
    return nullptr;
}

// What is on its way out keeps its range, and may still be touched.
static bool unmapping_overlaps(unsigned in, uint64_t base, uint64_t size) {
    for (uint32_t i = 0; i < space[in].mapping_count; i++) {
        const struct mapping *m = space[in].mapping[i];
        if (m->unmapping && m->base < base + size && base < m->base + m->size) {
            return true;
        }
    }
    return false;
}

static bool model_overlaps(unsigned in, uint64_t base, uint64_t size) {
    for (unsigned i = 0; i < mapping_count; i++) {
        const struct model_mapping *m = &mapping[i];
        if (m->space == in && m->base < base + size && base < m->base + m->size) {
            return true;
        }
    }
    return unmapping_overlaps(in, base, size);
}

static unsigned model_mapped(unsigned which, unsigned protection) {
    unsigned count = 0;
    for (unsigned i = 0; i < mapping_count; i++) {
        count += mapping[i].object == which && (mapping[i].protection & protection) == protection;
    }
    for (unsigned in = 0; in < SPACES; in++) {
        for (uint32_t i = 0; i < space[in].mapping_count; i++) {
            const struct mapping *m = space[in].mapping[i];
            count += m->unmapping && m->pages == object[which].pages && (m->protection & protection) == protection;
        }
    }
    return count;
}

static void model_check(struct property *p) {
    for (unsigned in = 0; in < SPACES; in++) {
        uint64_t bytes = 0;
        unsigned count = 0;
        for (uint32_t i = 0; i < space[in].mapping_count; i++) {
            const struct mapping *m = space[in].mapping[i];
            property_check(p, i == 0 || space[in].mapping[i - 1]->base + space[in].mapping[i - 1]->size <= m->base);
            property_check(p, m->base >= ARCH_USER_BASE && m->base + m->size <= ARCH_USER_TOP);
            bytes += m->size;
            count += !m->unmapping;
            property_check(p, space_find(&space[in], m->base) == (m->unmapping ? nullptr : m));
        }
        property_check(p, bytes == space[in].mapped);
        unsigned expected = 0;
        for (unsigned i = 0; i < mapping_count; i++) {
            expected += mapping[i].space == in;
        }
        property_equal(p, count, expected);
    }
    for (unsigned i = 0; i < OBJECTS; i++) {
        const struct pages *pages = object[i].pages;
        if (pages != nullptr) {
            property_equal(p, pages->mapped, model_mapped(i, 0));
            property_equal(p, pages->mapped_writable, model_mapped(i, PROT_WRITE));
            property_equal(p, pages->mapped_executable, model_mapped(i, PROT_EXEC));
            property_equal(p, pages->object.references, object[i].held + model_mapped(i, 0));
            property_check(p, pages->mapped_writable == 0 || pages->mapped_executable == 0);
        }
    }
    host_check_translations();
}

// After a copy that an allocation cut short: take over what the object has.
static void model_resync(unsigned which) {
    for (uint64_t i = 0; i < object[which].count; i++) {
        paddr_t page = pages_get(object[which].pages, i, false);
        if (page != 0) {
            memcpy(object[which].bytes + i * PAGE_SIZE, arch_phys_to_virt(page), PAGE_SIZE);
        }
    }
}

// ---- steps -----------------------------------------------------------------------------------------------------------

static bool armed;

static void arm(struct property *p) {
    armed = property_chance(p, "refuse", 15);
    alloc_fault_arm(armed ? 1 + property_choose(p, "nth", 5) : 0, property_chance(p, "later", 30));
}

// Whether an allocation was refused since.
static bool disarm(void) {
    bool fired = alloc_fault_fired();
    alloc_fault_arm(0, false);
    return fired;
}

static void object_make(struct property *p, unsigned which) {
    uint64_t most = which == OBJECTS - 1 ? LARGE_PAGES : SMALL_PAGES;
    uint64_t size = property_between(p, "size", 1, most * PAGE_SIZE);
    arm(p);
    status_t status = pages_create(size, &object[which].pages);
    if (disarm()) {
        property_equal(p, status, ERR_NO_MEMORY);
        object[which].pages = nullptr;
        return;
    }
    property_equal(p, status, 0);
    object[which].held = true;
    object[which].count = (size + PAGE_SIZE - 1) / PAGE_SIZE;
    property_check(p, object[which].pages->count == object[which].count);
    object[which].bytes = storage[which];
    memset(storage[which], 0, object[which].count * PAGE_SIZE);
}

// Forget objects that nothing holds any more: the core has freed them.
static void objects_sweep(void) {
    for (unsigned i = 0; i < OBJECTS; i++) {
        if (object[i].pages != nullptr && !object[i].held && model_mapped(i, 0) == 0) {
            object[i].pages = nullptr;
        }
    }
}

static void object_drop(unsigned which) {
    object[which].held = false;
    bool last = model_mapped(which, 0) == 0;
    struct pages *pages = object[which].pages;
    if (last) {
        object[which].pages = nullptr;
    }
    object_unref(&pages->object);
}

static status_t map_expected(unsigned in, unsigned which, uint64_t address, uint64_t offset, uint64_t length,
                             unsigned protection) {
    unsigned __int128 end = (unsigned __int128)offset + length;
    unsigned __int128 pages = ((unsigned __int128)length + PAGE_SIZE - 1) / PAGE_SIZE;
    if (address % PAGE_SIZE != 0 || offset % PAGE_SIZE != 0 || length == 0 || end > object[which].count * PAGE_SIZE ||
        protection > 7 || (protection & 6) == 6) {
        return ERR_INVALID;
    }
    if (address != 0 && (address < ARCH_USER_BASE || address + pages * PAGE_SIZE > ARCH_USER_TOP)) {
        return ERR_INVALID;
    }
    if (address != 0 && model_overlaps(in, address, (uint64_t)pages * PAGE_SIZE)) {
        return ERR_EXISTS;
    }
    if (((protection & PROT_WRITE) != 0 && model_mapped(which, PROT_EXEC) > 0) ||
        ((protection & PROT_EXEC) != 0 && model_mapped(which, PROT_WRITE) > 0)) {
        return ERR_BUSY;
    }
    return 0;
}

static uint64_t some_address(struct property *p) {
    switch (property_choose(p, "address kind", 12)) {
    case 0:
        return property_word(p, "address");
    case 1:
        return (ARCH_USER_TOP - PAGE_SIZE * property_choose(p, "below top", 4)) & ~(uint64_t)(PAGE_SIZE - 1);
    case 2:
        return PAGE_SIZE * property_choose(p, "low", ARCH_USER_BASE / PAGE_SIZE + 2);
    default:
        return area + PAGE_SIZE * property_choose(p, "page", AREA);
    }
}

static void step_map(struct property *p) {
    unsigned in = (unsigned)property_choose(p, "space", SPACES);
    unsigned which = (unsigned)property_choose(p, "object", OBJECTS);
    if (object[which].pages == nullptr || !object[which].held || mapping_count == MAPPINGS) {
        return;
    }
    uint64_t address = property_choose(p, "choose", 3) == 0 ? 0 : some_address(p);
    uint64_t offset = property_choose(p, "offset kind", 8) == 1
                          ? property_word(p, "offset")
                          : PAGE_SIZE * property_choose(p, "offset", object[which].count + 1);
    uint64_t left = offset < object[which].count * PAGE_SIZE ? object[which].count * PAGE_SIZE - offset : 1;
    uint64_t length =
        property_choose(p, "length kind", 8) == 1 ? property_word(p, "length") : 1 + property_choose(p, "length", left);
    static const unsigned protections[] = {
        PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_EXEC, 0, PROT_WRITE, PROT_EXEC, PROT_WRITE | PROT_EXEC, 8};
    unsigned protection = protections[property_choose(p, "protection", 8)];
    status_t expected = map_expected(in, which, address, offset, length, protection);
    uint64_t at = address;
    arm(p);
    status_t status = space_map(&space[in], object[which].pages, &at, offset, length, protection);
    if (disarm() && status == ERR_NO_MEMORY) {
        return;
    }
    property_note(p, "map space %u object %u at %#llx: %d\n", in, which, (unsigned long long)at, status);
    property_equal(p, status, expected);
    if (status != 0) {
        return;
    }
    uint64_t size = (length + PAGE_SIZE - 1) / PAGE_SIZE * PAGE_SIZE;
    if (address == 0) { // chosen: free, and so are the pages around it
        uint64_t guarded = at - PAGE_SIZE;
        property_check(p, at % PAGE_SIZE == 0 && guarded >= ARCH_USER_BASE && at + size + PAGE_SIZE <= ARCH_USER_TOP);
        property_check(p, !model_overlaps(in, guarded, size + 2 * PAGE_SIZE));
    } else {
        property_check(p, at == address);
    }
    mapping[mapping_count++] = (struct model_mapping){in, which, at, size, offset, protection | PROT_READ};
}

static void step_unmap(struct property *p) {
    if (mapping_count > 0 && property_choose(p, "at random", 5) != 1) {
        unsigned i = (unsigned)property_choose(p, "mapping", mapping_count);
        struct model_mapping gone = mapping[i];
        mapping[i] = mapping[--mapping_count];
        property_equal(p, space_unmap(&space[gone.space], gone.base), 0);
        property_check(p, space_find(&space[gone.space], gone.base) == nullptr);
        property_equal(p, space_fault(&space[gone.space], gone.base, PROT_READ), ERR_FAULT);
        objects_sweep();
        return;
    }
    unsigned in = (unsigned)property_choose(p, "space", SPACES);
    uint64_t address = some_address(p);
    const struct model_mapping *m = model_find(in, address);
    if (m == nullptr || m->base != address) {
        property_equal(p, space_unmap(&space[in], address), ERR_INVALID);
    }
}

static uint64_t some_user_address(struct property *p) {
    if (mapping_count == 0 || property_choose(p, "anywhere", 6) == 1) {
        return some_address(p);
    }
    const struct model_mapping *m = &mapping[property_choose(p, "mapping", mapping_count)];
    return m->base + property_choose(p, "in it", m->size);
}

static void step_fault(struct property *p) {
    unsigned in = (unsigned)property_choose(p, "space", SPACES);
    uint64_t va = some_user_address(p);
    unsigned access = 1u << property_choose(p, "access", 3);
    const struct model_mapping *m = model_find(in, va);
    status_t expected = m != nullptr && (m->protection & access) != 0 ? 0 : ERR_FAULT;
    arm(p);
    status_t status = space_fault(&space[in], va, access);
    if (disarm() && status == ERR_NO_MEMORY) {
        return;
    }
    property_equal(p, status, expected);
    if (status == 0) {
        paddr_t page;
        unsigned protection;
        property_check(p, arch_space_query(&space[in].arch, va & ~(uint64_t)(PAGE_SIZE - 1), &page, &protection));
        property_check(p, protection == m->protection);
        property_check(p, page == pages_get(object[m->object].pages, (m->offset + va - m->base) / PAGE_SIZE, false));
    }
}

// Bytes from va on that are mapped for this access.
static uint64_t accessible(uint64_t va, uint64_t length, unsigned access) {
    uint64_t done = 0;
    while (done < length) {
        const struct model_mapping *m = model_find(current, va + done);
        if (m == nullptr || (m->protection & access) == 0) {
            break;
        }
        uint64_t part = m->base + m->size - (va + done);
        done += part < length - done ? part : length - done;
    }
    return done;
}

static uint8_t buffer[COPY_MAX];

static void step_copy(struct property *p) {
    bool out = property_choose(p, "out", 2) == 1;
    uint64_t va = some_user_address(p);
    uint64_t length =
        property_choose(p, "long", 20) == 1 ? property_word(p, "length") : property_choose(p, "bytes", COPY_MAX + 1);
    if (length > COPY_MAX && va < ARCH_USER_TOP && length <= ARCH_USER_TOP - va) {
        length = COPY_MAX; // longer ones must be refused before anything moves
    }
    if (length <= COPY_MAX && unmapping_overlaps(current, va, length)) {
        return;
    }
    uint64_t fits = length > COPY_MAX ? 0 : accessible(va, length, out ? PROT_WRITE : PROT_READ);
    memset(buffer, (int)property_choose(p, "byte", 256), sizeof buffer);
    arm(p);
    user_ptr_t user = {va};
    status_t status = out ? user_copy_out(user, buffer, length) : user_copy_in(buffer, user, length);
    bool refused = disarm() && status == ERR_NO_MEMORY;
    if (refused) {
        for (unsigned i = 0; i < OBJECTS && out; i++) {
            if (object[i].pages != nullptr) {
                model_resync(i);
            }
        }
        return;
    }
    property_equal(p, status, fits == length ? 0 : ERR_FAULT);
    if (va >= ARCH_USER_TOP || length > ARCH_USER_TOP - va) {
        return; // refused before anything moved
    }
    // Whole pages in front of the first that is missing were copied.
    uint64_t bad = (va + fits) & ~(uint64_t)(PAGE_SIZE - 1);
    uint64_t copied = fits == length ? length : bad > va ? bad - va : 0;
    for (uint64_t i = 0; i < copied;) {
        const struct model_mapping *m = model_find(current, va + i);
        uint64_t in_page = PAGE_SIZE - (va + i) % PAGE_SIZE;
        uint64_t part = in_page < copied - i ? in_page : copied - i;
        uint8_t *bytes = object[m->object].bytes + m->offset + (va + i - m->base);
        if (out) {
            memcpy(bytes, buffer + i, part);
        } else {
            property_check(p, memcmp(bytes, buffer + i, part) == 0);
        }
        i += part;
    }
}

// Through the object instead of a mapping.
static void step_file(struct property *p) {
    unsigned which = (unsigned)property_choose(p, "object", OBJECTS);
    if (object[which].pages == nullptr) {
        return;
    }
    uint64_t size = object[which].count * PAGE_SIZE;
    uint64_t offset = property_choose(p, "offset", size);
    uint64_t most = size - offset < COPY_MAX ? size - offset : COPY_MAX;
    uint64_t length = property_choose(p, "bytes", most + 1);
    memset(buffer, (int)property_choose(p, "byte", 256), sizeof buffer);
    arm(p);
    status_t status = pages_fill(object[which].pages, buffer, offset, length);
    if (disarm()) {
        property_equal(p, status, ERR_NO_MEMORY);
        model_resync(which);
        return;
    }
    property_equal(p, status, 0);
    memcpy(object[which].bytes + offset, buffer, length);
}

static void step_touch_all(struct property *p) {
    if (mapping_count == 0) {
        return;
    }
    const struct model_mapping *m = &mapping[property_choose(p, "mapping", mapping_count)];
    for (uint64_t va = m->base; va < m->base + m->size; va += PAGE_SIZE) {
        property_equal(p, space_fault(&space[m->space], va, PROT_READ), 0);
    }
}

static void space_leave(struct property *p, unsigned in) {
    world_enter(nullptr);
    for (;;) {
        unsigned budget = 1 + (unsigned)property_choose(p, "budget", 40);
        if (space_destroy(&space[in], &budget)) {
            break;
        }
        property_check(p, budget == 0);
        if (property_chance(p, "slice", 20)) {
            slice_run(SLICE_BUDGET);
        }
    }
    for (unsigned i = 0; i < mapping_count;) {
        if (mapping[i].space == in) {
            mapping[i] = mapping[--mapping_count];
        } else {
            i++;
        }
    }
    objects_sweep();
}

static void step_renew(struct property *p) {
    unsigned in = (unsigned)property_choose(p, "space", SPACES);
    space_leave(p, in);
    property_equal(p, space_create(&space[in]), 0);
    world_enter(&space[current].arch);
}

static void step(struct property *p) {
    unsigned which;
    switch (property_choose(p, "step", 20)) {
    case 0:
        which = (unsigned)property_choose(p, "object", OBJECTS);
        if (object[which].pages == nullptr) {
            object_make(p, which);
        } else if (object[which].held && property_choose(p, "drop", 3) == 1) {
            object_drop(which);
        }
        break;
    case 1 ... 5:
        step_map(p);
        break;
    case 6 ... 7:
        step_unmap(p);
        break;
    case 8 ... 9:
        step_fault(p);
        break;
    case 10 ... 15:
        step_copy(p);
        break;
    case 16:
        current = (unsigned)property_choose(p, "space", SPACES);
        world_enter(&space[current].arch);
        break;
    case 17:
        step_touch_all(p);
        break;
    case 18:
        if (property_choose(p, "renew", 4) == 1) {
            step_renew(p);
        } else {
            step_file(p);
        }
        break;
    default:
        slice_run((unsigned)property_choose(p, "budget", 100));
        objects_sweep();
    }
}

static void spaces_keep_to_the_model(struct property *p) {
    world_begin(32 << 20);
    memset(object, 0, sizeof object);
    mapping_count = 0;
    current = 0;
    for (unsigned i = 0; i < SPACES; i++) {
        property_equal(p, space_create(&space[i]), 0);
    }
    world_enter(&space[0].arch);
    for (unsigned i = 0; i < OBJECTS; i++) {
        object_make(p, i);
    }
    while (property_more(p, 120)) {
        step(p);
        model_check(p);
    }
    for (unsigned i = 0; i < SPACES; i++) {
        space_leave(p, i);
    }
    for (unsigned i = 0; i < OBJECTS; i++) {
        if (object[i].pages != nullptr) {
            object_drop(i);
        }
    }
    world_finish_slices();
    property_equal(p, world_objects_taken(), 0);
    property_equal(p, world_pages_taken(), 0);
    property_equal(p, host_table_pages(), 0);
}

Test(space, keeps_to_the_model) {
    cr_assert(property_run("space", 400, spaces_keep_to_the_model));
}

// ---- the n-th allocation fails, for every n --------------------------------------------------------------------------

// Everything a space can need memory for: objects, a table of mappings that grows, pages, page tables. Stops at the first
// refusal.
static status_t scenario(struct pages *made[2]) {
    status_t status = pages_create(20 * PAGE_SIZE, &made[0]);
    if (status == 0) {
        status = pages_create(PAGES_MAX, &made[1]);
    }
    uint64_t at = 0;
    for (unsigned i = 0; status == 0 && i < 20; i++) {
        at = i % 2 == 0 ? 0 : area + i * (uint64_t)PAGES_MAX;
        status = space_map(&space[0], made[0], &at, i * PAGE_SIZE, PAGE_SIZE, PROT_READ | PROT_WRITE);
        if (status == 0) {
            status = user_copy_out((user_ptr_t){at + 1}, "abc", 3);
        }
    }
    if (status == 0) {
        status = space_map(&space[0], made[1], &(uint64_t){area}, 0, PAGES_MAX / 2, PROT_READ | PROT_WRITE);
    }
    if (status == 0) {
        status = user_copy_out((user_ptr_t){area + PAGES_MAX / 2 - PAGE_SIZE - 8}, storage[0], 16);
    }
    if (status == 0) {
        status = pages_fill(made[1], storage[0], PAGES_MAX - 3 * PAGE_SIZE / 2, PAGE_SIZE);
    }
    if (status == 0) {
        status = space_unmap(&space[0], at);
    }
    return status;
}

static void scenario_end(struct pages *made[2]) {
    world_enter(nullptr);
    for (unsigned budget = 7; !space_destroy(&space[0], &budget); budget = 7) {
    }
    for (unsigned i = 0; i < 2; i++) {
        if (made[i] != nullptr) {
            object_unref(&made[i]->object);
        }
    }
    world_finish_slices();
}

Test(space, every_refused_allocation_is_answered_and_leaves_nothing_behind) {
    for (unsigned later = 0; later < 2; later++) {
        bool fired = true;
        for (uint64_t nth = 1; fired; nth++) {
            world_begin(4 << 20);
            struct pages *made[2] = {};
            alloc_fault_arm(nth, later == 1);
            status_t status = space_create(&space[0]);
            bool created = status == 0;
            if (created) {
                world_enter(&space[0].arch);
                status = scenario(made);
            }
            fired = alloc_fault_fired();
            alloc_fault_arm(0, false);
            cr_assert_eq(status, fired ? ERR_NO_MEMORY : 0, "allocation %llu: %d", (unsigned long long)nth, status);
            if (created) {
                scenario_end(made);
            }
            cr_assert_eq(world_objects_taken(), 0, "allocation %llu", (unsigned long long)nth);
            cr_assert_eq(world_pages_taken(), 0, "allocation %llu", (unsigned long long)nth);
            cr_assert(fired || nth > 60, "%llu", (unsigned long long)nth); // it did need that many
        }
    }
}

// ---- large mappings --------------------------------------------------------------------------------------------------

Test(space, large_unmap_goes_in_steps_and_keeps_its_range_and_its_claim) {
    world_begin(32 << 20);
    cr_assert_eq(space_create(&space[0]), 0);
    world_enter(&space[0].arch);
    struct pages *pages;
    uint64_t size = LARGE_PAGES * PAGE_SIZE, at = area, again = area;
    cr_assert_eq(pages_create(size, &pages), 0);
    cr_assert_eq(space_map(&space[0], pages, &at, 0, size, PROT_READ | PROT_WRITE), 0);
    for (uint64_t offset = 0; offset < size; offset += PAGE_SIZE) {
        cr_assert_eq(user_copy_out((user_ptr_t){at + offset}, "x", 1), 0);
    }
    cr_assert_eq(space_unmap(&space[0], at), 0);
    cr_assert(slice_pending());
    cr_assert_eq(space_unmap(&space[0], at), ERR_INVALID);
    cr_assert_eq(space_fault(&space[0], at, PROT_READ), ERR_FAULT);
    cr_assert_eq(space_map(&space[0], pages, &again, 0, PAGE_SIZE, PROT_READ), ERR_EXISTS);
    // It may still be written through what is left: so it must not be mapped executable.
    again = 0;
    cr_assert_eq(space_map(&space[0], pages, &again, 0, PAGE_SIZE, PROT_EXEC), ERR_BUSY);
    cr_assert_eq(user_copy_out((user_ptr_t){at}, "x", 1), ERR_FAULT);
    world_finish_slices();
    cr_assert_eq(space[0].resident, 0);
    cr_assert_eq(user_copy_out((user_ptr_t){at + size - 1}, "x", 1), ERR_FAULT);
    cr_assert_eq(space_map(&space[0], pages, &at, 0, PAGE_SIZE, PROT_EXEC), 0);
    cr_assert_eq(pages_write(pages, (user_ptr_t){at}, 0, 1), ERR_BUSY);
    struct pages *made[2] = {pages};
    scenario_end(made);
    cr_assert_eq(world_pages_taken(), 0);
}

Test(space, holds_as_many_mappings_as_the_abi_says) {
    world_begin(4 << 20);
    cr_assert_eq(space_create(&space[0]), 0);
    world_enter(&space[0].arch);
    struct pages *made[2] = {};
    cr_assert_eq(pages_create(PAGE_SIZE, &made[0]), 0);
    for (unsigned i = 0; i < MAPPINGS_MAX; i++) {
        cr_assert_eq(space_map(&space[0], made[0], &(uint64_t){0}, 0, 1, PROT_READ), 0);
    }
    cr_assert_eq(space_map(&space[0], made[0], &(uint64_t){0}, 0, 1, PROT_READ), ERR_LIMIT);
    cr_assert_eq(made[0]->mapped, MAPPINGS_MAX);
    scenario_end(made);
    cr_assert_eq(world_objects_taken(), 0);
}

// ---- user addresses --------------------------------------------------------------------------------------------------

Test(user_ptr, ranges_that_leave_user_space_are_refused_before_anything_moves) {
    world_begin(4 << 20);
    cr_assert_eq(space_create(&space[0]), 0);
    world_enter(&space[0].arch);
    struct pages *made[2] = {};
    uint64_t last = ARCH_USER_TOP - PAGE_SIZE;
    cr_assert_eq(pages_create(PAGE_SIZE, &made[0]), 0);
    cr_assert_eq(space_map(&space[0], made[0], &last, 0, PAGE_SIZE, PROT_READ | PROT_WRITE), 0);
    cr_assert_eq(user_copy_out((user_ptr_t){ARCH_USER_TOP - 4}, "abcd", 4), 0);
    cr_assert_eq(user_copy_out((user_ptr_t){ARCH_USER_TOP - 4}, "wxyz!", 5), ERR_FAULT);
    char got[4];
    cr_assert_eq(user_copy_in(got, (user_ptr_t){ARCH_USER_TOP - 4}, 4), 0);
    cr_assert(memcmp(got, "abcd", 4) == 0);
    static const uint64_t bad[] = {0,          1,  ARCH_USER_BASE - 1, ARCH_USER_TOP, ARCH_USER_TOP + 1, INT64_MAX,
                                   UINT64_MAX, -1, UINT64_MAX - 3,     1ull << 63};
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_assert_eq(user_copy_in(got, (user_ptr_t){bad[i]}, 4), ERR_FAULT);
        cr_assert_eq(user_copy_out((user_ptr_t){bad[i]}, got, 4), ERR_FAULT);
        cr_assert_eq(user_copy_in(got, (user_ptr_t){bad[i]}, UINT64_MAX), ERR_FAULT);
        cr_assert_eq(user_copy_in(got, (user_ptr_t){bad[i]}, -bad[i]), bad[i] == 0 ? 0 : ERR_FAULT);
        cr_assert_eq(user_copy_out((user_ptr_t){bad[i]}, got, 0), 0); // no byte, no fault
    }
    scenario_end(made);
}
