// What nodes tell of themselves: every attribute of every kind, the same however it is asked for; and what of that a change
// changes, and whom it tells.
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/process.h"
#include "kernel/thread.h"
#include "kfs/node.h"
#include "machine.h"
#include "property.h"

static struct user *self;

static void boot(void) {
    machine_boot(&(struct machine_options){.memory = 16u << 20});
    self = machine_init();
}

static struct abi_stat stat_of(const char *path) {
    struct abi_stat stat;
    cr_assert_eq(user_stat(self, self->root, path, &stat), 0, "%s", path);
    return stat;
}

// ---- listing and looking ----

enum { NODES_MAX = 400, DEPTH_MAX = 8 };
static uint64_t ids[NODES_MAX];
static unsigned found;

static unsigned list(int64_t dir, uint64_t cookie, struct abi_dirent *entry, unsigned capacity) {
    unsigned count = 0;
    while (count < capacity) {
        const uint64_t size = sizeof *entry;
        int64_t got = CALL(self, LIST, (uint64_t)dir, cookie, self->scratch, 16);
        cr_assert_geq(got, 0);
        if (got == 0) {
            return count;
        }
        for (int64_t i = 0; i < got && count < capacity; i++) {
            cr_assert(user_load(self, &entry[count], self->scratch + (uint64_t)i * size, size));
            cr_assert_gt(entry[count].cookie, cookie);
            cookie = entry[count++].cookie;
        }
    }
    return count;
}

static void compare_below(const char *path, unsigned depth) {
    enum { ENTRIES = 64 };
    struct abi_dirent *entry = calloc(ENTRIES, sizeof *entry);
    cr_assert_lt(depth, DEPTH_MAX);
    int64_t dir = user_open(self, self->root, path, OPEN_READ | OPEN_DIR, 0);
    cr_assert_gt(dir, 0, "%s: %ld", path, (long)dir);
    unsigned count = list(dir, 0, entry, ENTRIES);
    for (unsigned i = 0; i < count; i++) {
        char below[256];
        snprintf(below, sizeof below, "%s/%s", path, entry[i].name);
        struct abi_stat stat = stat_of(below);
        cr_assert_eq(memcmp(&stat, &entry[i].stat, sizeof stat), 0, "%s", below);
        cr_assert_eq(entry[i].name_len, strlen(entry[i].name));
        cr_assert_eq(entry[i].reserved, 0);
        for (size_t k = entry[i].name_len; k < sizeof entry[i].name; k++) {
            cr_assert_eq(entry[i].name[k], 0);
        }
        for (unsigned k = 0; k < found; k++) {
            cr_assert_neq(stat.id, ids[k], "%s has the number of another", below);
        }
        cr_assert_lt(found, NODES_MAX);
        ids[found++] = stat.id;
        if (stat.kind == NODE_DIR || stat.kind == NODE_CHANNEL) {
            compare_below(below, depth + 1);
        }
    }
    CALL(self, CLOSE, (uint64_t)dir);
    free(entry);
}

// Every node there is, once, and each is what its directory says that it is.
Test(attribute, listing_tells_what_looking_tells) {
    boot();
    user_work(self, 5000);
    cr_assert_gt(user_channel(self, self->root, "/ipc/c", &(struct abi_channel_config){.mode = 0640}), 0);
    cr_assert_gt(user_open(self, self->root, "/tmp/f", OPEN_WRITE | OPEN_CREATE, 0604), 0);
    cr_assert_eq(user_make(self, self->root, "/tmp/d", NODE_DIR, 0710), 0);
    cr_assert_eq(user_link(self, self->root, "/tmp/d/l", "../f"), 0);
    cr_assert_not_null(machine_spawn(self, "other", nullptr, nullptr, PRIORITY_DEFAULT));
    compare_below("", 0);
    cr_assert_gt(found, 80);
}

