// The kernel's text files: what the documentation says they hold, snapshots, long tables, devices, /proc.
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch_types.h"
#include "kernel/alloc_fault.h"
#include "kernel/pages.h"
#include "kernel/process.h"
#include "kernel/thread.h"
#include "kfs/file.h"
#include "kfs/text.h"
#include "machine.h"
#include "property.h"

enum { TEXT_SIZE = 65536 };

static char text[TEXT_SIZE];
static struct user *self;

static void boot(void) {
    machine_boot(&(struct machine_options){.memory = 32u << 20});
    self = machine_init();
    cr_assert_gt(user_channel(self, self->root, "/ipc/c", nullptr), 0);
}

// Cut the next line off; null at the end.
static char *next_line(char **at) {
    char *line = *at;
    if (line == nullptr || *line == '\0') {
        return nullptr;
    }
    char *end = strchr(line, '\n');
    *at = end != nullptr ? end + 1 : nullptr;
    if (end != nullptr) {
        *end = '\0';
    }
    return line;
}

// The value of a field in a line of a table, line 1 being the first below the header.
static const char *field(const char *table, unsigned line, const char *name) {
    static char value[256];
    char lines[TEXT_SIZE], *at = lines, *header, *row;
    strcpy(lines, table);
    header = next_line(&at);
    do {
        row = next_line(&at);
    } while (--line > 0 && row != nullptr);
    if (row == nullptr) {
        return "";
    }
    char *h, *v;
    for (char *hs = nullptr, *vs = nullptr; (h = strtok_r(hs == nullptr ? header : nullptr, " ", &hs)) != nullptr &&
                                            (v = strtok_r(vs == nullptr ? row : nullptr, " ", &vs)) != nullptr;) {
        if (strcmp(h, name) == 0) {
            return strcpy(value, v);
        }
    }
    return "";
}

static uint64_t number(const char *name) {
    return strtoull(field(text, 1, name), nullptr, 0);
}

static void load(const char *path) {
    long length = user_text(self, path, text, sizeof text);
    cr_assert_geq(length, 0, "%s: %ld", path, length);
}

// ---- the documentation ----

static const char *const pages[] = {"arch", "channel", "console", "ipc",    "irq",   "mem",
                                    "ns",   "proc",    "sched",   "system", "thread"};

// Where the files of a page are on the machine.
static void place(const char *page, const char *path, char whole[256]) {
    if (strncmp(path, "/proc/PID/", 10) == 0) {
        snprintf(whole, 256, "/proc/self/%s", path + 10);
    } else {
        snprintf(whole, 256, "%s%s", strcmp(page, "channel") == 0 ? "/ipc/c/" : "", path);
    }
}

static unsigned check_fields(const char *page, const char *path, const char *fields) {
    char whole[256];
    place(page, path, whole);
    if (fields[0] == '\0') {
        return 0;
    }
    if (strcmp(path, "events") == 0) { // it has no end
        long events = user_open(self, self->root, whole, OPEN_READ, 0);
        long length = user_read(self, (handle_t)events, text, sizeof text - 1, OFFSET_CURRENT);
        cr_assert_gt(length, 0);
        text[length] = '\0';
    } else {
        load(whole);
    }
    char header[1024] = "";
    for (const char *at = text; *at != '\n' && *at != '\0'; at++) {
        if (*at != ' ' || (at[1] != ' ' && at[1] != '\n')) {
            strncat(header, at, 1);
        }
    }
    cr_assert_str_eq(header, fields, "%s does not have the fields that kfs/doc/%s.md says", path, page);
    // Every line has as many values as there are names.
    unsigned columns = 1;
    for (const char *at = header; *at != '\0'; at++) {
        columns += *at == ' ';
    }
    for (char *at = strchr(text, '\n') + 1, *line; (line = next_line(&at)) != nullptr;) {
        unsigned values = 0;
        for (char *rest = nullptr; strtok_r(rest == nullptr ? line : nullptr, " ", &rest) != nullptr;) {
            values++;
        }
        cr_assert_eq(values, columns, "%s", path);
    }
    return 1;
}

Test(text, fields_are_those_of_the_documentation) {
    unsigned files = 0;
    boot();
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        char name[512], line[2048], path[256] = "", fields[1024] = "";
        snprintf(name, sizeof name, "%s/%s.md", KFS_DOC, pages[i]);
        FILE *file = fopen(name, "r");
        cr_assert_not_null(file, "%s", name);
        while (fgets(line, sizeof line, file) != nullptr) {
            char word[256];
            if (sscanf(line, "## `%255[^`]`", word) == 1) {
                files += check_fields(pages[i], path, fields);
                strcpy(path, word);
                fields[0] = '\0';
            } else if (sscanf(line, "| `%255[^`]` |", word) == 1) {
                strcat(fields, fields[0] != '\0' ? " " : "");
                strcat(fields, word);
            }
        }
        files += check_fields(pages[i], path, fields);
        fclose(file);
    }
    cr_assert_gt(files, 25);
}

// Whether a path stands in a page, as a heading.
static bool documented(const char *path) {
    char heading[300], line[2048];
    bool found = false;
    snprintf(heading, sizeof heading, "## `%s`\n", path);
    for (size_t i = 0; i < sizeof pages / sizeof pages[0] && !found; i++) {
        char name[512];
        snprintf(name, sizeof name, "%s/%s.md", KFS_DOC, pages[i]);
        FILE *file = fopen(name, "r");
        cr_assert_not_null(file, "%s", name);
        while (!found && fgets(line, sizeof line, file) != nullptr) {
            found = strcmp(line, heading) == 0;
        }
        fclose(file);
    }
    return found;
}

