// What the kernel's figures say is what happened: stories whose every message, event and moment is known, and each column
// of the files that tell of them.
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/cpu.h"
#include "machine.h"

enum { TEXT_SIZE = 32768 };

static char text[TEXT_SIZE];
static struct user *self;

static void boot(unsigned cpus) {
    machine_boot(&(struct machine_options){.cpus = cpus, .memory = 16u << 20});
    self = machine_init();
}

static void load(const char *path) {
    int64_t length = user_text(self, path, text, sizeof text);
    cr_assert_gt(length, 0, "%s: %ld", path, (long)length);
}

// Word `index` of a line, lines counted from 0.
static const char *word(unsigned line, unsigned index) {
    static char found[256];
    const char *at = text;
    for (; line > 0; line--) {
        at = strchr(at, '\n');
        cr_assert_not_null(at);
        at++;
    }
    for (;; index--) {
        at += strspn(at, " ");
        if (index == 0) {
            break;
        }
        at += strcspn(at, " \n");
    }
    snprintf(found, sizeof found, "%.*s", (int)strcspn(at, " \n"), at);
    return found;
}

// The value of a named column.
static const char *value(unsigned line, const char *column) {
    for (unsigned i = 0;; i++) {
        const char *name = word(0, i);
        cr_assert_neq(name[0], '\0', "no column %s", column);
        if (strcmp(name, column) == 0) {
            return word(line, i);
        }
    }
}

struct figure {
    const char *column;
    uint64_t expected;
};

static void expect(unsigned line, const struct figure *figure, size_t count) {
    for (size_t i = 0; i < count; i++) {
        uint64_t found = strtoull(value(line, figure[i].column), nullptr, 0);
        cr_assert_eq(found, figure[i].expected, "%s: %llu, not %llu", figure[i].column, (unsigned long long)found,
                     (unsigned long long)figure[i].expected);
    }
}
#define EXPECT(line, ...)                                                                                              \
    expect((line), (const struct figure[]){__VA_ARGS__},                                                               \
           sizeof(const struct figure[]){__VA_ARGS__} / sizeof(struct figure))

// Two channels, so that no figure is right by being the only one. On the first: 5 in and 1 refused, 3 out and 2 refused,
// 2 of each received, 1 out discarded by the client's end, after known times.
static void converse(void) {
    const struct abi_channel_config config = {.depth = 5, .message_max = 100, .mode = 0704};
    char buffer[MESSAGE_MAX] = "";
    handle_t other = (handle_t)user_channel(self, self->root, "/ipc/a", nullptr);
    handle_t one = (handle_t)user_open(self, self->root, "/ipc/a/data", OPEN_WRITE, 0);
    cr_assert_eq(user_send(self, one, buffer, 7, 0, 0), 0);
    cr_assert_neq(other, 0);
    handle_t server = (handle_t)user_channel(self, self->root, "/ipc/c", &config);
    handle_t client = (handle_t)user_open(self, self->root, "/ipc/c/data", OPEN_READ | OPEN_WRITE, 0);
    handle_t second = (handle_t)user_open(self, self->root, "/ipc/c/data", OPEN_WRITE, 0);
    for (unsigned i = 0; i < 5; i++) {
        cr_assert_eq(user_send(self, i % 2 == 0 ? client : second, buffer, 10, 0, 0), 0);
    }
    cr_assert_eq(user_send(self, second, buffer, 10, 0, 0), ERR_FULL);
    user_work(self, 1000);
    cr_assert_eq(user_recv(self, server, buffer, sizeof buffer), 10);
    uint64_t id = self->word[2];
    user_work(self, 2000);
    cr_assert_eq(user_recv(self, server, buffer, sizeof buffer), 10);
    for (unsigned i = 0; i < 3; i++) {
        cr_assert_eq(user_send(self, server, buffer, 20 + i, 0, id), 0);
    }
    cr_assert_eq(user_send(self, server, buffer, 101, 0, id), ERR_TOO_BIG);
    cr_assert_eq(user_send(self, server, buffer, 1, 0, id + 100), ERR_NOT_FOUND);
    user_work(self, 5000);
    cr_assert_eq(user_recv(self, client, buffer, sizeof buffer), 20);
    cr_assert_eq(user_recv(self, client, buffer, sizeof buffer), 21);
    cr_assert_eq(CALL(self, CLOSE, client), 0);
}

