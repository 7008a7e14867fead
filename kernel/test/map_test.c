// The calls pages_create, map and unmap, and what holds between processes that share memory: W^X over every way to the
// bytes, nothing left of the dead, no translation that outlives its mapping.
#include <criterion/criterion.h>
#include <string.h>

#include "abi/abi.h"
#include "kernel/pages.h"
#include "kernel/process.h"
#include "kernel/space.h"
#include "kernel/thread.h"
#include "machine.h"
#include "property.h"

enum { MAP_AT = 0x10000000 };

static struct user *init;

static void boot(void) {
    machine_boot(&(struct machine_options){});
    init = machine_init();
}

static int64_t pages_new(struct user *self, uint64_t size) {
    return CALL(self, PAGES_CREATE, size);
}

static int64_t map(struct user *self, uint64_t process, uint64_t object, uint64_t address, uint64_t offset,
                   uint64_t length, uint64_t protection) {
    return CALL(self, MAP, process, object, address, offset, length, protection);
}

static int64_t unmap(struct user *self, uint64_t process, uint64_t address) {
    return CALL(self, UNMAP, process, address);
}

// ---- refusals --------------------------------------------------------------------------------------------------------

Test(map, pages_create_refuses) {
    boot();
    cr_assert_eq(pages_new(init, 0), ERR_INVALID);
    cr_assert_eq(pages_new(init, (uint64_t)PAGES_MAX + 1), ERR_INVALID);
    cr_assert_eq(pages_new(init, UINT64_MAX), ERR_INVALID);
    cr_assert_gt(pages_new(init, PAGES_MAX), 0);
    cr_assert_gt(pages_new(init, 1), 0);
}

Test(map, map_refuses_arguments_outside_their_range) {
    boot();
    int64_t pages = pages_new(init, 4 * PAGE_SIZE);
    static const struct {
        uint64_t address, offset, length, protection;
    } bad[] = {
        {MAP_AT + 1, 0, PAGE_SIZE, PROT_READ},
        {MAP_AT, 8, PAGE_SIZE, PROT_READ},
        {MAP_AT, 0, 0, PROT_READ},
        {MAP_AT, 0, PAGE_SIZE, PROT_WRITE | PROT_EXEC},
        {MAP_AT, 0, PAGE_SIZE, 8},
        {MAP_AT, 0, PAGE_SIZE, (uint64_t)PROT_READ << 32},
        {MAP_AT, 0, 4 * PAGE_SIZE + 1, PROT_READ},
        {MAP_AT, PAGE_SIZE, 4 * PAGE_SIZE, PROT_READ},
        {MAP_AT, 4 * PAGE_SIZE, PAGE_SIZE, PROT_READ},
        {MAP_AT, 0, UINT64_MAX, PROT_READ},
        {MAP_AT, PAGE_SIZE, UINT64_MAX - PAGE_SIZE + 1, PROT_READ},
        {MAP_AT, -(uint64_t)PAGE_SIZE, 2 * PAGE_SIZE, PROT_READ},
        {PAGE_SIZE, 0, PAGE_SIZE, PROT_READ},
        {ARCH_USER_BASE - PAGE_SIZE, 0, PAGE_SIZE, PROT_READ},
        {ARCH_USER_TOP - PAGE_SIZE, 0, 2 * PAGE_SIZE, PROT_READ},
        {ARCH_USER_TOP, 0, PAGE_SIZE, PROT_READ},
        {-(uint64_t)PAGE_SIZE, 0, 2 * PAGE_SIZE, PROT_READ},
    };
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_assert_eq(map(init, init->own, pages, bad[i].address, bad[i].offset, bad[i].length, bad[i].protection),
                     ERR_INVALID, "%u", i);
    }
    cr_assert_eq(map(init, init->own, pages, 0, 0, 0, PROT_READ), ERR_INVALID);
    cr_assert_eq(map(init, init->own, pages, 0, UINT64_MAX & ~(uint64_t)4095, PAGE_SIZE, PROT_READ), ERR_INVALID);
}

