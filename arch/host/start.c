// Making a machine, switching it on, and what is left when it is off.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/abi.h"
#include "kernel/page_alloc.h"
#include "machine.h"
#include "mapped.h"

struct host_machine host;
unsigned char *host_direct_map;

// The variables of the core are gathered in sections of their own (sections.h), so that a new machine begins with what
// the program began with. Weak: a test of the port alone has none.
[[gnu::weak]] extern unsigned char __start_isthmus_data[], __stop_isthmus_data[];
[[gnu::weak]] extern unsigned char __start_isthmus_bss[], __stop_isthmus_bss[];
static unsigned char *first_data;

// Not memcpy: between the variables lie the sanitizer's red zones.
[[clang::no_sanitize("address")]] static void copy(unsigned char *to, const unsigned char *from, size_t size) {
    for (size_t i = 0; i < size; i++) {
        ((volatile unsigned char *)to)[i] = from[i];
    }
}

[[clang::no_sanitize("address")]] static void clear(unsigned char *at, size_t size) {
    for (size_t i = 0; i < size; i++) {
        ((volatile unsigned char *)at)[i] = 0;
    }
}

static void restore_variables(void) {
    size_t size = (size_t)(__stop_isthmus_data - __start_isthmus_data);
    if (first_data == nullptr) {
        first_data = malloc(size + 1);
        copy(first_data, __start_isthmus_data, size);
        return; // nothing has run yet
    }
    copy(__start_isthmus_data, first_data, size);
    clear(__start_isthmus_bss, (size_t)(__stop_isthmus_bss - __start_isthmus_bss));
}

