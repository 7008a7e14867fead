// Boot, in order. The port has made the machine ready on this CPU; kernel_main makes the kernel, starts the other CPUs
// and the first process, and returns to the port's idle loop, which then schedules. This file composes the whole: it is
// the one place in kernel/ that knows the namespace.
#include "base/bits.h"
#include "base/memory.h"
#include "base/str.h"
#include "kernel/console.h"
#include "kernel/cpu.h"
#include "kernel/include/fast_path.h"
#include "kernel/init.h"
#include "kernel/lock.h"
#include "kernel/log.h"
#include "kernel/page_alloc.h"
#include "kernel/panic.h"
#include "kernel/sched.h"
#include "kfs/kfs.h"

static struct cpu boot_cpu;

static void need(status_t status, const char *what) {
    if (status < 0) {
        panic("cannot boot: %s: %s", what, abi_error_text(status));
    }
}

static bool has_word(const char *line, const char *word) {
    size_t length = strlen(word);
    while (*line != '\0') {
        size_t end = 0;
        while (line[end] != '\0' && line[end] != ' ') {
            end++;
        }
        if (end == length && memcmp(line, word, length) == 0) {
            return true;
        }
        line += end + (line[end] == ' ' ? 1 : 0);
    }
    return false;
}

// A CPU is seen to be online only with all it has set up (release; the boot CPU waits with acquire). All other looks at
// `online` are under the lock, and so is this, on a further CPU.
static void cpu_ready(struct cpu *cpu) {
    cpu->switched_at = arch_stamp();
    __atomic_store_n(&cpu->online, true, __ATOMIC_RELEASE);
}

static void start_cpu(unsigned index) {
    unsigned order = log2_up((sizeof(struct cpu) + PAGE_SIZE - 1) / PAGE_SIZE);
    paddr_t page = page_alloc(order);
    status_t status = ERR_NO_MEMORY;
    if (page != 0) {
        struct cpu *cpu = arch_phys_to_virt(page);
        memset(cpu, 0, sizeof *cpu);
        cpu->index = index;
        sched_init_cpu(cpu);
        cpu_table[index] = cpu;
        cpu_slots = index + 1;
        kernel_lock_share(index);
        fast_paths_choose(false);
        status = arch_cpu_start(index, cpu);
    }
    if (status == 0) {
        // It needs the lock to come online. Were it left waiting, many CPUs would spin here together while the last start.
        kernel_unlock();
        while (!__atomic_load_n(&cpu_table[index]->online, __ATOMIC_ACQUIRE)) {
            arch_cpu_relax();
        }
        kernel_lock();
    } else {
        cpu_table[index] = nullptr;
        log_print("cpu %u stays off: %s", index, abi_error_text(status));
        if (page != 0) {
            page_free(page, order);
        }
    }
}

static void start_init(const char *command_line) {
    struct pages *file;
    uint64_t size;
    struct object *root;
    need(kfs_file("/bin/init", &file, &size), "no /bin/init in the initial archives");
    need(kfs_open_root(&root), "the root directory");
    need(init_start(file, size, root, command_line), "/bin/init cannot be started");
    object_unref(root);
}

void kernel_main(const struct boot_info *boot) {
    arch_cpu_attach(&boot_cpu);
    kernel_lock();
    cpu_table[0] = &boot_cpu;
    sched_init_cpu(&boot_cpu);
    cpu_ready(&boot_cpu);
    log_mirror(!has_word(boot->command_line, "quiet"));
    if (has_word(boot->command_line, "nofast")) {
        fast_limit = 0;
    }

    page_alloc_init(boot);
    need(arch_direct_map_extend(boot), "mapping the memory");
    page_alloc_extend(boot);
    console_init();
    log_print("Isthmus " ISTHMUS_VERSION " on " ARCH_NAME ", by %s, %llu MiB of memory, %u CPUs", boot->loader,
              (unsigned long long)(boot->memory_total >> 20), arch_cpu_count());

    status_t status = kfs_init(boot);
    if (status == ERR_INVALID) {
        log_print("an initial archive is damaged; what can be read of it is there");
    } else {
        need(status, "the namespace");
    }
    for (unsigned i = 1; i < arch_cpu_count(); i++) {
        start_cpu(i);
    }
    arch_console_enable();
    start_init(boot->command_line);
    log_mirror(false);

    // The port's idle loop waits for an interrupt before it first asks what to run.
    cpu_arm(&boot_cpu, 0);
    kernel_unlock();
}

void kernel_main_secondary(unsigned cpu_index) {
    kernel_lock();
    cpu_ready(cpu_table[cpu_index]);
    log_print("cpu %u is up", cpu_index);
    kernel_unlock();
}
