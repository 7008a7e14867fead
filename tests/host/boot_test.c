// From switching on to switching off, on machines of many shapes.
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "kernel/cpu.h"
#include "kernel/page_alloc.h"
#include "kernel/thread.h"
#include "machine.h"
#include "property.h"

Test(boot, init_gets_its_bootstrap_record) {
    machine_boot(&(struct machine_options){.command_line = "quiet verbose=1"});
    struct user *init = machine_init();
    cr_assert_neq(init->root, 0);
    cr_assert_neq(init->own, 0);
    cr_assert_eq(init->thread->priority, PRIORITY_DEFAULT);
    cr_assert_eq(CALL(init, ABI_VERSION), 1);
    struct abi_bootstrap record;
    cr_assert(user_load(init, &record, init->argument, sizeof record));
    cr_assert_eq(record.magic, BOOTSTRAP_MAGIC);
    machine_check();
}

Test(boot, initial_files_are_there) {
    static const struct machine_file files[] = {
        {.path = "etc/motd", .data = "hello\n", .size = 6},
        {.path = "etc/deep/er/file", .data = "x", .size = 1},
    };
    machine_boot(&(struct machine_options){.file = files, .file_count = 2});
    char text[64];
    cr_assert_eq(user_text(machine_init(), "/etc/motd", text, sizeof text), 6);
    cr_assert_str_eq(text, "hello\n");
    cr_assert_eq(user_text(machine_init(), "etc/deep//er/file", text, sizeof text), 1);
}

Test(boot, all_cpus_come_up) {
    for (unsigned cpus = 1; cpus <= CPU_MAX; cpus = cpus < 4 ? cpus + 1 : cpus * 2) {
        machine_boot(&(struct machine_options){.cpus = cpus, .memory = 16u << 20});
        machine_run_until_idle();
        cr_assert_eq(cpu_online_count(), cpus);
        machine_check();
    }
}

Test(boot, cpu_that_does_not_answer_is_left_out) {
    struct host_options host = {.dead_cpus = 0b0110};
    machine_boot(&(struct machine_options){.cpus = 4, .host = &host});
    machine_run_until_idle();
    cr_assert_eq(cpu_online_count(), 2);
    cr_assert_eq(CALL(machine_init(), ABI_VERSION), 1);
}

Test(boot, memory_beyond_the_first_mapping_is_used) {
    machine_boot(&(struct machine_options){.memory = 32u << 20, .mapped_limit = 4u << 20});
    cr_assert_gt(page_alloc_stats().total, (28u << 20) / PAGE_SIZE);
}

// However little memory there is, the machine comes up or says why not; never anything worse.
Test(boot, too_little_memory_is_an_orderly_panic) {
    unsigned came_up = 0, stopped = 0;
    for (uint64_t pages = 2; pages < 300; pages++) {
        if (machine_try_boot(&(struct machine_options){.memory = pages * PAGE_SIZE})) {
            came_up++;
        } else if (host_ended() == HOST_PANIC) {
            stopped++;
            const char *console;
            host_console_output(&console);
            cr_assert(strstr(console, "cannot boot") != nullptr, "%s", console);
        }
    }
    cr_assert_gt(came_up, 0);
    cr_assert_gt(stopped, 0);
}

static void machine_of_any_shape_boots(struct property *p) {
    struct host_options host = {};
    uint64_t at = PAGE_SIZE * property_between(p, "first page", 1, 300);
    do {
        uint64_t pages = property_between(p, "pages", host.range_count == 0 ? 1024 : 1, 2000);
        host.range[host.range_count++] = (struct boot_range){at, pages * PAGE_SIZE};
        at += (pages + property_between(p, "hole", 1, 300)) * PAGE_SIZE;
    } while (host.range_count < BOOT_RANGES_MAX && property_more(p, 3));
    unsigned cpus = (unsigned)property_between(p, "cpus", 1, 8);
    uint64_t mapped = property_chance(p, "mapped later", 50)
                          ? host.range[0].base + PAGE_SIZE * property_between(p, "mapped", 300, 1024)
                          : 0;
    machine_boot(&(struct machine_options){.property = p, .cpus = cpus, .mapped_limit = mapped, .host = &host});
    machine_run_until_idle();
    property_equal(p, cpu_online_count(), cpus);
    property_equal(p, CALL(machine_init(), ABI_VERSION), 1);
    machine_check();
}

Test(boot, machine_of_any_shape_boots) {
    cr_assert(property_run("machine_of_any_shape_boots", 150, machine_of_any_shape_boots));
}