Test(map, map_refuses_handles) {
    boot();
    int64_t pages = pages_new(init, PAGE_SIZE);
    int64_t channel = user_channel(init, 0, nullptr, nullptr);
    int64_t file = user_open(init, init->root, "tmp/f", OPEN_READ | OPEN_WRITE | OPEN_CREATE, 0600);
    cr_assert_eq(user_write(init, (handle_t)file, "abc", 3, 0), 3);
    cr_assert_eq(map(init, 0, pages, 0, 0, PAGE_SIZE, PROT_READ), ERR_BAD_HANDLE);
    cr_assert_eq(map(init, init->own, 0, 0, 0, PAGE_SIZE, PROT_READ), ERR_BAD_HANDLE);
    cr_assert_eq(map(init, pages, pages, 0, 0, PAGE_SIZE, PROT_READ), ERR_WRONG_KIND);
    cr_assert_eq(map(init, init->own, init->own, 0, 0, PAGE_SIZE, PROT_READ), ERR_WRONG_KIND);
    cr_assert_eq(map(init, init->own, channel, 0, 0, PAGE_SIZE, PROT_READ), ERR_WRONG_KIND);
    cr_assert_eq(map(init, init->own, init->root, 0, 0, PAGE_SIZE, PROT_READ), ERR_WRONG_KIND);

    int64_t process = CALL(init, DUP, init->own, RIGHTS_ALL & ~(unsigned)RIGHT_MAP);
    cr_assert_eq(map(init, process, pages, 0, 0, PAGE_SIZE, PROT_READ), ERR_RIGHTS);
    cr_assert_eq(unmap(init, process, MAP_AT), ERR_RIGHTS);
    static const struct {
        unsigned rights, protection;
        int64_t status;
    } of_pages[] = {
        {RIGHT_READ, PROT_READ, ERR_RIGHTS},
        {RIGHT_MAP, PROT_READ, ERR_RIGHTS},
        {RIGHT_READ | RIGHT_MAP, PROT_READ, 0},
        {RIGHT_READ | RIGHT_MAP, PROT_WRITE, ERR_RIGHTS},
        {RIGHT_READ | RIGHT_MAP, PROT_EXEC, ERR_RIGHTS},
        {RIGHT_READ | RIGHT_MAP | RIGHT_WRITE, PROT_EXEC, ERR_RIGHTS},
        {RIGHT_READ | RIGHT_MAP | RIGHT_WRITE, PROT_WRITE, 0},
    };
    for (unsigned i = 0; i < sizeof of_pages / sizeof of_pages[0]; i++) {
        int64_t less = CALL(init, DUP, pages, of_pages[i].rights | RIGHT_GRANT);
        cr_assert_gt(less, 0);
        cr_assert_eq(map(init, init->own, less, 0, 0, PAGE_SIZE, of_pages[i].protection), of_pages[i].status, "%u", i);
    }
    cr_assert_eq(map(init, init->own, file, 0, 0, PAGE_SIZE, PROT_EXEC), ERR_RIGHTS);
    cr_assert_eq(map(init, init->own, file, 0, 0, PAGE_SIZE, PROT_WRITE), 0);
    int64_t reader = user_open(init, init->root, "tmp/f", OPEN_READ, 0);
    cr_assert_eq(map(init, init->own, reader, 0, 0, PAGE_SIZE, PROT_WRITE), ERR_RIGHTS);
}

Test(map, ranges_are_taken_once_and_leave_whole) {
    boot();
    int64_t pages = pages_new(init, 4 * PAGE_SIZE);
    cr_assert_eq(map(init, init->own, pages, MAP_AT, 0, 3 * PAGE_SIZE, PROT_READ), 0);
    cr_assert_eq(init->word[0], MAP_AT);
    for (int page = -1; page <= 3; page++) {
        uint64_t at = MAP_AT + (uint64_t)(page * PAGE_SIZE);
        cr_assert_eq(map(init, init->own, pages, at, 0, 4 * PAGE_SIZE, PROT_READ), page == 3 ? 0 : ERR_EXISTS);
    }
    cr_assert_eq(unmap(init, init->own, MAP_AT + PAGE_SIZE), ERR_INVALID);
    cr_assert_eq(unmap(init, init->own, MAP_AT + 1), ERR_INVALID);
    cr_assert_eq(unmap(init, init->own, MAP_AT), 0);
    cr_assert_eq(unmap(init, init->own, MAP_AT), ERR_INVALID);
    cr_assert_eq(map(init, init->own, pages, MAP_AT, 0, 3 * PAGE_SIZE, PROT_READ), 0);
}