// As many as are asked for, at most 16, from any entry on; what was not asked for is not written to.
Test(attribute, listing_in_parts_of_any_size) {
    enum { ENTRIES = 40 };
    static struct abi_dirent all[ENTRIES + 1], part[18];
    boot();
    cr_assert_eq(user_make(self, self->root, "/tmp/d", NODE_DIR, 0700), 0);
    for (unsigned i = 0; i < ENTRIES; i++) {
        char path[32];
        snprintf(path, sizeof path, "/tmp/d/%u", i);
        cr_assert_eq(user_link(self, self->root, path, "t"), 0);
        cr_assert_eq(stat_of("/tmp/d").size, i + 1);
    }
    int64_t dir = user_open(self, self->root, "/tmp/d", OPEN_READ | OPEN_DIR, 0);
    cr_assert_eq(list(dir, 0, all, ENTRIES + 1), ENTRIES);
    for (unsigned from = 0; from <= ENTRIES; from++) {
        for (unsigned count = 1; count <= 17; count++) {
            unsigned left = ENTRIES - from, most = count < 16 ? count : 16, expected = left < most ? left : most;
            memset(part, 0xee, sizeof part);
            cr_assert(user_store(self, self->scratch, part, sizeof part));
            uint64_t cookie = from == 0 ? 0 : all[from - 1].cookie;
            cr_assert_eq(CALL(self, LIST, (uint64_t)dir, cookie, self->scratch, count), expected);
            cr_assert(user_load(self, part, self->scratch, sizeof part));
            cr_assert_eq(memcmp(part, &all[from], expected * sizeof *part), 0, "%u from %u", count, from);
            for (const unsigned char *at = (unsigned char *)&part[expected]; at < (unsigned char *)&part[18]; at++) {
                cr_assert_eq(*at, 0xee);
            }
        }
    }
}

// ---- each kind ----

struct expected {
    const char *path;
    uint32_t kind, mode, owner, group;
    uint64_t size;
};

static void expect(const char *before, const struct expected *expected, size_t count, uint64_t created,
                   uint64_t modified) {
    for (size_t i = 0; i < count; i++) {
        char path[64];
        snprintf(path, sizeof path, "%s%s", before, expected[i].path);
        struct abi_stat stat = stat_of(path);
        cr_assert_eq(stat.kind, expected[i].kind, "%s", path);
        cr_assert_eq(stat.mode, expected[i].mode, "%s: %o", path, stat.mode);
        cr_assert_eq(stat.owner, expected[i].owner, "%s", path);
        cr_assert_eq(stat.group, expected[i].group, "%s", path);
        cr_assert_eq(stat.size, expected[i].size, "%s: %lu", path, (unsigned long)stat.size);
        if (created != 0) {
            cr_assert_eq(stat.created, created, "%s", path);
            cr_assert_eq(stat.accessed, created, "%s", path);
            cr_assert_eq(stat.modified, modified, "%s", path);
        }
    }
}
#define EXPECT(before, list, created, modified)                                                                        \
    expect((before), (list), sizeof(list) / sizeof *(list), (created), (modified))

Test(attribute, of_what_is_there_from_the_beginning) {
    static const struct expected list[] = {
        {"/", NODE_DIR, 0755, 0, 0, 0},
        {"/kern", NODE_DIR, 0555, 0, 0, 0},
        {"/proc", NODE_DIR, 0555, 0, 0, 0},
        {"/proc/self", NODE_LINK, 0777, 0, 0, 1},
        {"/ipc", NODE_DIR, 0777, 0, 0, 0},
        {"/svc", NODE_DIR, 0777, 0, 0, 0},
        {"/tmp", NODE_DIR, 0777, 0, 0, 0},
        {"/kern/version", NODE_KERNEL, 0444, 0, 0, 0},
        {"/dev/null", NODE_DEVICE, 0666, 0, 0, 0},
        {"/dev/zero", NODE_DEVICE, 0666, 0, 0, 0},
    };
    boot();
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        struct expected one = list[i];
        one.size = one.kind == NODE_DIR ? stat_of(one.path).size : one.size; // of entries, see the lists
        expect("", &one, 1, 0, 0);
    }
}

// Its files have its owner, its group and its times, also when it has ended.
Test(attribute, of_a_process) {
    static const struct expected list[] = {
        {"", NODE_DIR, 0555, 5, 50, 0},
        {"/status", NODE_KERNEL, 0444, 5, 50, 0},
        {"/handles", NODE_KERNEL, 0400, 5, 50, 0},
        {"/threads", NODE_KERNEL, 0444, 5, 50, 0},
        {"/maps", NODE_KERNEL, 0400, 5, 50, 0},
        {"/fault", NODE_KERNEL, 0400, 5, 50, 0},
        {"/ctl", NODE_KERNEL, 0200, 5, 50, 0},
        {"/name", NODE_KERNEL, 0444, 5, 50, 0},
        {"/cpu", NODE_KERNEL, 0444, 5, 50, 0},
    };
    boot();
    user_work(self, 7000);
    struct user *other = machine_spawn_as(self, "other", nullptr, nullptr, PRIORITY_DEFAULT, 5, 50);
    uint64_t begun = other->thread->process->started;
    cr_assert_gt(begun, 0);
    char path[32];
    snprintf(path, sizeof path, "/proc/%u", other->pid);
    EXPECT(path, list, begun, begun);
    struct abi_stat link;
    cr_assert_eq(user_stat(other, other->root, "/proc/self", &link), 0);
    cr_assert_eq(link.mode, 0777);
    cr_assert_eq(link.owner, 0);
    cr_assert_eq(link.group, 0);
    cr_assert_eq(link.size, strlen(path) - 6);
    user_work(self, 9000);
    uint64_t end = host_time();
    cr_assert_eq(CALL(self, KILL, other->process, 1), 0);
    machine_run_until_idle();
    struct abi_stat stat = stat_of(path);
    cr_assert_geq(stat.modified, end);
    EXPECT(path, list, begun, stat.modified);
}