// Every file below a directory has its place in the documentation, where it is called `known` and its name.
static unsigned check_documented(const char *directory, const char *known) {
    long handle = user_open(self, self->root, directory, OPEN_READ | OPEN_DIR, 0);
    cr_assert_gt(handle, 0, "%s", directory);
    unsigned files = 0;
    struct abi_dirent entry;
    for (uint64_t cookie = 0; CALL(self, LIST, (uint64_t)handle, cookie, self->scratch, 1) == 1;
         cookie = entry.cookie) {
        char path[256], name[256];
        cr_assert(user_load(self, &entry, self->scratch, sizeof entry));
        snprintf(path, sizeof path, "%s/%s", directory, entry.name);
        snprintf(name, sizeof name, "%s%s", known, entry.name);
        if (entry.stat.kind == NODE_DIR) {
            strncat(name, "/", sizeof name - strlen(name) - 1);
            files += check_documented(path, name);
        } else {
            cr_assert(documented(name), "%s is not documented in kfs/doc", name);
            files++;
        }
    }
    CALL(self, CLOSE, (uint64_t)handle);
    return files;
}

Test(text, every_file_is_documented) {
    boot();
    cr_assert_gt(check_documented("/kern", "/kern/"), 20);
    cr_assert_gt(check_documented("/proc/1", "/proc/PID/"), 7);
    cr_assert_gt(check_documented("/ipc/c", ""), 3);
}

// ---- snapshots ----

// All reads of one open are one picture, whatever happens between them (IPC-6.4).
Test(text, snapshot_is_taken_at_open) {
    char early[2048], late[2048];
    boot();
    long server = user_open(self, self->root, "/ipc/c/data", OPEN_SERVE, 0);
    long client = user_open(self, self->root, "/ipc/c/data", OPEN_READ | OPEN_WRITE, 0);
    cr_assert_gt(server, 0);
    long stats = user_open(self, self->root, "/kern/ipc/stats/messages", OPEN_READ, 0);
    long first = user_read(self, (handle_t)stats, early, sizeof early, 0);
    cr_assert_gt(first, 0);
    for (int i = 0; i < 10; i++) {
        cr_assert_eq(user_send(self, (handle_t)client, "x", 1, 0, 0), 0);
    }
    cr_assert_eq(user_read(self, (handle_t)stats, late, 7, 0), 7);
    cr_assert_eq(user_read(self, (handle_t)stats, late + 7, sizeof late - 7, 7), first - 7);
    cr_assert_eq(memcmp(early, late, (size_t)first), 0);
    cr_assert_eq(user_read(self, (handle_t)stats, late, sizeof late, (uint64_t)first), 0);
    load("/kern/ipc/stats/messages");
    cr_assert_eq(number("sent"), 10);
    cr_assert_eq(number("sent"), number("received") + number("queued") + number("discarded"));
    load("/ipc/c/stats");
    cr_assert_eq(number("queued"), 10);
    cr_assert_eq(number("servers"), 2);
    cr_assert_eq(number("connections"), 1);
}

// ---- long tables ----

// Channels come and go while the registry is read in pieces: those that stay are there once, every line is whole.
static void registry_is_exact(struct property *p) {
    enum { NAMES = 60 };
    static char table[TEXT_SIZE];
    bool there[NAMES] = {}, throughout[NAMES];
    size_t size = 0;
    machine_boot(&(struct machine_options){});
    self = machine_init();
    char path[64];
    for (unsigned i = 0; i < NAMES; i++) {
        snprintf(path, sizeof path, "/ipc/channel-%u", i);
        long server = user_channel(self, self->root, path, nullptr);
        property_check(p, server > 0);
        CALL(self, CLOSE, (uint64_t)server);
        there[i] = true;
    }
    memcpy(throughout, there, sizeof there);
    long file = user_open(self, self->root, "/kern/ipc/channels", OPEN_READ, 0);
    property_check(p, file > 0);
    for (;;) {
        unsigned which = (unsigned)property_choose(p, "channel", NAMES);
        snprintf(path, sizeof path, "/ipc/channel-%u", which);
        if (property_chance(p, "change", 30) && there[which]) {
            property_equal(p, user_remove(self, self->root, path), 0);
            there[which] = throughout[which] = false;
        }
        size_t length = (size_t)property_between(p, "length", 1, 3000);
        uint64_t offset = property_chance(p, "by offset", 50) ? size : OFFSET_CURRENT;
        long got = user_read(self, (handle_t)file, table + size, length, offset);
        if (offset != OFFSET_CURRENT && got > 0) {
            // The position did not move: read on by offset only.
            while (got > 0) {
                size += (size_t)got;
                got = user_read(self, (handle_t)file, table + size, length, size);
            }
        }
        property_check(p, got >= 0);
        size += (size_t)got;
        if (got == 0) {
            break;
        }
    }
    table[size] = '\0';
    property_check(p, size > 0 && table[size - 1] == '\n');
    for (unsigned i = 0; i < NAMES; i++) {
        snprintf(path, sizeof path, " /ipc/channel-%u ", i);
        char *at = strstr(table, path);
        property_check(p, !throughout[i] || (at != nullptr && strstr(at + 1, path) == nullptr));
    }
    property_equal(p, user_read(self, (handle_t)file, text, 1, size + 1), ERR_INVALID);
    if (size > 2 * TEXT_CHUNK) { // its first part has been written over
        property_equal(p, user_read(self, (handle_t)file, text, 1, 1), ERR_INVALID);
    }
    property_equal(p, user_read(self, (handle_t)file, text, 3, 0), 3);
    property_equal(p, memcmp(text, "id ", 3), 0);
}

Test(text, registry_is_exact) {
    cr_assert(property_run("registry_is_exact", 300, registry_is_exact));
}