Test(map, of_a_process_that_has_ended_is_refused) {
    boot();
    int64_t pages = pages_new(init, PAGE_SIZE);
    struct user *child = machine_spawn(init, "child", nullptr, nullptr, PRIORITY_DEFAULT);
    cr_assert_eq(map(init, child->process, pages, MAP_AT, 0, PAGE_SIZE, PROT_READ), 0);
    cr_assert_eq(CALL(init, KILL, child->process, 1), 0);
    cr_assert_eq(map(init, child->process, pages, 0, 0, PAGE_SIZE, PROT_READ), ERR_DEAD);
    cr_assert_eq(unmap(init, child->process, MAP_AT), ERR_DEAD);
    machine_settle();
    cr_assert_eq(unmap(init, child->process, MAP_AT), ERR_DEAD);
}

Test(map, there_are_as_many_mappings_as_the_abi_says) {
    boot();
    int64_t pages = pages_new(init, PAGE_SIZE);
    unsigned count = init->thread->process->space.mapping_count;
    for (; count < MAPPINGS_MAX; count++) {
        cr_assert_eq(map(init, init->own, pages, 0, 0, 1, PROT_READ), 0);
    }
    cr_assert_eq(map(init, init->own, pages, 0, 0, 1, PROT_READ), ERR_LIMIT);
    cr_assert_eq(unmap(init, init->own, init->word[0]), ERR_INVALID); // word 0 is zero after a refusal
}

// ---- W^X -------------------------------------------------------------------------------------------------------------

// object is mapped executable by one process: nobody writes it in any way. Mapped writable: nobody executes it.
static void check_exclusive(struct user *a, struct user *b, handle_t in_a, handle_t in_b) {
    cr_assert_eq(map(a, a->own, in_a, MAP_AT, 0, PAGE_SIZE, PROT_EXEC), 0);
    cr_assert_eq(map(a, a->own, in_a, 0, 0, PAGE_SIZE, PROT_WRITE), ERR_BUSY);
    cr_assert_eq(map(b, b->own, in_b, 0, 0, PAGE_SIZE, PROT_WRITE), ERR_BUSY);
    cr_assert_eq(map(b, b->own, in_b, MAP_AT, 0, PAGE_SIZE, PROT_EXEC), 0);
    cr_assert_eq(user_write(b, in_b, "evil", 4, 0), ERR_BUSY);
    cr_assert_eq(user_write(a, in_a, "evil", 4, 0), ERR_BUSY);
    // The kernel writes for a user only what the user could: reading into the mapping is refused.
    cr_assert_eq(CALL(a, READ, in_a, MAP_AT, 4, 0), ERR_FAULT);
    cr_assert_eq(CALL(a, PROCESS_INFO, a->own, MAP_AT), ERR_FAULT);
    cr_assert_eq(unmap(a, a->own, MAP_AT), 0);
    cr_assert_eq(user_write(a, in_a, "evil", 4, 0), ERR_BUSY); // b still has it
    cr_assert_eq(map(a, a->own, in_a, 0, 0, PAGE_SIZE, PROT_WRITE), ERR_BUSY);
    cr_assert_eq(unmap(b, b->own, MAP_AT), 0);
    cr_assert_eq(map(a, a->own, in_a, MAP_AT, 0, PAGE_SIZE, PROT_WRITE), 0);
    cr_assert_eq(map(b, b->own, in_b, 0, 0, PAGE_SIZE, PROT_EXEC), ERR_BUSY);
    cr_assert_eq(user_write(b, in_b, "fine", 4, 0), 4);
}

Test(map, what_is_executable_somewhere_is_written_nowhere) {
    boot();
    struct user *other = machine_spawn(init, "other", nullptr, nullptr, PRIORITY_DEFAULT);
    int64_t pages = pages_new(init, PAGE_SIZE);
    int64_t given = CALL(init, GIVE, other->process, pages, RIGHTS_ALL & ~(unsigned)(RIGHT_WATCH | RIGHT_CALL));
    cr_assert_gt(given, 0, "%lld", (long long)given);
    check_exclusive(init, other, (handle_t)pages, (handle_t)given);

    int64_t file = user_open(init, init->root, "tmp/prog", OPEN_READ | OPEN_WRITE | OPEN_CREATE, 0777);
    cr_assert_eq(user_write(init, (handle_t)file, "code", 4, 0), 4);
    unsigned flags = OPEN_READ | OPEN_WRITE | OPEN_EXEC;
    int64_t in_a = user_open(init, init->root, "tmp/prog", flags, 0);
    int64_t in_b = user_open(other, other->root, "tmp/prog", flags, 0);
    cr_assert(in_a > 0 && in_b > 0, "%lld %lld", (long long)in_a, (long long)in_b);
    cr_assert_eq(unmap(init, init->own, MAP_AT), 0);
    check_exclusive(init, other, (handle_t)in_a, (handle_t)in_b);
    // Mapped at all, a file is not cut.
    cr_assert_eq(user_open(other, other->root, "tmp/prog", OPEN_WRITE | OPEN_TRUNCATE, 0), ERR_BUSY);
}