Test(figures, of_a_channel) {
    boot(1);
    uint64_t before = host_time();
    converse();
    load("/ipc/c/stats");
    EXPECT(1, {"sent", 8}, {"received", 4}, {"queued", 3}, {"discarded", 1}, {"rejected", 3}, {"bytes_sent", 50 + 63},
           {"bytes_received", 20 + 41}, {"high_water", 5}, {"connections", 1}, {"servers", 1}, {"depth", 5},
           {"message_max", 100}, {"sent_in", 5}, {"received_in", 2}, {"queued_in", 3}, {"discarded_in", 0},
           {"rejected_in", 1}, {"latency_mean_ns", (1000 + 3000 + 5000 + 5000) / 4}, {"latency_max_ns", 5000});
    load("/ipc/c/ctl");
    EXPECT(1, {"owner", 0}, {"group", 0}, {"depth", 5}, {"message_max", 100}, {"temporary", 0}, {"removed", 0},
           {"created_ns", before});
    cr_assert_str_eq(value(1, "mode"), "0704");
    load("/ipc/c/latency");
    cr_assert_str_eq(word(1, 0), "1024"); // above 512: the one of 1000 ns
    cr_assert_str_eq(word(1, 1), "1");
    cr_assert_str_eq(word(2, 0), "4096");
    cr_assert_str_eq(word(2, 1), "1");
    cr_assert_str_eq(word(3, 0), "8192");
    cr_assert_str_eq(word(3, 1), "2");
    load("/kern/ipc/channels");
    cr_assert_str_eq(value(1, "path"), "/ipc/a");
    EXPECT(1, {"queued", 1}, {"sent", 1}, {"received", 0});
    cr_assert_str_eq(value(2, "path"), "/ipc/c");
    cr_assert_str_eq(value(2, "mode"), "0704");
    EXPECT(2, {"owner_pid", self->pid}, {"depth", 5}, {"message_max", 100}, {"servers", 1}, {"connections", 1},
           {"queued", 3}, {"sent", 8}, {"received", 4}, {"discarded", 1}, {"rejected", 3}, {"removed", 0},
           {"temporary", 0}, {"generation", 2});
    load("/kern/ipc/stats/messages");
    EXPECT(1, {"sent", 9}, {"received", 4}, {"queued", 4}, {"discarded", 1}, {"rejected", 3}, {"dropped", 0},
           {"bytes_sent", 7 + 50 + 63}, {"bytes_received", 61}, {"high_water", 7});
    load("/kern/ipc/stats/channels");
    EXPECT(1, {"active", 2}, {"created", 2}, {"destroyed", 0}, {"connections_active", 2}, {"connections_created", 3},
           {"connections_destroyed", 1});
}

Test(figures, of_a_temporary_channel_that_has_gone) {
    boot(1);
    const struct abi_channel_config config = {.flags = CHANNEL_TEMPORARY};
    handle_t server = (handle_t)user_channel(self, self->root, "/ipc/t", &config);
    handle_t client = (handle_t)user_open(self, self->root, "/ipc/t/data", OPEN_READ | OPEN_WRITE, 0);
    cr_assert_eq(user_send(self, client, "x", 1, 0, 0), 0);
    load("/kern/ipc/channels");
    EXPECT(1, {"temporary", 1}, {"removed", 0}, {"generation", 1}, {"queued", 1}, {"discarded", 0});
    cr_assert_eq(CALL(self, CLOSE, server), 0);
    load("/kern/ipc/channels");
    EXPECT(1, {"temporary", 1}, {"removed", 1}, {"servers", 0}, {"queued", 0}, {"discarded", 1}, {"connections", 1});
    cr_assert_eq(CALL(self, CLOSE, client), 0);
    load("/kern/ipc/stats/channels");
    EXPECT(1, {"active", 0}, {"created", 1}, {"destroyed", 1}, {"connections_active", 0});
}