// What the namespace says of itself: exactly what was asked of it. A reading counts itself, once it is done.
Test(text, namespace_counts_what_it_does) {
    struct abi_stat stat;
    boot();
    cr_assert_eq(user_link(self, self->root, "/tmp/way", "/kern"), 0);
    cr_assert_eq(user_make(self, self->root, "/tmp/gone", NODE_DIR, 0777), 0);
    handle_t gone = (handle_t)user_open(self, self->root, "/tmp/gone", OPEN_READ | OPEN_DIR, 0);
    cr_assert_eq(user_remove(self, self->root, "/tmp/gone"), 0);

    load("/kern/ns/stats/lookups");
    uint64_t paths = number("paths"), failed = number("failed"), components = number("components");
    uint64_t links = number("links"), lookups = number("child_lookups"), steps = number("child_steps");
    cr_assert_eq(user_stat(self, self->root, "/tmp/../kern/version", &stat), 0);  // 3 names
    cr_assert_eq(user_stat(self, self->root, "/tmp/way/version", &stat), 0);      // 4, with those of the link
    cr_assert_eq(user_stat(self, self->root, "/tmp/none", &stat), ERR_NOT_FOUND); // 2, but the way to /tmp is known
    cr_assert_eq(user_stat(self, gone, "x", &stat), ERR_REMOVED);                 // none
    load("/kern/ns/stats/lookups");                                               // 4, but only the last is looked up
    cr_assert_eq(number("paths") - paths, 5);
    cr_assert_eq(number("failed") - failed, 2);
    cr_assert_eq(number("components") - components, 13);
    cr_assert_eq(number("links") - links, 1);
    cr_assert_eq(number("child_lookups") - lookups, 13 - 1 - 3);
    cr_assert_geq(number("child_steps") - steps, 12 - 1 - 3); // each that was found

    load("/kern/ns/stats/opens");
    uint64_t opened = number("opened"), refused = number("failed"), created = number("created"), open = number("open");
    cr_assert_gt(user_open(self, self->root, "/tmp/new", OPEN_WRITE | OPEN_CREATE, 0600), 0);
    cr_assert_eq(user_open(self, self->root, "/tmp/none", OPEN_READ, 0), ERR_NOT_FOUND);
    cr_assert_eq(user_open(self, self->root, "/kern/version", OPEN_WRITE, 0), ERR_READ_ONLY);
    load("/kern/ns/stats/opens");
    cr_assert_eq(number("opened") - opened, 2);
    cr_assert_eq(number("failed") - refused, 2);
    cr_assert_eq(number("created") - created, 1);
    cr_assert_eq(number("open") - open, 1);
}

// A text that goes on behind its keeper's room, read to where nothing is mapped.
Test(text, nowhere_to_read_to) {
    boot();
    long file = user_open(self, self->root, "/kern/mem/stats/slabs", OPEN_READ, 0);
    cr_assert_gt(file, 0);
    cr_assert_gt(CALL(self, READ, (uint64_t)file, self->scratch, 4096, 0), FILE_HEAD);
    cr_assert_eq(CALL(self, READ, (uint64_t)file, ARCH_USER_BASE, 4096, 0), ERR_FAULT);
    cr_assert_eq(CALL(self, READ, (uint64_t)file, ARCH_USER_BASE, 1, 0), ERR_FAULT);
}

// A blank or a backslash in a word would break the table. A label is several words.
Test(text, words_are_escaped) {
    char path[64];
    boot();
    cr_assert_gt(user_open(self, self->root, "/tmp/a b\\c~", OPEN_READ | OPEN_CREATE, 0600), 0);
    load("/proc/self/handles");
    cr_assert_not_null(strstr(text, " /tmp/a_b\\x5cc~\n"), "%s", text);
    struct user *child = machine_spawn(self, "a b", nullptr, nullptr, PRIORITY_DEFAULT);
    snprintf(path, sizeof path, "/proc/%u/status", child->pid);
    load(path);
    cr_assert_str_eq(field(text, 1, "name"), "a\\x20b");
    char head[64];
    struct text words = {};
    text_init(&words, head, sizeof head);
    text_header(&words, "word");
    text_word(&words, "\x7f~\\\xe4!\x1f");
    cr_assert_eq(memcmp(head, "word\n\\x7f~\\x5c\xe4!\\x1f\n", 21), 0);
    cr_assert_eq(text_size(&words), 21);
    text_clear(&words);
}

Test(text, handles_and_threads_of_a_process) {
    boot();
    long file = user_open(self, self->root, "/tmp/f", OPEN_READ | OPEN_WRITE | OPEN_CREATE, 0600);
    load("/proc/self/handles");
    char line[128];
    snprintf(line, sizeof line, "\n%ld ", file);
    const char *at = strstr(text, line);
    cr_assert_not_null(at);
    cr_assert_not_null(strstr(at, "/tmp/f"));
    cr_assert_not_null(strstr(at, "rw---vg-"));
    struct user *child = machine_spawn(self, "child", nullptr, nullptr, PRIORITY_DEFAULT);
    for (int i = 0; i < 40; i++) {
        cr_assert_not_null(machine_thread(child, nullptr, nullptr, PRIORITY_DEFAULT));
    }
    snprintf(line, sizeof line, "/proc/%u/threads", child->pid);
    load(line);
    unsigned lines = 0;
    for (const char *c = text; *c != '\0'; c++) {
        lines += *c == '\n';
    }
    cr_assert_eq(lines, 1 + 41);
}

// ---- /proc ----