Test(map, death_ends_what_a_mapping_forbade) {
    boot();
    struct user *other = machine_spawn(init, "other", nullptr, nullptr, PRIORITY_DEFAULT);
    int64_t pages = pages_new(init, PAGE_SIZE);
    cr_assert_eq(map(init, other->process, pages, MAP_AT, 0, PAGE_SIZE, PROT_EXEC), 0);
    cr_assert_eq(map(init, init->own, pages, MAP_AT, 0, PAGE_SIZE, PROT_WRITE), ERR_BUSY);
    cr_assert_eq(CALL(init, KILL, other->process, 0), 0);
    machine_settle();
    while (slice_pending()) { // it is taken apart share by share, and shares come with time
        machine_run(host_time() + 100000);
    }
    cr_assert_eq(map(init, init->own, pages, MAP_AT, 0, PAGE_SIZE, PROT_WRITE), 0);
}

Test(map, a_file_is_mapped_no_further_than_it_goes) {
    boot();
    int64_t file = user_open(init, init->root, "tmp/f", OPEN_READ | OPEN_WRITE | OPEN_CREATE, 0600);
    cr_assert_eq(map(init, init->own, file, 0, 0, PAGE_SIZE, PROT_READ), ERR_INVALID);
    cr_assert_eq(user_write(init, (handle_t)file, "x", 1, PAGE_SIZE), 1);
    cr_assert_eq(map(init, init->own, file, 0, 0, 3 * PAGE_SIZE, PROT_READ), ERR_INVALID);
    cr_assert_eq(map(init, init->own, file, 0, 2 * PAGE_SIZE, PAGE_SIZE, PROT_READ), ERR_INVALID);
    cr_assert_eq(map(init, init->own, file, MAP_AT, 0, 2 * PAGE_SIZE, PROT_READ), 0);
    char byte;
    cr_assert(user_load(init, &byte, MAP_AT + PAGE_SIZE, 1));
    cr_assert_eq(byte, 'x');
    cr_assert_eq(user_write(init, (handle_t)file, "y", 1, PAGE_SIZE), 1);
    cr_assert(user_load(init, &byte, MAP_AT + PAGE_SIZE, 1));
    cr_assert_eq(byte, 'y');
}

// ---- memory objects by calls -----------------------------------------------------------------------------------------

Test(map, memory_objects_are_read_and_written_within_their_size) {
    boot();
    int64_t pages = pages_new(init, PAGE_SIZE + 1);
    char text[8] = {};
    cr_assert_eq(user_write(init, (handle_t)pages, "abcd", 4, 2 * PAGE_SIZE - 2), 2);
    cr_assert_eq(user_read(init, (handle_t)pages, text, 8, 2 * PAGE_SIZE - 4), 4);
    cr_assert(memcmp(text, "\0\0ab", 4) == 0);
    cr_assert_eq(user_read(init, (handle_t)pages, text, 8, 2 * PAGE_SIZE), 0);
    cr_assert_eq(user_read(init, (handle_t)pages, text, 8, UINT64_MAX - 1), 0);
    cr_assert_eq(user_write(init, (handle_t)pages, "abcd", 4, 2 * PAGE_SIZE), ERR_INVALID);
    cr_assert_eq(user_write(init, (handle_t)pages, "abcd", 4, UINT64_MAX - 2), ERR_INVALID);
    cr_assert_eq(user_write(init, (handle_t)pages, "abcd", 4, OFFSET_CURRENT), ERR_INVALID);
    cr_assert_eq(user_read(init, (handle_t)pages, text, 8, OFFSET_CURRENT), ERR_INVALID);
    cr_assert_eq(CALL(init, READ, pages, 8, 4, 0), ERR_FAULT);
    cr_assert_eq(CALL(init, WRITE, pages, UINT64_MAX - 1, 4, 0), ERR_FAULT);
}