// Its files follow its mode and its owner.
Test(attribute, of_a_channel) {
    boot();
    static const uint32_t modes[] = {0640, 0777, 0, 0444, 0222, 0111};
    struct user *other = machine_spawn_as(self, "other", nullptr, nullptr, PRIORITY_DEFAULT, 5, 50);
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        const uint32_t mode = modes[i];
        const struct abi_channel_config config = {.mode = mode};
        cr_assert_gt(user_channel(other, other->root, "/ipc/c", &config), 0);
        const uint32_t really = stat_of("/ipc/c").mode;
        cr_assert_eq(really, mode != 0 ? mode : really);
        const struct expected list[] = {
            {"", NODE_CHANNEL, really, 5, 50, 0},
            {"/data", NODE_DEVICE, really, 5, 50, 0},
            {"/ctl", NODE_KERNEL, 0644, 5, 50, 0},
            {"/stats", NODE_KERNEL, 0444, 5, 50, 0},
            {"/events", NODE_KERNEL, really & 0444, 5, 50, 0},
            {"/latency", NODE_KERNEL, 0444, 5, 50, 0},
            {"/connections", NODE_KERNEL, 0444, 5, 50, 0},
        };
        const uint64_t begun = stat_of("/ipc/c").created;
        EXPECT("/ipc/c", list, begun, begun);
        user_work(self, 3000);
        CALL(self, CLOSE, (uint64_t)user_open(self, self->root, "/ipc/c", OPEN_READ, 0));
        for (size_t k = 0; k < sizeof list / sizeof *list; k++) {
            char path[32];
            snprintf(path, sizeof path, "/ipc/c%s", list[k].path);
            cr_assert_eq(stat_of(path).accessed, host_time(), "%s", path);
            cr_assert_eq(stat_of(path).modified, begun, "%s", path);
        }
        cr_assert_eq(user_remove(other, other->root, "/ipc/c"), 0);
    }
}

// What is new has changed and was opened when it was made.
Test(attribute, of_what_is_new) {
    static const char *const paths[] = {"/tmp/d", "/tmp/l", "/tmp/f", "/tmp/c"};
    boot();
    user_work(self, 6000);
    const uint64_t now = host_time();
    cr_assert_eq(user_make(self, self->root, paths[0], NODE_DIR, 0751), 0);
    cr_assert_eq(user_link(self, self->root, paths[1], "target"), 0);
    const int64_t file = user_open(self, self->root, paths[2], OPEN_WRITE | OPEN_CREATE, 0642);
    cr_assert_gt(user_channel(self, self->root, paths[3], &(struct abi_channel_config){.mode = 0720}), 0);
    const struct expected list[] = {
        {paths[0], NODE_DIR, 0751, 0, 0, 0},
        {paths[1], NODE_LINK, 0777, 0, 0, 6},
        {paths[2], NODE_FILE, 0642, 0, 0, 0},
        {paths[3], NODE_CHANNEL, 0720, 0, 0, 0},
    };
    user_work(self, 1000);
    EXPECT("", list, now, now);
    // What is no directory is said to be none, whatever may be done with it; and a directory gives nothing without the right.
    cr_assert_eq(CALL(self, LIST, (uint64_t)file, 0, self->scratch, 1), ERR_NOT_DIR);
    const int64_t directory = user_open(self, self->root, paths[0], OPEN_WRITE | OPEN_DIR, 0);
    cr_assert_eq(CALL(self, LIST, (uint64_t)directory, 0, self->scratch, 1), ERR_RIGHTS);
    cr_assert_eq(CALL(self, LIST, (uint64_t)directory, 0, self->scratch, 0), ERR_INVALID);
}