Test(text, kill_through_proc) {
    boot();
    struct user *child = machine_spawn(self, "child", nullptr, nullptr, PRIORITY_DEFAULT);
    struct user *stranger = machine_spawn(self, "stranger", nullptr, nullptr, PRIORITY_DEFAULT);
    stranger->thread->process->owner = 9;
    char path[64];
    snprintf(path, sizeof path, "/proc/%u/ctl", child->pid);
    cr_assert_eq(user_open(stranger, stranger->root, path, OPEN_WRITE, 0), ERR_ACCESS);
    snprintf(path, sizeof path, "/proc/%u/handles", child->pid);
    cr_assert_eq(user_open(stranger, stranger->root, path, OPEN_READ, 0), ERR_ACCESS);
    snprintf(path, sizeof path, "/proc/%u/ctl", child->pid);
    long ctl = user_open(self, self->root, path, OPEN_WRITE, 0);
    cr_assert_gt(ctl, 0);
    cr_assert_eq(user_write(self, (handle_t)ctl, "slay", 4, 0), ERR_INVALID);
    cr_assert_eq(user_write(self, (handle_t)ctl, "killer", 6, 0), ERR_INVALID);
    cr_assert_eq(user_write(self, (handle_t)ctl, "kill 4x", 7, 0), ERR_INVALID);
    cr_assert_eq(user_write(self, (handle_t)ctl, "kill -", 6, 0), ERR_INVALID);
    cr_assert_eq(user_write(self, (handle_t)ctl, "kill 18446744073709551617", 25, 0), ERR_INVALID);
    cr_assert_eq(user_write(self, (handle_t)ctl, "kill 2147483648", 15, 0), ERR_INVALID);
    cr_assert_eq(user_write(self, (handle_t)ctl, "kill -2147483649", 16, 0), ERR_INVALID);
    long given = CALL(self, GIVE, stranger->process, (uint64_t)ctl, RIGHT_WRITE);
    cr_assert_eq(user_write(stranger, (handle_t)given, "kill", 4, 0), ERR_ACCESS);
    cr_assert_eq(user_write(self, (handle_t)ctl, "kill 4294967296", 15, 0), ERR_INVALID);
    cr_assert_eq(user_write(self, (handle_t)ctl, "kill 42", 7, 0), 7);
    machine_run_until_idle();
    cr_assert(user_gone(child));
    cr_assert_eq(user_write(self, (handle_t)ctl, "kill 42", 7, 0), ERR_DEAD);
    snprintf(path, sizeof path, "/proc/%u/status", child->pid);
    load(path);
    cr_assert_str_eq(field(text, 1, "state"), "killed");
    cr_assert_str_eq(field(text, 1, "exit_status"), "42");
    // A process can end itself so, too.
    long own = user_open(stranger, stranger->root, "/proc/self/ctl", OPEN_WRITE, 0);
    cr_assert_gt(own, 0);
    user_write(stranger, (handle_t)own, "kill", 4, 0);
    machine_run_until_idle();
    cr_assert(user_gone(stranger));
    machine_check();
}

// What is read of a process after its end is what is left of it; before, during and after are all safe.
Test(text, tables_of_a_process_that_ends) {
    static const char *const files[] = {"handles", "threads", "maps", "status", "fault", "cpu"};
    enum { FILES = sizeof files / sizeof files[0] };
    boot();
    struct user *child = machine_spawn(self, "child", nullptr, nullptr, PRIORITY_DEFAULT);
    for (int i = 0; i < 100; i++) {
        cr_assert_gt(CALL(child, DUP, child->root, RIGHT_READ), 0);
        cr_assert_not_null(i < 20 ? machine_thread(child, nullptr, nullptr, PRIORITY_DEFAULT) : child);
    }
    long file[FILES];
    char path[64], some[200];
    for (unsigned i = 0; i < FILES; i++) {
        snprintf(path, sizeof path, "/proc/%u/%s", child->pid, files[i]);
        file[i] = user_open(self, self->root, path, OPEN_READ, 0);
        cr_assert_gt(file[i], 0);
        cr_assert_geq(user_read(self, (handle_t)file[i], some, sizeof some, OFFSET_CURRENT), 0);
    }
    snprintf(path, sizeof path, "/proc/%u", child->pid);
    long directory = user_open(self, self->root, path, OPEN_READ | OPEN_DIR, 0);
    cr_assert_eq(CALL(self, KILL, child->process, 3), 0);
    for (unsigned round = 0; round < 40; round++) {
        for (unsigned i = 0; i < FILES; i++) {
            long got = user_read(self, (handle_t)file[i], some, sizeof some, OFFSET_CURRENT);
            cr_assert(got >= 0 || got == ERR_INVALID, "%s: %ld", files[i], got); // a long table was begun anew
            cr_assert_geq(user_read(self, (handle_t)file[i], some, sizeof some, 0), 0);
        }
        machine_step();
    }
    machine_run_until_idle();
    CALL(self, CLOSE, child->process);
    CALL(self, CLOSE, child->self);
    for (unsigned i = 0; i < FILES; i++) {
        cr_assert_geq(user_read(self, (handle_t)file[i], some, sizeof some, 0), 0);
        CALL(self, CLOSE, (uint64_t)file[i]);
    }
    // The open directory still keeps the process, and its pid.
    long status = user_open(self, (handle_t)directory, "status", OPEN_READ, 0);
    cr_assert_gt(status, 0);
    CALL(self, CLOSE, (uint64_t)status);
    CALL(self, CLOSE, (uint64_t)directory);
    machine_run_until_idle();
    cr_assert_eq(user_open(self, self->root, path, OPEN_READ, 0), ERR_NOT_FOUND);
    machine_check();
}

static void work_for_ever(struct user *user) {
    for (;;) {
        user_work(user, 1000000);
    }
}

static void fault_program(struct user *user) {
    user_raise(user, FAULT_INSTRUCTION);
}

static void exit_program(struct user *user) {
    CALL(user, EXIT, 7);
}

static void expect_state(uint32_t pid, const char *state) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%u/status", pid);
    load(path);
    cr_assert_str_eq(field(text, 1, "state"), state);
}

Test(text, states_of_processes_and_threads) {
    boot();
    cr_assert(user_store(self, self->scratch, "egg", 3));
    cr_assert_gt(CALL(self, PROCESS_CREATE, self->scratch, 3, ID_INHERIT, ID_INHERIT), 0);
    uint32_t egg = self->pid + 1;
    expect_state(egg, "embryo");
    load("/proc/2/threads");
    cr_assert_eq(strchr(text, '\n')[1], '\0'); // none
    expect_state(self->pid, "running");
    struct user *child = machine_spawn(self, "exits", exit_program, nullptr, PRIORITY_DEFAULT);
    uint32_t pid = child->pid;
    machine_run_until_idle();
    expect_state(pid, "exited");
    cr_assert_str_eq(field(text, 1, "exit_status"), "7");
    child = machine_spawn(self, "faults", fault_program, nullptr, PRIORITY_DEFAULT);
    pid = child->pid;
    machine_run_until_idle();
    expect_state(pid, "faulted");
    // One CPU: of two that would work for ever, one is ready; the one that looks runs; a third sleeps.
    struct user *worker = machine_spawn(self, "worker", work_for_ever, nullptr, PRIORITY_DEFAULT - 1);
    char path[64];
    snprintf(path, sizeof path, "/proc/%u/threads", worker->pid);
    load(path);
    cr_assert_str_eq(field(text, 1, "state"), "ready");
    cr_assert_str_eq(field(text, 1, "parked_on"), "-");
    struct user *sleeper = machine_thread(self, nullptr, nullptr, PRIORITY_DEFAULT);
    user_begin(sleeper, CALL_WAIT, (const uint64_t[6]){0, 0, FOREVER});
    for (unsigned i = 0; i < 1000 && !user_parked(sleeper); i++) {
        machine_step();
        user_work(self, 1000000);
    }
    load("/proc/self/threads");
    cr_assert_str_eq(field(text, 1, "state"), "running");
    cr_assert_str_eq(field(text, 2, "state"), "parked");
    cr_assert_str_eq(field(text, 2, "parked_on"), "wait");
}