// Every CPU may be with a thread that does nothing: then the rest of a teardown waits for the timer.
static void wait_for_end(struct property *p, handle_t process) {
    int64_t status = user_wait_one(init, process, EVENT_EXITED, FOREVER);
    if (status == USER_PARKED) {
        machine_run(host_time() + 1000000000);
        property_check(p, user_answered(init));
        status = init->status;
    }
    property_equal(p, status, 0);
}

// ---- several CPUs ----------------------------------------------------------------------------------------------------

// Threads of one process on several CPUs touch a page that one of them maps and unmaps. A touch sees the mapping of that
// time or ends the thread; the port aborts on any translation that is used after its end.
static uint64_t shared_pages;
static bool ready; // the toucher's mapping is there

static void toucher(struct user *self) {
    for (;;) {
        char byte = 1;
        user_load(self, &byte, MAP_AT, 1); // ends the thread and so the process when it comes too late
        user_store(self, MAP_AT + PAGE_SIZE, &byte, 1);
    }
}

static void mapper(struct user *self) {
    while (!ready) {
        user_work(self, 1000);
    }
    for (unsigned i = 0; i < 6; i++) {
        user_work(self, 1000);
        CALL(self, MAP, self->own, shared_pages, MAP_AT + 0x100000, 0, 2 * PAGE_SIZE, PROT_WRITE);
        char byte = 2;
        user_store(self, MAP_AT + 0x100000, &byte, 1);
        CALL(self, UNMAP, self->own, MAP_AT + 0x100000);
    }
    CALL(self, UNMAP, self->own, MAP_AT);
    for (;;) {
        user_work(self, 1000000);
    }
}

static void translations_end_with_their_mapping(struct property *p) {
    unsigned cpus = (unsigned)property_between(p, "cpus", 1, 4);
    machine_boot(&(struct machine_options){.cpus = cpus, .property = p});
    init = machine_init();
    // Once before it counts: init's first handle that others derive from gets a record of that for good.
    struct user *first = machine_spawn(init, "first", nullptr, nullptr, PRIORITY_DEFAULT);
    property_equal(p, CALL(init, KILL, first->process, 0), 0);
    CALL(init, CLOSE, first->self);
    CALL(init, CLOSE, first->process);
    struct machine_census before, after;
    machine_count(&before);
    ready = false;
    struct user *child = machine_spawn(init, "child", mapper, nullptr, PRIORITY_DEFAULT);
    int64_t pages = pages_new(init, 2 * PAGE_SIZE);
    int64_t given = CALL(init, GIVE, child->process, pages, RIGHT_READ | RIGHT_WRITE | RIGHT_MAP);
    property_check(p, given > 0);
    shared_pages = (uint64_t)given;
    property_equal(p, map(init, child->process, pages, MAP_AT, 0, 2 * PAGE_SIZE, PROT_WRITE), 0);
    ready = true;
    int64_t thread[4];
    for (unsigned i = 0; i < cpus; i++) {
        thread[i] =
            CALL(init, THREAD_CREATE, child->process, machine_entry(toucher), 0x7ff000000000, 0, PRIORITY_DEFAULT);
        property_check(p, thread[i] > 0 || thread[i] == ERR_DEAD);
    }
    machine_run(host_time() + 100000000);
    machine_check();
    int64_t status = CALL(init, KILL, child->process, 0);
    property_check(p, status == 0 || status == ERR_DEAD);
    wait_for_end(p, child->process);
    machine_check();
    for (unsigned i = 0; i < cpus; i++) {
        CALL(init, CLOSE, (uint64_t)thread[i]);
    }
    CALL(init, CLOSE, (uint64_t)pages);
    CALL(init, CLOSE, child->self);
    CALL(init, CLOSE, child->process);
    machine_count(&after);
    machine_compare(&before, &after);
}

Test(map, translations_end_with_their_mapping) {
    cr_assert(property_run("translations", 60, translations_end_with_their_mapping));
}

// ---- many processes --------------------------------------------------------------------------------------------------

enum { CHILDREN = 3, SHARED = 3, PLACES = 4, LARGE_PAGES = 900 };

// init is actor 0; a child that was killed is replaced.
static struct user *actor[1 + CHILDREN];
static handle_t shared[1 + CHILDREN][SHARED]; // what each actor calls each object; 0: it has none