Test(figures, of_notifiers) {
    boot(1);
    uint64_t before = host_time();
    handle_t idle = (handle_t)CALL(self, NOTIFIER_CREATE, 0);
    user_work(self, 500);
    handle_t notifier = (handle_t)CALL(self, NOTIFIER_CREATE, 2);
    handle_t dir = (handle_t)user_open(self, self->root, "/tmp", OPEN_READ | OPEN_WRITE | OPEN_DIR, 0);
    const struct abi_watch_spec specs[] = {{.events = EVENT_CREATED},
                                           {.events = EVENT_DELETED, .flags = WATCH_COALESCE}};
    for (unsigned i = 0; i < 2; i++) {
        cr_assert(user_store(self, self->scratch, &specs[i], sizeof specs[i]));
        cr_assert_eq(CALL(self, WATCH, notifier, dir, self->scratch), 0);
    }
    struct user *taker = machine_spawn(self, "taker", nullptr, nullptr, PRIORITY_DEFAULT);
    int64_t given = CALL(self, GIVE, taker->process, notifier, RIGHT_READ);
    cr_assert_eq(CALL(taker, TAKE, (uint64_t)given, 0x100, FOREVER), USER_PARKED);
    cr_assert_eq(CALL(self, SIGNAL, notifier, 0x31), 0);
    cr_assert_eq(CALL(self, TAKE, notifier, 0x1, 0), 0);
    cr_assert_eq(user_make(self, dir, "n", NODE_DIR, 0777), 0); // a record
    cr_assert_eq(user_remove(self, dir, "n"), 0);               // another: the queue is full
    cr_assert_eq(user_make(self, dir, "n", NODE_DIR, 0777), 0); // lost
    cr_assert_eq(user_remove(self, dir, "n"), 0);               // lost
    struct abi_event_record record;
    cr_assert_eq(user_read(self, notifier, &record, sizeof record, OFFSET_CURRENT), (int64_t)sizeof record);
    load("/kern/ipc/notifiers");
    EXPECT(1, {"owner_pid", self->pid}, {"bits", 0}, {"depth", NOTIFIER_DEPTH}, {"queued", 0}, {"watches", 0},
           {"takers", 0}, {"events", 0}, {"created_ns", before});
    EXPECT(2, {"owner_pid", self->pid}, {"bits", 0x30}, {"depth", 2}, {"queued", 2}, {"watches", 2}, {"takers", 1},
           {"events", 4}, {"lost", 2}, {"coalesced", 0}, {"read", 1}, {"signals", 1}, {"taken", 1},
           {"created_ns", before + 500});
    cr_assert_eq(user_read(self, notifier, &record, sizeof record, OFFSET_CURRENT), (int64_t)sizeof record);
    cr_assert_eq(user_read(self, notifier, &record, sizeof record, OFFSET_CURRENT), (int64_t)sizeof record);
    cr_assert_eq(record.event, EVENT_OVERFLOW);
    cr_assert_eq(user_make(self, dir, "n", NODE_DIR, 0777), 0);
    cr_assert_eq(user_remove(self, dir, "n"), 0);
    cr_assert_eq(user_make(self, dir, "n", NODE_DIR, 0777), 0); // lost: the queue holds two
    load("/kern/ipc/stats/notifications");
    EXPECT(1, {"notifiers", 2}, {"created", 2}, {"watches", 2}, {"events", 7}, {"lost", 3}, {"coalesced", 0},
           {"read", 3}, {"signals", 1}, {"taken", 1});
    cr_assert_eq(CALL(self, CLOSE, idle), 0);
    load("/kern/ipc/notifiers");
    EXPECT(1, {"depth", 2});
    load("/kern/ipc/stats/notifications");
    EXPECT(1, {"notifiers", 1}, {"created", 2});
}

static void exit_program(struct user *user) {
    user_work(user, 3000);
    CALL(user, EXIT, 7);
}