// Before anything was sent, no figure is another than its limits and who serves.
Test(attribute, of_a_channel_without_messages) {
    static const char *const others[] = {"servers", "depth", "message_max", "created_ns"};
    char text[2048], *line, *name_at, *value_at;
    boot();
    cr_assert_gt(user_channel(self, self->root, "/ipc/c", nullptr), 0);
    cr_assert_gt(user_text(self, "/ipc/c/stats", text, sizeof text), 0);
    line = strchr(text, '\n');
    const char *name = strtok_r(text, " \n", &name_at);
    const char *value = strtok_r(line + 1, " \n", &value_at);
    for (; name != nullptr && name < line; name = strtok_r(nullptr, " \n", &name_at)) {
        bool known = false;
        for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
            known |= strcmp(name, others[i]) == 0;
        }
        cr_assert(known || strcmp(value, "0") == 0, "%s: %s", name, value);
        value = strtok_r(nullptr, " \n", &value_at);
    }
}

// A long table is read from its beginning, or where the last read has ended; a thread that runs waits since never.
Test(attribute, of_a_table) {
    static const char *const paths[] = {"/proc/1/threads", "/proc/1/handles", "/proc/1/maps", "/ipc/c/connections",
                                        "/kern/ipc/channels"};
    char text[4096];
    boot();
    cr_assert_gt(user_channel(self, self->root, "/ipc/c", nullptr), 0);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        handle_t file = (handle_t)user_open(self, self->root, paths[i], OPEN_READ, 0);
        cr_assert_eq(user_read(self, file, text, 10, 1), ERR_INVALID, "%s", paths[i]);
        cr_assert_eq(user_read(self, file, text, 10, OFFSET_CURRENT), 10);
        cr_assert_eq(user_read(self, file, text, 10, 10), 10);
        cr_assert_eq(user_read(self, file, text, 10, 0), 10);
        cr_assert_eq(user_read(self, file, text, 10, UINT64_MAX - 1), ERR_INVALID);
    }
    const int64_t length = user_text(self, "/proc/1/threads", text, sizeof text);
    cr_assert_gt(length, 0);
    cr_assert_not_null(strstr(text, " running "));
    cr_assert_eq(memcmp(text + length - 3, " 0\n", 3), 0, "%s", text);
}

// ---- what a change tells ----

static handle_t notifier;

static void watch(int64_t object, uint32_t events) {
    const struct abi_watch_spec spec = {.events = events, .cookie = (uint64_t)object};
    cr_assert(user_store(self, self->scratch, &spec, sizeof spec));
    cr_assert_geq(CALL(self, WATCH, notifier, (uint64_t)object, self->scratch), 0);
}

static bool next_record(struct abi_event_record *record) {
    int64_t got = user_read(self, notifier, record, sizeof *record, OFFSET_CURRENT);
    cr_assert(got == ERR_EMPTY || got == (int64_t)sizeof *record);
    return got != ERR_EMPTY;
}

static void expect_record(int64_t object, uint32_t event, uint32_t pid, uint64_t value, const char *name) {
    struct abi_event_record record;
    cr_assert(next_record(&record));
    cr_assert_eq(record.cookie, (uint64_t)object);
    cr_assert_eq(record.event, event);
    cr_assert_eq(record.pid, pid);
    cr_assert_eq(record.value, value);
    cr_assert_eq(record.count, 1);
    cr_assert_eq(record.time, host_time());
    cr_assert_str_eq(record.name, name);
    cr_assert_eq(record.name_len, strlen(name));
}

static void expect_no_record(void) {
    struct abi_event_record record;
    cr_assert_not(next_record(&record), "event %u", record.event);
}