// Each refusal is counted under its call and its error, and nothing else is listed.
Test(text, refusals_are_counted_by_call_and_error) {
    boot();
    load("/kern/ipc/stats/errors");
    uint64_t before = 0;
    for (unsigned line = 1; *field(text, line, "call") != '\0'; line++) {
        cr_assert_neq(strtoull(field(text, line, "count"), nullptr, 10), 0);
        before += strtoull(field(text, line, "count"), nullptr, 10);
    }
    for (unsigned i = 0; i < 5; i++) {
        cr_assert_eq(CALL(self, CLOSE, 0xffff), ERR_BAD_HANDLE);
    }
    cr_assert_eq(CALL(self, NOTIFIER_CREATE, NOTIFIER_DEPTH_MAX + 1), ERR_INVALID);
    load("/kern/ipc/stats/errors");
    uint64_t after = 0, closes = 0, creations = 0;
    for (unsigned line = 1; *field(text, line, "call") != '\0'; line++) {
        char call[64], error[64];
        strcpy(call, field(text, line, "call"));
        strcpy(error, field(text, line, "error"));
        uint64_t count = strtoull(field(text, line, "count"), nullptr, 10);
        cr_assert_neq(count, 0);
        after += count;
        closes += strcmp(call, "close") == 0 && strcmp(error, "ERR_BAD_HANDLE") == 0 ? count : 0;
        creations += strcmp(call, "notifier_create") == 0 && strcmp(error, "ERR_INVALID") == 0 ? count : 0;
    }
    cr_assert_eq(after, before + 6);
    cr_assert_eq(closes, 5);
    cr_assert_eq(creations, 1);
}

// ---- devices ----

Test(text, console_wakes_whoever_opened_it) {
    boot();
    char bytes[16];
    long console = user_open(self, self->root, "/dev/console", OPEN_READ | OPEN_WRITE, 0);
    struct user *child = machine_spawn(self, "child", nullptr, nullptr, PRIORITY_DEFAULT);
    long second = user_open(child, child->root, "/dev/console", OPEN_READ, 0);
    cr_assert_eq(user_read(self, (handle_t)console, bytes, 16, OFFSET_CURRENT), ERR_EMPTY);
    cr_assert_eq(user_wait_one(child, (handle_t)second, EVENT_READABLE, FOREVER), USER_PARKED);
    host_console_type("hey", 3);
    machine_run_until_idle();
    cr_assert(user_answered(child));
    cr_assert_eq(child->status, 0);
    cr_assert_eq(user_read(child, (handle_t)second, bytes, 2, OFFSET_CURRENT), 2);
    cr_assert_eq(CALL(self, READ, (uint64_t)console, 64, 1, 0), ERR_FAULT); // takes nothing
    cr_assert_eq(user_read(self, (handle_t)console, bytes + 2, 16, OFFSET_CURRENT), 1);
    cr_assert_eq(memcmp(bytes, "hey", 3), 0);
    host_console_clear();
    memset(text, 'w', 3000);
    cr_assert_eq(user_write(self, (handle_t)console, text, 3000, OFFSET_CURRENT), 256);
    const char *output;
    cr_assert_eq(host_console_output(&output), 256);
}

Test(text, null_and_zero) {
    boot();
    char bytes[2000];
    long null = user_open(self, self->root, "/dev/null", OPEN_READ | OPEN_WRITE | OPEN_TRUNCATE, 0);
    long zero = user_open(self, self->root, "/dev/zero", OPEN_READ, 0);
    cr_assert_eq(user_read(self, (handle_t)null, bytes, 10, 0), 0);
    cr_assert_eq(user_write(self, (handle_t)null, "gone", 4, 0), 4);
    memset(bytes, 1, sizeof bytes);
    cr_assert_eq(user_read(self, (handle_t)zero, bytes, sizeof bytes, 0), sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++) {
        cr_assert_eq(bytes[i], 0);
    }
}