// A process's directory is as old as the process, and changed last when it ended.
Test(figures, times_of_a_process) {
    boot(1);
    user_work(self, 1000);
    struct abi_stat stat;
    char path[64];
    uint64_t begun = host_time();
    struct user *child = machine_spawn(self, "child", exit_program, nullptr, PRIORITY_DEFAULT);
    snprintf(path, sizeof path, "/proc/%u", child->pid);
    cr_assert_eq(user_stat(self, self->root, path, &stat), 0);
    cr_assert_eq(stat.created, begun);
    cr_assert_eq(stat.modified, begun);
    strcat(path, "/status");
    cr_assert_eq(user_stat(self, self->root, path, &stat), 0);
    cr_assert_eq(stat.modified, begun);
    machine_run_until_idle();
    cr_assert_eq(user_stat(self, self->root, path, &stat), 0);
    cr_assert_eq(stat.created, begun);
    cr_assert_geq(stat.modified, begun + 3000);
    uint64_t ended = stat.modified;
    load(path);
    EXPECT(1, {"started_ns", begun}, {"ended_ns", ended}, {"exit_status", 7}, {"threads", 0}, {"parent", self->pid},
           {"cpu_ns", 3000});
    *strrchr(path, '/') = '\0';
    cr_assert_eq(user_stat(self, self->root, path, &stat), 0);
    cr_assert_eq(stat.modified, ended);
}

// As many CPUs as there may be: one line for each, and no more.
Test(figures, of_every_cpu) {
    static const char *const files[] = {"/kern/sched/stats/cpus", "/kern/sched/stats/queues", "/kern/irq/stats/counts",
                                        "/kern/cpus"};
    boot(CPU_MAX);
    machine_run_until_idle();
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        load(files[i]);
        for (unsigned cpu = 0; cpu < CPU_MAX; cpu++) {
            char number[8];
            snprintf(number, sizeof number, "%u", cpu);
            cr_assert_str_eq(word(cpu + 1, 0), number);
        }
        cr_assert_str_eq(word(CPU_MAX + 1, 0), "");
    }
    load("/kern/uptime");
    EXPECT(1, {"cpus", CPU_MAX}, {"uptime_ns", host_time()});
    uint64_t idle = strtoull(value(1, "idle_ns"), nullptr, 10);
    cr_assert(idle <= host_time() * CPU_MAX && idle >= host_time() * (CPU_MAX - 2), "%llu", (unsigned long long)idle);
}

// The maps of a process, line by line, also where a reading ends between two lines: places, sizes, rights.
Test(figures, of_mappings) {
    static const struct {
        uint64_t address, size;
        unsigned protection;
        const char *shown;
    } maps[] = {{0x30000000, 0x1000, PROT_READ, "r--"},
                {0x30001000, 0x3000, PROT_READ | PROT_WRITE, "rw-"},
                {0x30004000, 0x2000, PROT_READ | PROT_EXEC, "r-x"}};
    boot(1);
    for (size_t i = 0; i < 3; i++) {
        handle_t pages = (handle_t)CALL(self, PAGES_CREATE, maps[i].size);
        cr_assert_eq(CALL(self, MAP, self->own, pages, maps[i].address, 0, maps[i].size, maps[i].protection), 0);
    }
    load("/proc/self/maps");
    unsigned line = 1;
    while (strtoull(value(line, "base"), nullptr, 0) != maps[0].address) {
        line++;
    }
    for (size_t i = 0; i < 3; i++) {
        EXPECT(line + i, {"base", maps[i].address}, {"size", maps[i].size});
        cr_assert_str_eq(value(line + i, "protection"), maps[i].shown);
    }
    static char whole[TEXT_SIZE];
    load("/proc/self/maps"); // the pages that reading takes are there now
    strcpy(whole, text);
    int64_t file = user_open(self, self->root, "/proc/self/maps", OPEN_READ, 0);
    size_t length = 0;
    for (int64_t got; (got = user_read(self, (handle_t)file, text + length, 80, OFFSET_CURRENT)) > 0;) {
        length += (size_t)got;
    }
    text[length] = '\0';
    cr_assert_str_eq(text, whole);
}