static void count_mappings(const struct pages *pages, unsigned *all, unsigned *writable, unsigned *executable) {
    for (struct process *process = process_after(0); process != nullptr; process = process_after(process->pid)) {
        for (uint32_t i = 0; i < process->space.mapping_count; i++) {
            const struct mapping *m = process->space.mapping[i];
            *all += m->pages == pages;
            *writable += m->pages == pages && (m->protection & PROT_WRITE) != 0;
            *executable += m->pages == pages && (m->protection & PROT_EXEC) != 0;
        }
    }
}

// Each object counts the mappings that there are, and none is both writable and executable.
static void check_mappings(struct property *p) {
    for (struct process *process = process_after(0); process != nullptr; process = process_after(process->pid)) {
        for (uint32_t i = 0; i < process->space.mapping_count; i++) {
            const struct pages *pages = process->space.mapping[i]->pages;
            unsigned all = 0, writable = 0, executable = 0;
            count_mappings(pages, &all, &writable, &executable);
            property_equal(p, pages->mapped, all);
            property_equal(p, pages->mapped_writable, writable);
            property_equal(p, pages->mapped_executable, executable);
            property_check(p, writable == 0 || executable == 0);
            property_check(p, pages->object.references >= all);
        }
    }
}

static void child_make(struct property *p, unsigned index) {
    actor[index] = machine_spawn(init, "child", nullptr, nullptr, PRIORITY_DEFAULT);
    property_check(p, actor[index] != nullptr);
    for (unsigned i = 0; i < SHARED; i++) {
        unsigned rights = RIGHT_READ | RIGHT_WRITE | RIGHT_EXEC | RIGHT_MAP;
        int64_t given = CALL(init, GIVE, actor[index]->process, shared[0][i], rights);
        property_check(p, given > 0);
        shared[index][i] = (handle_t)given;
    }
}

static void child_end(struct property *p, unsigned index) {
    struct user *child = actor[index];
    property_equal(p, CALL(init, KILL, child->process, 0), 0);
    if (property_chance(p, "at once", 50)) {
        wait_for_end(p, child->process);
    }
    handle_t self = child->self, process = child->process;
    CALL(init, CLOSE, self);
    CALL(init, CLOSE, process);
}

static void step_map(struct property *p, unsigned who) {
    unsigned which = (unsigned)property_choose(p, "object", SHARED);
    uint64_t address = MAP_AT + property_choose(p, "place", PLACES) * 0x1000000;
    uint64_t length = property_chance(p, "all", 50) ? LARGE_PAGES * PAGE_SIZE : PAGE_SIZE;
    static const unsigned protections[] = {PROT_READ, PROT_WRITE, PROT_EXEC};
    unsigned protection = protections[property_choose(p, "protection", 3)];
    bool into = property_chance(p, "into a child", 20);
    unsigned to = (unsigned)property_between(p, "child", 1, CHILDREN);
    struct user *self = into ? init : actor[who];
    int64_t status =
        map(self, into ? actor[to]->process : self->own, shared[into ? 0 : who][which], address, 0, length, protection);
    property_check(p, status == 0 || status == ERR_EXISTS || status == ERR_BUSY);
}

static void step_touch(struct property *p, unsigned who) {
    unsigned which = (unsigned)property_choose(p, "object", SHARED);
    uint64_t pages = property_chance(p, "many", 10) ? LARGE_PAGES : 3;
    bool writable = true;
    for (uint64_t i = 0; i < pages && writable; i++) {
        int64_t status = user_write(actor[who], shared[who][which], "x", 1, i * PAGE_SIZE);
        property_check(p, status == 1 || status == ERR_BUSY);
        writable = status == 1;
    }
    // Through a mapping, where there is one: by the kernel, so that a missing page is an error and not the end.
    uint64_t place = MAP_AT + property_choose(p, "place", PLACES) * 0x1000000;
    for (uint64_t i = 0; i < pages; i++) {
        int64_t status = CALL(actor[who], PROCESS_INFO, actor[who]->own, place + i * PAGE_SIZE);
        property_check(p, status == 0 || status == ERR_FAULT);
    }
}