Test(text, power_ends_the_machine) {
    static const struct {
        const char *command;
        enum host_end end;
        unsigned status;
    } cases[] = {{"off", HOST_POWER_OFF, 0}, {"off 3\n", HOST_POWER_OFF, 3}, {"reset", HOST_RESET, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        boot();
        uint64_t power = (uint64_t)user_open(self, self->root, "/dev/power", OPEN_WRITE, 0);
        cr_assert(user_store(self, self->scratch, cases[i].command, strlen(cases[i].command)));
        user_begin(self, CALL_WRITE, (const uint64_t[6]){power, self->scratch, strlen(cases[i].command)});
        cr_assert_eq(machine_run_to_end(), cases[i].end);
        cr_assert_eq(host_status(), cases[i].status);
    }
}

Test(text, power_is_for_user_0) {
    boot();
    struct user *child = machine_spawn(self, "child", nullptr, nullptr, PRIORITY_DEFAULT);
    long power = user_open(self, self->root, "/dev/power", OPEN_WRITE, 0);
    cr_assert_eq(user_write(self, (handle_t)power, "off -1", 6, 0), ERR_INVALID);
    child->thread->process->owner = 4;
    cr_assert_eq(user_open(child, child->root, "/dev/power", OPEN_WRITE, 0), ERR_ACCESS);
    long given = CALL(self, GIVE, child->process, (uint64_t)power, RIGHT_WRITE);
    cr_assert_eq(user_write(child, (handle_t)given, "off", 3, 0), ERR_ACCESS);
    cr_assert_eq(user_write(child, (handle_t)given, "reset", 5, 0), ERR_ACCESS);
    cr_assert_eq(user_write(child, (handle_t)given, "sleep", 5, 0), ERR_INVALID);
    cr_assert_eq(host_ended(), HOST_RUNNING);
}

// ---- the edges of reading and writing ----

Test(text, links_are_read_by_who_does_not_follow) {
    boot();
    char bytes[16];
    cr_assert_eq(user_link(self, self->root, "/tmp/l", "/kern/version"), 0);
    cr_assert_eq(user_open(self, self->root, "/tmp/l", OPEN_WRITE | OPEN_NOFOLLOW, 0), ERR_READ_ONLY);
    handle_t link = (handle_t)user_open(self, self->root, "/tmp/l", OPEN_READ | OPEN_NOFOLLOW, 0);
    cr_assert_eq(user_read(self, link, bytes, sizeof bytes, OFFSET_CURRENT), 13);
    cr_assert_eq(memcmp(bytes, "/kern/version", 13), 0);
    cr_assert_eq(user_read(self, link, bytes, sizeof bytes, OFFSET_CURRENT), 0);
    cr_assert_eq(user_read(self, link, bytes, 4, 1), 4);
    cr_assert_eq(memcmp(bytes, "kern", 4), 0);
    cr_assert_eq(user_read(self, link, bytes, 10, 5), 8); // more than is left, less than the whole and as much again
    cr_assert_eq(memcmp(bytes, "/version", 8), 0);
    cr_assert_eq(user_read(self, link, bytes, 0, 0), 0);
    cr_assert_eq(CALL(self, READ, link, 64, 4, 0), ERR_FAULT);
}

// A file that only takes commands is empty for who may read it all the same.
Test(text, command_files_have_no_text) {
    boot();
    char byte;
    handle_t ctl = (handle_t)user_open(self, self->root, "/proc/self/ctl", OPEN_READ, 0);
    cr_assert_eq(user_read(self, ctl, &byte, 1, 0), 0);
    cr_assert_eq(user_read(self, ctl, &byte, 1, 100), 0);
}

// A long table that finds no memory on the way says so, and can be read again from its beginning.
Test(text, long_table_without_memory_is_refused_and_read_anew) {
    boot();
    char path[32];
    for (unsigned i = 0; i < 60; i++) {
        snprintf(path, sizeof path, "/ipc/long-name-%u", i);
        cr_assert_gt(user_channel(self, self->root, path, nullptr), 0);
    }
    handle_t file = (handle_t)user_open(self, self->root, "/kern/ipc/channels", OPEN_READ, 0);
    alloc_fault_arm(1, true);
    int64_t got;
    for (unsigned i = 0; i < 100 && (got = user_read(self, file, text, 200, OFFSET_CURRENT)) > 0; i++) {
    }
    bool fired = alloc_fault_fired();
    alloc_fault_arm(0, false);
    cr_assert(fired);
    cr_assert_eq(got, ERR_NO_MEMORY);
    cr_assert_eq(user_read(self, file, text, 3, 0), 3);
    cr_assert_eq(memcmp(text, "id ", 3), 0);
    load("/kern/ipc/channels");
    cr_assert_not_null(strstr(text, " /ipc/long-name-59 "));
}

Test(text, commands_are_short_lines) {
    boot();
    char line[200];
    handle_t ctl = (handle_t)user_open(self, self->root, "/ipc/c/ctl", OPEN_WRITE, 0);
    memset(line, ' ', sizeof line);
    cr_assert_eq(user_write(self, ctl, line, 0, 0), ERR_INVALID);
    cr_assert_eq(user_write(self, ctl, line, 128, 0), ERR_INVALID);
    cr_assert_eq(user_write(self, ctl, line, 127, 0), ERR_INVALID); // nothing but blanks
    cr_assert_eq(user_write(self, ctl, "mode\0 600", 9, 0), ERR_INVALID);
    cr_assert_eq(CALL(self, WRITE, ctl, 64, 8, 0), ERR_FAULT);
    cr_assert_eq(user_write(self, ctl, "mode 600 \n\n", 11, 0), 11);
}

Test(text, reads_into_nowhere_move_nothing) {
    static const char *const paths[] = {"/kern/version", "/kern/ipc/channels", "/dev/zero", "/ipc/c/events"};
    boot();
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        int64_t file = user_open(self, self->root, paths[i], OPEN_READ, 0);
        cr_assert_eq(CALL(self, READ, (uint64_t)file, 64, 200, OFFSET_CURRENT), ERR_FAULT, "%s", paths[i]);
        char bytes[32];
        cr_assert_gt(user_read(self, (handle_t)file, text, 200, OFFSET_CURRENT), 0);
        cr_assert_gt(user_read(self, (handle_t)file, bytes, 0, 0), -100);
    }
    int64_t null = user_open(self, self->root, "/dev/null", OPEN_WRITE, 0);
    int64_t console = user_open(self, self->root, "/dev/console", OPEN_READ | OPEN_WRITE, 0);
    cr_assert_eq(CALL(self, WRITE, (uint64_t)null, 64, 8, 0), 8); // not looked at
    cr_assert_eq(CALL(self, WRITE, (uint64_t)console, 64, 8, 0), ERR_FAULT);
}

// What is always ready is no reason to wait; an events file is, once its header is read.
Test(text, readiness_of_files) {
    static const char *const paths[] = {"/dev/null", "/dev/zero", "/kern/version"};
    boot();
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        int64_t file = user_open(self, self->root, paths[i], OPEN_READ, 0);
        cr_assert_eq(user_wait_one(self, (handle_t)file, EVENT_READABLE | EVENT_WRITABLE, 0), 0, "%s", paths[i]);
    }
    handle_t events = (handle_t)user_open(self, self->root, "/ipc/c/events", OPEN_READ, 0);
    cr_assert_eq(user_wait_one(self, events, EVENT_READABLE, 0), 0);
    cr_assert_gt(user_read(self, events, text, sizeof text, OFFSET_CURRENT), 0);
    cr_assert_eq(user_wait_one(self, events, EVENT_READABLE, 0), ERR_TIMED_OUT);
    // What it is called in the lists of handles and holders.
    load("/proc/self/handles");
    cr_assert_not_null(strstr(text, "events_of_"));
    load("/kern/ipc/holders");
    cr_assert_not_null(strstr(text, "events_of_"));
    cr_assert_eq(user_remove(self, self->root, "/ipc/c"), 0);
    cr_assert_eq(user_wait_one(self, events, EVENT_READABLE, 0), 0);
    cr_assert_gt(user_read(self, events, text, sizeof text, OFFSET_CURRENT), 0);
    cr_assert_eq(user_wait_one(self, events, EVENT_READABLE, 0), 0); // the end is there to be read
    cr_assert_eq(user_read(self, events, text, sizeof text, OFFSET_CURRENT), 0);
}