// Owner, group and mode in all combinations, for each kind that has them.
Test(attribute, set_one_by_one) {
    static const char *const paths[] = {"/tmp/d", "/tmp/f", "/ipc/c"};
    boot();
    notifier = (handle_t)CALL(self, NOTIFIER_CREATE, 16);
    cr_assert_eq(user_make(self, self->root, paths[0], NODE_DIR, 0777), 0);
    cr_assert_gt(user_open(self, self->root, paths[1], OPEN_WRITE | OPEN_CREATE, 0600), 0);
    cr_assert_gt(user_channel(self, self->root, paths[2], nullptr), 0);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        int64_t node = user_open(self, self->root, paths[i], OPEN_READ, 0);
        watch(node, EVENT_ATTRIBUTE);
        for (uint32_t mask = 0; mask < 16; mask++) {
            const uint32_t all = ATTR_MODE | ATTR_OWNER | ATTR_GROUP, mode = 0700 + mask;
            const uint32_t chosen =
                (mask & 1 ? ATTR_MODE : 0) | (mask & 2 ? ATTR_OWNER : 0) | (mask & 4 ? ATTR_GROUP : 0);
            const uint32_t wrong = mask >= 8 ? all + 1 : 0;
            user_work(self, 2000);
            struct abi_stat before = stat_of(paths[i]);
            cr_assert(user_store(self, self->scratch, paths[i], strlen(paths[i])));
            const int64_t status = CALL(self, SETATTR, self->root, self->scratch, strlen(paths[i]), chosen | wrong,
                                        mode, UINT64_C(0x2000000010) + mask);
            struct abi_stat after = stat_of(paths[i]);
            cr_assert_eq(status, wrong != 0 ? ERR_INVALID : 0);
            if (status == 0) {
                before.mode = mask & 1 ? mode : before.mode;
                before.owner = mask & 2 ? 0x10 + mask : before.owner;
                before.group = mask & 4 ? 0x20 : before.group;
                before.modified = host_time();
                expect_record(node, EVENT_ATTRIBUTE, self->pid, before.mode, "");
            }
            expect_no_record();
            cr_assert_eq(memcmp(&before, &after, sizeof after), 0, "%s, %u", paths[i], mask);
        }
        cr_assert_eq(CALL(self, SETATTR, self->root, self->scratch, strlen(paths[i]), ATTR_MODE, 01000, 0),
                     ERR_INVALID);
        cr_assert_eq(CALL(self, SETATTR, self->root, self->scratch, strlen(paths[i]), ATTR_OWNER, 01000, 0), 0);
        expect_record(node, EVENT_ATTRIBUTE, self->pid, stat_of(paths[i]).mode, "");
    }
}

// The channel's own ctl does the same as setattr, for the mode.
Test(attribute, set_by_command) {
    boot();
    notifier = (handle_t)CALL(self, NOTIFIER_CREATE, 16);
    cr_assert_gt(user_channel(self, self->root, "/ipc/c", nullptr), 0);
    int64_t node = user_open(self, self->root, "/ipc/c", OPEN_READ, 0);
    handle_t control = (handle_t)user_open(self, self->root, "/ipc/c/ctl", OPEN_WRITE, 0);
    watch(node, EVENT_ATTRIBUTE | EVENT_REMOVED);
    struct abi_stat before = stat_of("/ipc/c");
    user_work(self, 4000);
    cr_assert_eq(user_write(self, control, "mode 0751\n", 10, 0), 10);
    expect_record(node, EVENT_ATTRIBUTE, self->pid, 0751, "");
    before.mode = 0751;
    before.modified = host_time();
    struct abi_stat after = stat_of("/ipc/c");
    cr_assert_eq(memcmp(&before, &after, sizeof after), 0);
    char text[512];
    cr_assert_gt(user_text(self, "/kern/ipc/channels", text, sizeof text), 0);
    cr_assert_not_null(strstr(text, "0751"));
    cr_assert_eq(user_write(self, control, "mode 1000", 9, 0), ERR_INVALID);
    cr_assert_eq(user_write(self, control, "remove", 6, 0), 6);
    expect_record(node, EVENT_REMOVED, self->pid, 0, "");
    expect_no_record();
    cr_assert_eq(user_write(self, control, "mode 600", 8, 0), ERR_REMOVED);
    cr_assert_eq(user_write(self, control, "remove", 6, 0), ERR_REMOVED);
}