// Whichever allocation of the boot is refused, the machine comes up whole without what it asked for, or says in order that
// it cannot.
Test(boot, every_allocation_can_be_refused) {
    static const struct machine_file files[] = {{.path = "etc/motd", .data = "hello\n", .size = 6}};
    static const char *const public[] = {"/ipc", "/svc", "/tmp"};
    unsigned came_up = 0, stopped = 0, unpacking = 0;
    for (uint64_t nth = 1;; nth++) {
        bool up = machine_try_boot(&(struct machine_options){.refuse = nth, .cpus = 2, .file = files, .file_count = 1});
        if (!machine_boot_refused()) {
            cr_assert(up);
            break;
        }
        const char *console;
        host_console_output(&console);
        if (up) {
            came_up++;
            char text[64];
            cr_assert_eq(user_text(machine_init(), "/etc/motd", text, sizeof text), 6);
            for (size_t i = 0; i < sizeof public / sizeof public[0]; i++) {
                struct abi_stat stat = {};
                cr_assert_eq(user_stat(machine_init(), machine_init()->root, public[i], &stat), 0, "%s", public[i]);
                cr_assert_eq(stat.mode, 0777);
            }
            cr_assert_null(strstr(console, "for the rest"));
            machine_check();
        } else {
            stopped++;
            cr_assert_eq(host_ended(), HOST_PANIC);
            cr_assert(strstr(console, "cannot boot") != nullptr, "%s", console);
            unpacking += strstr(console, "0 skipped; no memory for the rest") != nullptr;
        }
    }
    cr_assert_gt(came_up, 0);
    cr_assert_gt(stopped, 50);
    cr_assert_gt(unpacking, 3);
}

static size_t member(char *at, const char *name, unsigned mode, const char *data, size_t size) {
    size_t length = (size_t)sprintf(at, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s", 1u, mode, 0u,
                                    0u, 1u, 0u, (unsigned)size, 0u, 0u, 0u, 0u, (unsigned)strlen(name) + 1, 0u, name);
    length = (length + 1 + 3) / 4 * 4;
    memcpy(at + length, data, size);
    return length + (size + 3) / 4 * 4;
}

// A first archive that is cut off, or too small to fill a page: what can be read of it and of the next is there, the log
// says that something is not, and its memory is given out only where it fills whole pages.
Test(boot, what_can_be_read_of_a_damaged_archive_is_there) {
    static const char content[1000];
    char archive[3 * PAGE_SIZE] = "", text[64];
    size_t size = member(archive, "etc/first", 0100644, "first", 5);
    size += member(archive + size, "etc/second", 0100644, content, sizeof content);
    machine_boot(&(struct machine_options){.archive = archive, .archive_size = size - 500});
    cr_assert_eq(user_text(machine_init(), "/etc/first", text, sizeof text), 5);
    cr_assert_eq(user_text(machine_init(), "/etc/second", text, sizeof text), ERR_NOT_FOUND);
    const char *console;
    host_console_output(&console);
    cr_assert_not_null(strstr(console, "the rest is damaged"));
    machine_boot(&(struct machine_options){.archive = archive, .archive_size = sizeof archive});
    cr_assert_eq(user_text(machine_init(), "/etc/second", text, sizeof text), (int64_t)sizeof text - 1);
    host_console_output(&console);
    cr_assert_null(strstr(console, "damaged"));
    // It begins 8 bytes into a page: of three pages two are whole, of a little less only one.
    uint64_t total = page_alloc_stats().total;
    machine_boot(&(struct machine_options){.archive = archive, .archive_size = sizeof archive - 32});
    cr_assert_eq(page_alloc_stats().total, total - 1);
}

// init is an ordinary file, reached as the kernel walks: with no process, for which there is nothing in /proc.
Test(boot, without_an_init_it_says_so) {
    static const struct {
        const char *name, *target;
        unsigned mode;
    } bad[] = {
        {"bin/init", "", 0040755},
        {"bin/init", "../kern/version", 0120777},
        {"bin", "proc/self", 0120777},
        {"else", "", 0040755},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char archive[512] = "";
        size_t size = member(archive, bad[i].name, bad[i].mode, bad[i].target, strlen(bad[i].target));
        struct host_options host = {
            .archive_count = 1, .archive[0] = {.data = archive, .size = size}, .memory = 4u << 20};
        host_reset(&host);
        cr_assert_not(host_boot());
        cr_assert_eq(host_ended(), HOST_PANIC);
        const char *console;
        host_console_output(&console);
        cr_assert(strstr(console, "no /bin/init") != nullptr, "%s", console);
    }
}