Test(text, run_queue_shows_who_waits_for_a_cpu) {
    boot();
    load("/kern/sched/stats/queues");
    cr_assert_eq(number("ready"), 0);
    cr_assert_str_eq(field(text, 1, "highest"), "-1");
    cr_assert_not_null(machine_spawn(self, "worker", work_for_ever, nullptr, PRIORITY_DEFAULT - 1));
    load("/kern/sched/stats/queues");
    cr_assert_eq(number("ready"), 1);
    cr_assert_eq(number("highest"), PRIORITY_DEFAULT - 1);
    cr_assert_eq(number("running"), 1);
}

static unsigned lines_of(const char *path) {
    unsigned lines = 0;
    load(path);
    for (const char *at = text; *at != '\0'; at++) {
        lines += *at == '\n';
    }
    return lines;
}

Test(text, cpu_that_did_not_come_up_is_left_out) {
    machine_boot(&(struct machine_options){.cpus = 3, .host = &(struct host_options){.dead_cpus = 1 << 1}});
    self = machine_init();
    cr_assert_eq(lines_of("/kern/sched/stats/cpus"), 1 + 2);
    cr_assert_eq(lines_of("/kern/sched/stats/queues"), 1 + 2);
    cr_assert_eq(lines_of("/kern/irq/stats/counts"), 1 + 2);
    cr_assert_eq(lines_of("/kern/cpus"), 1 + 3);
    cr_assert_str_eq(field(text, 1, "state"), "online");
    cr_assert_str_eq(field(text, 2, "state"), "offline");
    cr_assert_str_eq(field(text, 3, "state"), "online");
    load("/kern/uptime");
    cr_assert_eq(number("cpus"), 2);
}

Test(text, console_gives_a_part_at_a_time) {
    boot();
    char typed[300];
    memset(typed, 't', sizeof typed);
    handle_t console = (handle_t)user_open(self, self->root, "/dev/console", OPEN_READ, 0);
    cr_assert_eq(user_read(self, console, text, 0, OFFSET_CURRENT), 0);
    host_console_type(typed, sizeof typed);
    machine_settle();
    int64_t first = user_read(self, console, text, sizeof typed, OFFSET_CURRENT);
    cr_assert(first > 0 && first <= 256, "%ld", (long)first);
    cr_assert_eq(user_read(self, console, text, 1, OFFSET_CURRENT), 1);
}

Test(text, latency_beyond_the_last_bound) {
    boot();
    handle_t box = (handle_t)user_channel(self, self->root, "/ipc/quick", nullptr);
    handle_t sender = (handle_t)user_open(self, self->root, "/ipc/quick/data", OPEN_WRITE, 0);
    cr_assert_eq(user_send(self, sender, "x", 1, 0, 0), 0);
    user_work(self, 5000 - 1);
    cr_assert_eq(user_recv(self, box, text, 1), 1);
    load("/ipc/quick/latency");
    uint64_t bound = number("below_ns");
    cr_assert(bound >= 8192 && bound <= 16384, "%s", text); // a call or two takes time as well
    cr_assert_eq(number("messages"), 1);
    handle_t server = (handle_t)user_open(self, self->root, "/ipc/c/data", OPEN_SERVE, 0);
    handle_t client = (handle_t)user_open(self, self->root, "/ipc/c/data", OPEN_WRITE, 0);
    cr_assert_eq(user_send(self, client, "x", 1, 0, 0), 0);
    user_work(self, UINT64_C(600000000000)); // 10 minutes
    cr_assert_eq(user_recv(self, server, text, 1), 1);
    load("/ipc/c/latency");
    cr_assert_str_eq(field(text, 1, "below_ns"), "18446744073709551615");
}

// A text that grows too big is refused, and not cut.
Test(text, text_is_bounded) {
    static const char bytes[TEXT_MAX / 4];
    boot();
    char head[100];
    struct text long_one = {};
    text_init(&long_one, head, sizeof head);
    for (unsigned i = 0; i < 4; i++) {
        text_bytes(&long_one, bytes, sizeof bytes);
        cr_assert_eq(long_one.status, 0);
    }
    cr_assert_eq(text_size(&long_one), TEXT_MAX);
    text_bytes(&long_one, "", 0);
    cr_assert_eq(long_one.status, 0);
    text_bytes(&long_one, "x", 1);
    cr_assert_eq(long_one.status, ERR_TOO_BIG);
    cr_assert_eq(text_size(&long_one), TEXT_MAX);
    text_rewind(&long_one);
    text_bytes(&long_one, "x", 1);
    cr_assert_eq(long_one.status, 0);
    cr_assert_eq(text_size(&long_one), 1);
    text_clear(&long_one);
}

// As C writes it, whatever the length.
Test(text, hexadecimal_numbers_are_whole) {
    boot();
    for (unsigned bit = 0; bit <= 64; bit++) {
        uint64_t edge = bit < 64 ? 1ull << bit : 0;
        for (uint64_t value = edge - 1; value != edge + 1; value++) {
            char expected[24], got[24];
            struct text line = {};
            text_init(&line, got, sizeof got);
            text_header(&line, "n");
            text_hex(&line, value);
            int length = snprintf(expected, sizeof expected, "n\n0x%lx\n", value);
            cr_assert_eq(text_size(&line), (uint64_t)length);
            cr_assert_eq(memcmp(got, expected, (size_t)length), 0);
            text_clear(&line);
        }
    }
}