// A node moves with all that it is; both directories tell of it and change, and nothing else.
Test(attribute, moved) {
    static const char *const names[] = {"d", "f", "l", "c"};
    boot();
    notifier = (handle_t)CALL(self, NOTIFIER_CREATE, 16);
    cr_assert_eq(user_make(self, self->root, "/tmp/from", NODE_DIR, 0700), 0);
    cr_assert_eq(user_make(self, self->root, "/tmp/to", NODE_DIR, 0700), 0);
    cr_assert_eq(user_make(self, self->root, "/tmp/from/d", NODE_DIR, 0700), 0);
    cr_assert_gt(user_open(self, self->root, "/tmp/from/f", OPEN_WRITE | OPEN_CREATE, 0600), 0);
    cr_assert_eq(user_link(self, self->root, "/tmp/from/l", "target"), 0);
    cr_assert_gt(user_channel(self, self->root, "/tmp/from/c", nullptr), 0);
    int64_t from = user_open(self, self->root, "/tmp/from", OPEN_READ, 0);
    int64_t to = user_open(self, self->root, "/tmp/to", OPEN_READ, 0);
    watch(from, EVENT_CREATED | EVENT_DELETED);
    watch(to, EVENT_CREATED | EVENT_DELETED);
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        char old[32], new[32];
        snprintf(old, sizeof old, "/tmp/from/%s", names[i]);
        snprintf(new, sizeof new, "/tmp/to/new-%s", names[i]);
        user_work(self, 1000);
        struct abi_stat before = stat_of(old);
        cr_assert_eq(user_rename(self, self->root, old, new), 0);
        struct abi_stat after = stat_of(new);
        cr_assert_eq(memcmp(&before, &after, sizeof after), 0, "%s", old);
        expect_record(from, EVENT_DELETED, self->pid, before.id, names[i]);
        expect_record(to, EVENT_CREATED, self->pid, before.id, new + 8);
        expect_no_record();
        cr_assert_eq(stat_of("/tmp/from").size, 3 - i);
        cr_assert_eq(stat_of("/tmp/from").modified, host_time());
        cr_assert_eq(stat_of("/tmp/to").size, i + 1);
        cr_assert_eq(stat_of("/tmp/to").modified, host_time());
        cr_assert_eq(user_stat(self, self->root, old, &after), ERR_NOT_FOUND);
    }
    char text[1024];
    cr_assert_gt(user_text(self, "/kern/ipc/channels", text, sizeof text), 0);
    cr_assert_not_null(strstr(text, " /tmp/to/new-c "));
}

// The boot has looked at init's file, and keeps no more than what is mapped of it.
Test(attribute, of_init_nothing_is_kept) {
    boot();
    const uint64_t files = node_get_stats().alive[NODE_FILE];
    cr_assert_eq(user_remove(self, self->root, "/bin/init"), 0);
    cr_assert_eq(node_get_stats().alive[NODE_FILE], files - 1);
}

// ---- the content of a file ----

enum { PAGES = 24, CONTENT_MAX = PAGES * PAGE_SIZE };
static struct {
    unsigned char bytes[CONTENT_MAX];
    bool vague[CONTENT_MAX]; // a write there failed: old or new, nobody knows
    uint64_t size;
} model;
static struct {
    handle_t handle;
    uint64_t position;
    bool appends;
} opened[2];

static uint64_t choose_place(struct property *p, const char *label, uint64_t pages) {
    uint64_t place = property_choose(p, "page", pages) * PAGE_SIZE;
    uint64_t change = property_choose(p, label, 8);
    return change < 6 ? (change < 3 || place > 0 ? place + change - (change < 3 ? 0 : 2 * (change - 2)) : change)
                      : place + property_choose(p, "within", PAGE_SIZE);
}

// Write as many bytes, of which only so many can be read where they come from.
static void write_somewhere(struct property *p) {
    static unsigned char bytes[4 * PAGE_SIZE];
    const unsigned which = (unsigned)property_choose(p, "which", 2);
    const bool current = property_chance(p, "current", 30);
    const uint64_t offset = choose_place(p, "offset", 4);
    uint64_t length = choose_place(p, "length", 3);
    uint64_t readable = property_chance(p, "faulty", 25) ? property_choose(p, "readable", length + 1) : length;
    const uint64_t at = opened[which].appends ? model.size : current ? opened[which].position : offset;
    if (at + length > CONTENT_MAX) {
        return;
    }
    length = length < READ_MAX ? length : READ_MAX;
    readable = readable < length ? readable : length;
    const uint64_t first = property_choose(p, "byte", 255);
    for (uint64_t i = 0; i < readable; i++) {
        bytes[i] = (unsigned char)(first + i * 7 / 5);
    }
    const uint64_t from = self->scratch + USER_SCRATCH_SIZE - readable;
    require(user_store(self, from, bytes, readable));
    uint64_t expected = 0;
    while (expected < length) {
        uint64_t part = PAGE_SIZE - (at + expected) % PAGE_SIZE;
        part = part < length - expected ? part : length - expected;
        if (expected + part > readable) {
            for (uint64_t i = at + expected; i < at + expected + part && i < model.size; i++) {
                model.vague[i] = true;
            }
            break;
        }
        for (uint64_t i = 0; i < part; i++) {
            model.bytes[at + expected + i] = bytes[expected + i];
            model.vague[at + expected + i] = false;
        }
        expected += part;
        model.size = model.size > at + expected ? model.size : at + expected;
    }
    struct abi_stat before, after;
    require_equal(user_stat(self, opened[0].handle, "", &before), 0);
    user_work(self, 500);
    const int64_t moved = CALL(self, WRITE, opened[which].handle, from, length, current ? OFFSET_CURRENT : offset);
    property_note(p, "%ld of %lu bytes at %lu", (long)moved, (unsigned long)length, (unsigned long)at);
    property_equal(p, moved, expected == 0 && length > 0 ? ERR_FAULT : (int64_t)expected);
    if (moved > 0) {
        before.modified = host_time();
        before.size = model.size;
        struct abi_event_record record;
        property_check(p, next_record(&record));
        property_equal(p, record.event, EVENT_READABLE);
        property_equal(p, record.value, model.size);
        property_equal(p, record.pid, self->pid);
        opened[which].position = current ? at + (uint64_t)moved : opened[which].position;
    }
    struct abi_event_record none;
    property_check(p, !next_record(&none));
    require_equal(user_stat(self, opened[0].handle, "", &after), 0);
    property_check(p, memcmp(&before, &after, sizeof after) == 0);
}