void host_breach(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("breach of the seam: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    const char *console;
    if (host_console_output(&console) > 0) {
        fprintf(stderr, "---- console ----\n%s---- end ----\n", console);
    }
    abort();
}

static void make_memory(uint64_t size) {
    if (host.memory != nullptr) {
        mapped_destroy(host.memory, host.memory_size);
    }
    host.memory = mapped_create(size);
    mapped_forbid(host.memory, PAGE_SIZE); // physical page 0 is never given out
    host.memory_size = size;
    host_direct_map = host.memory;
}

static uint64_t round_up(uint64_t value) {
    return (value + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
}

void host_reset(const struct host_options *options) {
    for (unsigned i = 0; i < CPU_MAX; i++) {
        if (host.cpu[i].created) {
            fiber_destroy(&host.cpu[i].fiber);
        }
    }
    memset(host.cpu, 0, sizeof host.cpu);
    restore_variables();
    host_console_reset();
    host.cpus = options->cpus == 0 ? 1 : options->cpus;
    host.running = nullptr;
    host.inside = false;
    host_cpu_current = nullptr;
    host.dead_cpus = options->dead_cpus;
    host.time = 0;
    host.end = HOST_RUNNING;
    host.status = 0;
    host.console_enabled = false;
    host.spaces = host.table_pages = host.tlb_flushes = 0;
    host.choose = nullptr;
    host.thread_gone = nullptr;
    for (unsigned i = 0; i < CPU_MAX; i++) {
        host.cpu[i].deadline = UINT64_MAX;
    }

    struct boot_info *boot = &host.boot;
    memset(boot, 0, sizeof *boot);
    boot->loader = "host";
    if (options->command_line != nullptr) {
        snprintf(boot->command_line, sizeof boot->command_line, "%s", options->command_line);
    }
    if (options->range_count == 0) {
        uint64_t memory = options->memory == 0 ? 8u << 20 : options->memory;
        boot->range[0] = (struct boot_range){PAGE_SIZE, memory - PAGE_SIZE};
        boot->range_count = 1;
    } else {
        memcpy(boot->range, options->range, sizeof boot->range);
        boot->range_count = options->range_count;
    }
    uint64_t top = 0;
    for (unsigned i = 0; i < boot->range_count; i++) {
        boot->memory_total += boot->range[i].size;
        top = boot->range[i].base + boot->range[i].size;
    }
    uint64_t size = top;
    for (unsigned i = 0; i < options->archive_count; i++) {
        size = round_up(size + PAGE_SIZE + options->archive[i].size);
    }
    make_memory(size);
    for (unsigned i = 0; i < options->archive_count; i++) {
        top += 8 * (i + 1); // loaders promise no alignment
        memcpy(host.memory + top, options->archive[i].data, options->archive[i].size);
        boot->archive[i] = (struct boot_range){top, options->archive[i].size};
        top = round_up(top + options->archive[i].size);
    }
    boot->archive_count = options->archive_count;
    boot->mapped_limit = size;
    if (options->mapped_limit != 0 && options->mapped_limit < size) {
        boot->mapped_limit = options->mapped_limit;
        mapped_forbid(host.memory + boot->mapped_limit, size - boot->mapped_limit);
    }
}

bool host_is_memory(paddr_t page) {
    for (unsigned i = 0; i < host.boot.range_count; i++) {
        if (page >= host.boot.range[i].base && page - host.boot.range[i].base < host.boot.range[i].size) {
            return true;
        }
    }
    // Archives are given to the allocator once they are unpacked.
    for (unsigned i = 0; i < host.boot.archive_count; i++) {
        if (page >= host.boot.archive[i].base && page - host.boot.archive[i].base < host.boot.archive[i].size) {
            return true;
        }
    }
    return false;
}

status_t arch_direct_map_extend(const struct boot_info *boot) {
    // A machine would need a page table for it: so does this one, so that the failure exists.
    if (boot->mapped_limit < host.memory_size) {
        paddr_t table = page_alloc(0);
        if (table == 0) {
            return ERR_NO_MEMORY;
        }
        mapped_allow(host.memory + boot->mapped_limit, host.memory_size - boot->mapped_limit);
    }
    return 0;
}

bool host_boot(void) {
    host_cpu_prepare(0);
    host_enter(0, HOST_BOOT, nullptr);
    for (unsigned i = 0; i < host.cpus && host.end == HOST_RUNNING; i++) {
        if (host.cpu[i].state == HOST_KERNEL) {
            host_continue(i);
        }
    }
    return host.end == HOST_RUNNING;
}

const struct boot_info *host_boot_info(void) {
    return &host.boot;
}

enum host_end host_ended(void) {
    return host.end;
}

unsigned host_status(void) {
    return host.status;
}

[[noreturn]] static void stop(enum host_end end, unsigned status) {
    host.end = end;
    host.status = status;
    if (!host.inside) {
        host_breach("the machine stops while test code plays the CPU");
    }
    host.inside = false;
    struct host_cpu *cpu = host.running;
    cpu->state = HOST_STOPPED;
    fiber_switch(&cpu->fiber, &host.driver);
    abort(); // nobody switches back to a machine that is off
}

void arch_power_off(unsigned status) {
    stop(HOST_POWER_OFF, status);
}

void arch_power_panic(void) {
    stop(HOST_PANIC, 0);
}

void arch_power_reset(void) {
    stop(HOST_RESET, 0);
}

void host_set_chooser(uint64_t (*choose)(void *context, uint64_t bound), void *context) {
    host.choose = choose;
    host.choose_context = context;
}

void host_set_thread_gone(void (*gone)(void *user)) {
    host.thread_gone = gone;
}

void arch_describe(void (*emit)(void *context, const char *text, size_t length), void *context) {
    char line[64];
    int length = snprintf(line, sizeof line, "cpus %u\n", host.cpus);
    emit(context, line, (size_t)length);
    length = snprintf(line, sizeof line, "memory_bytes %llu\n", (unsigned long long)host.boot.memory_total);
    emit(context, line, (size_t)length);
    length = snprintf(line, sizeof line, "table_pages %llu\n", (unsigned long long)host.table_pages);
    emit(context, line, (size_t)length);
}