// The names of the whole tree lie in as many buckets as there are, give or take the last split.
Test(figures, of_nodes) {
    boot(1);
    load("/kern/ns/stats/nodes");
    uint64_t before = strtoull(value(1, "buckets"), nullptr, 0);
    for (unsigned i = 0; i < 2000; i++) {
        char path[32];
        snprintf(path, sizeof path, "/tmp/%u", i);
        cr_assert_eq(user_make(self, self->root, path, NODE_DIR, 0700), 0);
    }
    load("/kern/ns/stats/nodes");
    cr_assert_gt(before, 0);
    cr_assert_geq(strtoull(value(1, "buckets"), nullptr, 0), 2000);
}

// Writing at a place of its own leaves alone where the next write goes on; closing is told to who watches.
Test(figures, of_a_file_that_is_written) {
    boot(1);
    char bytes[16] = "";
    struct abi_event_record record;
    const struct abi_watch_spec spec = {.events = EVENT_CLOSED};
    handle_t file = (handle_t)user_open(self, self->root, "/tmp/f", OPEN_READ | OPEN_WRITE | OPEN_CREATE, 0600);
    handle_t queue = (handle_t)CALL(self, NOTIFIER_CREATE, 8);
    handle_t watched = (handle_t)user_open(self, self->root, "/tmp/f", OPEN_READ, 0);
    cr_assert_eq(user_write(self, file, "abc", 3, OFFSET_CURRENT), 3);
    cr_assert_eq(user_write(self, file, "xyz", 3, 8), 3);
    cr_assert_eq(user_write(self, file, "de", 2, OFFSET_CURRENT), 2);
    cr_assert_eq(user_read(self, file, bytes, sizeof bytes, 0), 11);
    cr_assert_eq(memcmp(bytes, "abcde\0\0\0xyz", 11), 0);
    user_store(self, self->scratch, &spec, sizeof spec);
    cr_assert_geq(CALL(self, WATCH, queue, watched, self->scratch), 0);
    cr_assert_eq(user_read(self, queue, &record, sizeof record, OFFSET_CURRENT), ERR_EMPTY);
    cr_assert_eq(CALL(self, CLOSE, file), 0);
    cr_assert_eq(user_read(self, queue, &record, sizeof record, OFFSET_CURRENT), (int64_t)sizeof record);
    cr_assert_eq(record.event, EVENT_CLOSED);
}

// The longest path together with the longest target.
Test(figures, of_the_longest_link) {
    boot(1);
    char path[PATH_LEN_MAX + 1] = "/tmp", target[PATH_LEN_MAX + 1], found[PATH_LEN_MAX + 1];
    memset(target, 't', PATH_LEN_MAX);
    target[PATH_LEN_MAX] = '\0';
    for (size_t length = 4; length < PATH_LEN_MAX;) {
        size_t more = PATH_LEN_MAX - length - 1 < 50 ? PATH_LEN_MAX - length - 1 : 50;
        path[length] = '/';
        memset(path + length + 1, 'p', more);
        length += more + 1;
        path[length] = '\0';
        cr_assert_eq(length < PATH_LEN_MAX ? user_make(self, self->root, path, NODE_DIR, 0700)
                                           : user_link(self, self->root, path, target),
                     0);
    }
    handle_t link = (handle_t)user_open(self, self->root, path, OPEN_READ | OPEN_NOFOLLOW, 0);
    cr_assert_eq(user_read(self, link, found, sizeof found, 0), PATH_LEN_MAX);
    cr_assert_eq(memcmp(found, target, PATH_LEN_MAX), 0);
    cr_assert_eq(CALL(self, MAP, self->own, link, 0, 0, PAGE_SIZE, PROT_READ), ERR_WRONG_KIND);
}