static void read_somewhere(struct property *p) {
    static unsigned char bytes[4 * PAGE_SIZE];
    const unsigned which = (unsigned)property_choose(p, "which", 2);
    const bool current = property_chance(p, "current", 30);
    const uint64_t offset = choose_place(p, "offset", 6), length = choose_place(p, "length", 3);
    const uint64_t at = current ? opened[which].position : offset;
    uint64_t expected = at >= model.size ? 0 : model.size - at;
    expected = expected < length ? expected : length;
    const int64_t moved = user_read(self, opened[which].handle, bytes, length, current ? OFFSET_CURRENT : offset);
    property_equal(p, moved, expected);
    for (uint64_t i = 0; i < expected; i++) {
        property_check(p, model.vague[at + i] || bytes[i] == model.bytes[at + i]);
    }
    opened[which].position += current ? expected : 0;
}

static void cut(struct property *p) {
    user_work(self, 500);
    const int64_t file = user_open(self, self->root, "/tmp/f", OPEN_WRITE | OPEN_TRUNCATE, 0);
    property_check(p, file > 0);
    CALL(self, CLOSE, (uint64_t)file);
    memset(&model, 0, sizeof model);
    property_equal(p, stat_of("/tmp/f").size, 0);
    property_equal(p, stat_of("/tmp/f").modified, host_time());
}

static void a_file_is_what_was_written(struct property *p) {
    boot();
    memset(&model, 0, sizeof model);
    memset(opened, 0, sizeof opened);
    opened[0].handle = (handle_t)user_open(self, self->root, "/tmp/f", OPEN_READ | OPEN_WRITE | OPEN_CREATE, 0600);
    opened[1].handle = (handle_t)user_open(self, self->root, "/tmp/f", OPEN_READ | OPEN_WRITE | OPEN_APPEND, 0);
    opened[1].appends = true;
    notifier = (handle_t)CALL(self, NOTIFIER_CREATE, 16);
    watch(user_open(self, self->root, "/tmp/f", OPEN_READ, 0), EVENT_READABLE | EVENT_ATTRIBUTE | EVENT_REMOVED);
    while (property_more(p, 30)) {
        const uint64_t step = property_choose(p, "step", 20);
        if (step < 11) {
            write_somewhere(p);
        } else if (step < 19) {
            read_somewhere(p);
        } else {
            cut(p);
        }
    }
    machine_check();
}

Test(attribute, a_file_is_what_was_written) {
    cr_assert(property_run("a_file_is_what_was_written", 400, a_file_is_what_was_written));
}

// ---- texts and targets in parts ----

// From anywhere, of any length, whatever of it is kept where: it is the one text that was there when it was opened.
static void read_in_parts(const char *path) {
    static const uint64_t lengths[] = {1, 2, 7, 100, 500, 511, 512, 513, 1000, 4095, 4096, 4097, 9000};
    static unsigned char whole[65536], part[16384 + 1];
    handle_t file = (handle_t)user_open(self, self->root, path, OPEN_READ | OPEN_NOFOLLOW, 0);
    int64_t size = 0, got;
    while ((got = user_read(self, file, whole + size, sizeof whole - (uint64_t)size, OFFSET_CURRENT)) > 0) {
        size += got;
    }
    cr_assert_eq(got, 0, "%s", path);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        for (int64_t at = 0; at <= size + 1; at += 1 + size / 40) {
            const int64_t left = at > size ? 0 : size - at;
            const int64_t expected = left < (int64_t)lengths[i] ? left : (int64_t)lengths[i];
            memset(part, 0xee, lengths[i] + 1);
            cr_assert(user_store(self, self->scratch, part, lengths[i] + 1));
            cr_assert_eq(CALL(self, READ, file, self->scratch, lengths[i], (uint64_t)at), expected, "%s", path);
            cr_assert(user_load(self, part, self->scratch, lengths[i] + 1));
            cr_assert_eq(memcmp(part, whole + at, (size_t)expected), 0, "%s: %ld at %ld", path, (long)expected,
                         (long)at);
            cr_assert_eq(part[expected], 0xee);
        }
    }
    cr_assert_eq(CALL(self, READ, file, self->scratch, 0, 0), 0);
    cr_assert_eq(user_read(self, file, part, 10, OFFSET_CURRENT), 0);
    CALL(self, CLOSE, file);
}