// It begins in its keeper's room and goes on in pages, wherever the one ends.
Test(text, goes_on_behind_its_keepers_room) {
    static const char expected[] = "first second\n18446744073709551615 -12\n1     0xab\n";
    boot();
    for (size_t room = 0; room < sizeof expected + 4; room++) {
        char head[sizeof expected + 4], whole[2 * sizeof expected];
        memset(head, '#', sizeof head);
        struct text lines = {};
        text_init(&lines, head, room);
        text_header(&lines, "first", "second");
        text_u64(&lines, UINT64_MAX);
        text_i64(&lines, -12);
        text_u64(&lines, 1);
        text_hex(&lines, 0xab);
        cr_assert_eq(lines.status, 0);
        uint64_t size = text_size(&lines);
        cr_assert_eq(size, sizeof expected - 1, "room %zu", room);
        size_t in_head = room < size ? room : size;
        memcpy(whole, head, in_head);
        if (in_head < size) {
            memcpy(whole + in_head, arch_phys_to_virt(pages_get(lines.pages, 0, false)), size - in_head);
        }
        cr_assert_eq(memcmp(whole, expected, size), 0, "room %zu", room);
        for (size_t at = room; at < sizeof head; at++) {
            cr_assert_eq(head[at], '#', "%zu behind room %zu", at, room);
        }
        text_clear(&lines);
    }
}

// What can be read of a file that takes commands only: nothing.
Test(text, command_file_is_empty) {
    boot();
    long ctl = user_open(self, self->root, "/proc/self/ctl", OPEN_READ, 0);
    cr_assert_gt(ctl, 0);
    cr_assert_eq(user_read(self, (handle_t)ctl, text, sizeof text, OFFSET_CURRENT), 0);
    cr_assert_eq(user_read(self, (handle_t)ctl, text, sizeof text, 5), 0);
}

// ---- no memory ----

// The part of a long table for which there was no memory can be read later.
Test(text, long_table_goes_on_when_there_is_memory) {
    boot();
    for (int i = 0; i < 20; i++) {
        cr_assert_gt(user_open(self, self->root, "/tmp", OPEN_READ, 0), 0);
    }
    load("/proc/self/handles"); // so that the memory it is read into is there
    long table = user_open(self, self->root, "/proc/self/handles", OPEN_READ, 0);
    alloc_fault_arm(1, true);
    long refused = user_read(self, (handle_t)table, text, sizeof text - 1, OFFSET_CURRENT);
    bool fired = alloc_fault_fired();
    alloc_fault_arm(0, false);
    cr_assert(fired);
    cr_assert_eq(refused, ERR_NO_MEMORY, "%ld", refused);
    long length = user_read(self, (handle_t)table, text, sizeof text - 1, OFFSET_CURRENT);
    cr_assert_gt(length, FILE_HEAD);
    text[length] = '\0';
    unsigned lines = 0;
    for (const char *at = text; *at != '\0'; at++) {
        lines += *at == '\n';
    }
    cr_assert_geq(lines, 1 + 20, "%s", text);
    cr_assert_str_eq(field(text, 1, "handle"), "65536", "%s", text);
}

static void use_everything(void) {
    static const char *const paths[] = {"/kern/version",      "/kern/log",          "/kern/ipc/channels",
                                        "/proc/self/handles", "/proc/self/threads", "/proc/self/maps",
                                        "/proc/self/status",  "/ipc/n/stats",       "/ipc/n/ctl",
                                        "/proc/self/../self", "/tmp/l/version"};
    struct user *init = machine_init();
    char bytes[256];
    user_make(init, init->root, "/tmp/n", NODE_DIR, 0777);
    user_link(init, init->root, "/tmp/l", "/kern");
    user_channel(init, init->root, "/ipc/n", &(struct abi_channel_config){.flags = CHANNEL_TEMPORARY});
    long client = user_open(init, init->root, "/ipc/n/data", OPEN_READ | OPEN_WRITE, 0);
    if (client > 0) {
        user_send(init, (handle_t)client, "x", 1, 0, 0);
    }
    long file = user_open(init, init->root, "/tmp/f", OPEN_READ | OPEN_WRITE | OPEN_CREATE, 0600);
    if (file > 0) {
        user_write(init, (handle_t)file, "hello", 5, 0);
        user_write(init, (handle_t)file, "hello", 5, 100000);
        user_read(init, (handle_t)file, bytes, 5, 0);
    }
    user_rename(init, init->root, "/tmp/n", "/tmp/m");
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        long handle = user_open(init, init->root, paths[i], OPEN_READ, 0);
        if (handle > 0) {
            user_read(init, (handle_t)handle, bytes, sizeof bytes, OFFSET_CURRENT);
            CALL(init, CLOSE, (uint64_t)handle);
        }
    }
    CALL(init, LIST, init->root, 0, init->scratch, 16);
}

static void give_all_back(void) {
    static const char *const paths[] = {"/tmp/n", "/tmp/m", "/tmp/l", "/tmp/f"};
    struct user *init = machine_init();
    struct handle_table *table = &init->thread->process->handles;
    uint32_t index = 0;
    for (const struct handle *handle; (handle = handle_next(table, &index)) != nullptr; index++) {
        handle_t value = handle_value(handle, index);
        if (value != init->root && value != init->own && value != init->process && value != init->self) {
            CALL(init, CLOSE, value);
        }
    }
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        user_remove(init, init->root, paths[i]);
    }
}

// Once before, so that what stays allocated is there: touched memory, tables that do not shrink.
static void rehearse(void) {
    struct user *init = machine_init();
    memset(text, 0, sizeof text);
    for (uint64_t at = 0; at < USER_SCRATCH_SIZE; at += sizeof text) {
        cr_assert(user_store(init, init->scratch + at, text, sizeof text));
    }
    use_everything();
    give_all_back();
}

Test(text, every_allocation_can_fail) {
    unsigned count = machine_refuse_each_allocation(
        &(struct machine_scenario){.prepare = rehearse, .scenario = use_everything, .undo = give_all_back});
    cr_assert_gt(count, 30);
}