// What each kind of object that somebody makes adds to the count of its kind.
Test(figures, of_objects) {
    static const char *const columns[] = {"processes",   "threads",   "pages", "channels",
                                          "connections", "notifiers", "files"};
    enum { KINDS = sizeof columns / sizeof columns[0] };
    uint64_t before[KINDS];
    boot(1);
    load("/kern/proc/stats/objects");
    for (unsigned i = 0; i < KINDS; i++) {
        before[i] = strtoull(value(1, columns[i]), nullptr, 0);
    }
    cr_assert_eq(before[0], 1);
    cr_assert_eq(before[1], 1);
    for (unsigned i = 0; i < 4; i++) {
        int64_t channel = user_channel(self, 0, nullptr, nullptr);
        cr_assert(i >= 3 || CALL(self, CONNECT, (uint64_t)channel, RIGHTS_ALL) > 0);
    }
    for (unsigned i = 0; i < 5; i++) {
        cr_assert_gt(CALL(self, NOTIFIER_CREATE, 0), 0);
        cr_assert_gt(user_open(self, self->root, "/tmp", OPEN_READ | OPEN_DIR, 0), 0);
    }
    cr_assert_gt(user_open(self, self->root, "/tmp", OPEN_READ | OPEN_DIR, 0), 0);
    cr_assert_gt(CALL(self, PAGES_CREATE, 4096), 0);
    load("/kern/proc/stats/objects");
    EXPECT(1, {"processes", before[0]}, {"threads", before[1]}, {"pages", before[2] + 1}, {"channels", before[3] + 4},
           {"connections", before[4] + 3}, {"notifiers", before[5] + 5}, {"files", before[6] + 6});
    cr_assert_not_null(machine_spawn(self, "child", nullptr, nullptr, PRIORITY_DEFAULT));
    load("/kern/proc/stats/objects");
    EXPECT(1, {"processes", before[0] + 1}, {"threads", before[1] + 1});
}

Test(figures, of_a_mapped_channel_and_one_that_is_not) {
    boot(1);
    cr_assert_gt(user_channel(self, self->root, "/ipc/m", &(struct abi_channel_config){.flags = CHANNEL_MAPPED}), 0);
    cr_assert_gt(user_channel(self, self->root, "/ipc/n", nullptr), 0);
    load("/ipc/m/ctl");
    EXPECT(1, {"mapped", 1}, {"temporary", 0});
    load("/ipc/m/stats");
    EXPECT(1, {"mapped", 1});
    load("/ipc/n/ctl");
    EXPECT(1, {"mapped", 0}, {"temporary", 0});
    load("/ipc/n/stats");
    EXPECT(1, {"mapped", 0});
    load("/kern/ipc/channels");
    EXPECT(1, {"mapped", 1});
    EXPECT(2, {"mapped", 0});
}

// The largest of each figure of a configuration is taken, one more is not; with a name and without.
Test(figures, of_the_largest_channels) {
    static const struct {
        struct abi_channel_config most, more;
    } limits[] = {
        {{.depth = CHANNEL_DEPTH_MAX}, {.depth = CHANNEL_DEPTH_MAX + 1}},
        {{.message_max = MESSAGE_MAX}, {.message_max = MESSAGE_MAX + 1}},
        {{.mode = 0777}, {.mode = 01000}},
        {{.flags = CHANNEL_TEMPORARY | CHANNEL_MAPPED}, {.flags = (CHANNEL_TEMPORARY | CHANNEL_MAPPED) + 1}},
    };
    boot(1);
    for (unsigned i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        char path[16];
        snprintf(path, sizeof path, "/ipc/%u", i);
        cr_assert_eq(user_channel(self, self->root, path, &limits[i].more), ERR_INVALID);
        cr_assert_eq(user_channel(self, 0, nullptr, &limits[i].more), ERR_INVALID);
        cr_assert_gt(user_channel(self, 0, nullptr, &limits[i].most), 0);
        cr_assert_gt(user_channel(self, self->root, path, &limits[i].most), 0);
    }
    load("/ipc/0/ctl");
    EXPECT(1, {"depth", CHANNEL_DEPTH_MAX}, {"message_max", MESSAGE_MAX});
}