Test(attribute, texts_in_parts) {
    static const char *const paths[] = {
        "/kern/version",
        "/kern/cpus",
        "/kern/ipc/stats/calls",
        "/kern/ipc/stats/messages",

        "/kern/arch/features",

        "/proc/1/status",
        "/proc/1/name",
        "/ipc/c/stats",
        "/ipc/c/ctl",
        "/tmp/l",
        "/proc/self",
    };
    boot();
    cr_assert_gt(user_channel(self, self->root, "/ipc/c", nullptr), 0);
    cr_assert_eq(user_link(self, self->root, "/tmp/l", "a/target/of/some/length"), 0);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        read_in_parts(paths[i]);
    }
}

// Begun again, a long table tells the same from its first line on, however far it had been read.
Test(attribute, long_tables_begun_again) {
    static const char *const paths[] = {"/kern/ipc/channels", "/proc/1/handles", "/proc/1/maps"};
    static char first[65536], again[65536];
    boot();
    for (unsigned i = 0; i < 80; i++) {
        char path[32];
        snprintf(path, sizeof path, "/ipc/channel-%u", i);
        cr_assert_gt(user_channel(self, self->root, path, nullptr), 0);
        cr_assert_gt(user_open(self, self->root, path, OPEN_READ, 0), 0);
    }
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        handle_t file = (handle_t)user_open(self, self->root, paths[i], OPEN_READ, 0);
        uint64_t length = 0;
        int64_t got;
        while ((got = user_read(self, file, first + length, 1000, length)) > 0) {
            length += (uint64_t)got;
        }
        cr_assert_eq(got, 0);
        for (uint64_t most = 1000; most <= length; most += 3000) {
            uint64_t at = 0;
            while (at < most && (got = user_read(self, file, again + at, 1000, at)) > 0) {
                at += (uint64_t)got;
            }
            cr_assert_eq(memcmp(first, again, at), 0, "%s", paths[i]);
        }
    }
}

// ---- names that are none ----

// A path ends nowhere but at its end: what stands before a NUL is no name, and none is made.
Test(attribute, nowhere_a_nul) {
    static const char paths[][12] = {"\0tmp/x", "tmp\0/x", "tmp/\0/x", "tmp/a\0b/x", "none\0/tmp/x", "tmp/x\0"};
    static const size_t lengths[] = {6, 6, 7, 9, 11, 6};
    boot();
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        cr_assert(user_store(self, self->scratch, paths[i], lengths[i]));
        const uint64_t at = self->scratch, length = lengths[i];
        cr_assert_eq(CALL(self, MAKE, self->root, at, length, NODE_DIR, 0700), ERR_INVALID, "%zu", i);
        cr_assert_eq(CALL(self, STAT, self->root, at, length, at + 64), ERR_INVALID, "%zu", i);
        cr_assert_eq(CALL(self, REMOVE, self->root, at, length), ERR_INVALID, "%zu", i);
        cr_assert_eq(CALL(self, OPEN, self->root, at, length, OPEN_READ | OPEN_CREATE, 0600), ERR_INVALID, "%zu", i);
        cr_assert_eq(CALL(self, SETATTR, self->root, at, length, ATTR_MODE, 0700, 0), ERR_INVALID, "%zu", i);
    }
    cr_assert_eq(stat_of("/tmp").size, 0);
}

// As many archives are unpacked as there are.
Test(attribute, archives_are_counted) {
    static char text[32768];
    boot();
    cr_assert_gt(user_text(self, "/kern/log", text, sizeof text), 0);
    const char *line = strstr(text, "archive: ");
    cr_assert_not_null(line);
    cr_assert_null(strstr(line + 1, "archive: "));
}