static void step(struct property *p) {
    unsigned who = (unsigned)property_choose(p, "actor", 1 + CHILDREN);
    switch (property_choose(p, "step", 10)) {
    case 0 ... 3:
        step_map(p, who);
        break;
    case 4 ... 5: {
        uint64_t address = MAP_AT + property_choose(p, "place", PLACES) * 0x1000000;
        int64_t status = unmap(actor[who], actor[who]->own, address);
        property_check(p, status == 0 || status == ERR_INVALID);
        break;
    }
    case 6 ... 7:
        step_touch(p, who);
        break;
    case 8:
        if (who > 0) {
            child_end(p, who);
            child_make(p, who);
        }
        break;
    default:
        machine_settle();
    }
}

static void shared_objects_make(struct property *p) {
    for (unsigned i = 0; i < SHARED; i++) {
        int64_t pages = pages_new(init, LARGE_PAGES * PAGE_SIZE);
        property_check(p, pages > 0);
        shared[0][i] = (handle_t)pages;
    }
    for (unsigned i = 1; i <= CHILDREN; i++) {
        child_make(p, i);
    }
}

static void shared_objects_end(struct property *p) {
    for (unsigned i = 1; i <= CHILDREN; i++) {
        child_end(p, i);
    }
    for (unsigned i = 0; i < PLACES; i++) {
        unmap(init, init->own, MAP_AT + i * 0x1000000);
    }
    for (unsigned i = 0; i < SHARED; i++) {
        CALL(init, CLOSE, shared[0][i]);
    }
    machine_run_until_idle();
}

static void books_of_mappings_balance(struct property *p) {
    unsigned cpus = (unsigned)property_between(p, "cpus", 1, 4);
    machine_boot(&(struct machine_options){.cpus = cpus, .memory = 32u << 20, .property = p});
    init = machine_init();
    actor[0] = init;
    // Page tables, and what the test writes from, stay for the life of init: make them before it counts.
    int64_t pages = pages_new(init, LARGE_PAGES * PAGE_SIZE);
    property_equal(p, user_write(init, (handle_t)pages, "x", 1, 0), 1);
    for (unsigned i = 0; i < PLACES; i++) {
        property_equal(p, map(init, init->own, pages, MAP_AT + i * 0x1000000, 0, LARGE_PAGES * PAGE_SIZE, PROT_WRITE),
                       0);
        for (uint64_t page = 0; page < LARGE_PAGES; page += 100) {
            property_equal(p, CALL(init, PROCESS_INFO, init->own, MAP_AT + i * 0x1000000 + page * PAGE_SIZE), 0);
        }
        property_equal(p, unmap(init, init->own, MAP_AT + i * 0x1000000), 0);
    }
    CALL(init, CLOSE, (uint64_t)pages);
    shared_objects_make(p);
    shared_objects_end(p);
    struct machine_census before, after;
    machine_count(&before);
    shared_objects_make(p);
    while (property_more(p, 40)) {
        step(p);
        check_mappings(p);
    }
    shared_objects_end(p);
    machine_count(&after);
    machine_compare(&before, &after);
    machine_check();
}

Test(map, books_of_mappings_balance) {
    cr_assert(property_run("books of mappings", 60, books_of_mappings_balance));
}

// ---- every refused allocation ----------------------------------------------------------------------------------------

static void share_memory(void) {
    struct user *self = machine_init();
    int64_t pages = pages_new(self, 600 * PAGE_SIZE);
    if (pages < 0) {
        return;
    }
    for (unsigned i = 0; i < 12; i++) {
        if (map(self, self->own, pages, MAP_AT + i * 0x10000000ull, 0, 600 * PAGE_SIZE, PROT_WRITE) == 0) {
            uint64_t at = self->word[0];
            user_write(self, (handle_t)pages, "abc", 3, i * 50 * PAGE_SIZE);
            CALL(self, PROCESS_INFO, self->own, at + i * PAGE_SIZE);
            unmap(self, self->own, i % 2 == 0 ? at : 0);
        }
    }
    for (unsigned i = 0; i < 12; i++) {
        unmap(self, self->own, MAP_AT + i * 0x10000000ull);
    }
    CALL(self, CLOSE, pages);
}

Test(map, refused_allocations_leave_nothing_behind) {
    unsigned count = machine_refuse_each_allocation(&(struct machine_scenario){
        .prepare = share_memory, // page tables and the table of mappings stay for the life of the process
        .scenario = share_memory,
    });
    cr_assert_gt(count, 15, "%u", count);
}
