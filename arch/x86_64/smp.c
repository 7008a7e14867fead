#include "smp.h"

#include "kernel/include/arrival.h"

#include "abi/abi.h"
#include "base/barrier.h"
#include "base/format.h"
#include "base/memory.h"
#include "kernel/page_alloc.h"

#include "acpi.h"
#include "apic.h"
#include "boot.h"
#include "clock.h"
#include "instructions.h"
#include "layout.h"
#include "map.h"
#include "processor.h"
#include "vectors.h"

extern const uint8_t x86_trampoline[], x86_trampoline_end[];

static uint32_t apic_id[CPU_MAX];
static unsigned cpu_count = 1;

// The CPU that is starting: its stacks for exceptions, and whether it has come.
static uint64_t starting_ist[X86_IST_COUNT];
static enum arrival arrival;

void x86_smp_init(void) {
    apic_id[0] = x86_apic_id();
    for (unsigned i = 0; i < x86_acpi.cpu_count && cpu_count < CPU_MAX; i++) {
        if (x86_acpi.apic_id[i] != apic_id[0] && x86_apic_reaches(x86_acpi.apic_id[i])) {
            apic_id[cpu_count++] = x86_acpi.apic_id[i];
        }
    }
}

struct arch_cpu *x86_cpus[CPU_MAX];
unsigned x86_cpu_slots = 1;

unsigned arch_cpu_count(void) {
    return cpu_count;
}

void arch_cpu_attach(struct cpu *cpu) {
    struct arch_cpu *arch = (struct arch_cpu *)cpu;
    uint64_t ist[X86_IST_COUNT];
    memcpy(ist, x86_boot_cpu.tss.ist, sizeof ist);
    *arch = x86_boot_cpu;
    arch->self = cpu;
    arch->bit = 1;
    x86_cpu_init(arch, ist);
    x86_cpus[0] = arch;
}

void arch_cpu_ipi(unsigned index) {
    x86_apic_send(apic_id[index], X86_VECTOR_IPI);
}

void arch_cpu_rest(void) {
    static_assert(X86_VECTOR_TIMER >> 4 < X86_VECTOR_IPI >> 4 && X86_VECTOR_CONSOLE >> 4 < X86_VECTOR_IPI >> 4);
    // Interrupts stay blocked until the instruction behind sti: one that came before or comes now ends the halt.
    __asm__ volatile("mov %0, %%cr8\n\tsti\n\thlt\n\tcli\n\tmov %1, %%cr8" ::"r"((X86_VECTOR_IPI >> 4) - 1ull),
                     "r"(0ull)
                     : "memory");
}

void arch_cpu_describe(unsigned index, char *text, size_t capacity) {
    const struct x86_features *f = &x86_features;
    const char *name = f->name;
    while (*name == ' ') {
        name++;
    }
    format(text, capacity, "apic %u, family %u model %u stepping %u, %s", apic_id[index], f->family, f->model,
           f->stepping, name[0] != '\0' ? name : "unnamed");
}

// ---- starting one ----------------------------------------------------------------------------------------------------

static bool stacks_alloc(struct arch_cpu *cpu) {
    static_assert(X86_STACK_SIZE == 4 * 4096);
    paddr_t stack = page_alloc(2);
    paddr_t pages[X86_IST_COUNT] = {};
    bool complete = stack != 0;
    for (unsigned i = 0; i < X86_IST_COUNT; i++) {
        pages[i] = page_alloc(0);
        complete = complete && pages[i] != 0;
    }
    if (complete && x86_stacks_map(cpu, pages, stack, starting_ist) == 0) {
        return true;
    }
    if (stack != 0) {
        page_free(stack, 2);
    }
    for (unsigned i = 0; i < X86_IST_COUNT; i++) {
        if (pages[i] != 0) {
            page_free(pages[i], 0);
        }
    }
    return false;
}

status_t arch_cpu_start(unsigned index, struct cpu *cpu) {
    enum : uint64_t { SETTLE = 200000, FIRST = 2000000, SECOND = 10000000000 };
    if (index == 0 || index >= cpu_count || x86_boot_trampoline == 0 || arrival == ARRIVAL_GIVEN_UP) {
        return ERR_NO_DEVICE;
    }
    struct arch_cpu *arch = (struct arch_cpu *)cpu;
    arch->self = cpu;
    arch->index = index;
    arch->bit = 1ull << index;
    x86_cpus[index] = arch;
    x86_cpu_slots = index >= x86_cpu_slots ? index + 1 : x86_cpu_slots;
    arch->apic_id = apic_id[index];
    arch->deadline = UINT64_MAX;
    if (!stacks_alloc(arch)) {
        return ERR_NO_MEMORY;
    }

    uint8_t *page = arch_phys_to_virt(x86_boot_trampoline);
    memcpy(page, x86_trampoline, (size_t)(x86_trampoline_end - x86_trampoline));
    struct x86_trampoline_data *data = (struct x86_trampoline_data *)(page + 4096) - 1;
    *data = (struct x86_trampoline_data){x86_map_identity_root(), arch->stack_top, (uint64_t)arch};
    arrival_write(&arrival, ARRIVAL_ASKED);
    barrier_full(); // all that is in memory before the interrupts are sent: an x2APIC does not wait for stores

    x86_apic_send_init(arch->apic_id);
    x86_clock_delay(SETTLE);
    x86_apic_send_startup(arch->apic_id, x86_boot_trampoline);
    if (arrival_wait(&arrival, FIRST) == ARRIVAL_ASKED) {
        x86_apic_send_startup(arch->apic_id, x86_boot_trampoline);
        if (!arrival_await(&arrival, SECOND)) {
            return ERR_NO_DEVICE;
        }
    }
    x86_clock_match_boot(arch);
    arrival_write(&arrival, ARRIVAL_GO);
    while (arrival_read(&arrival) != ARRIVAL_NONE) {
        arch_cpu_relax(); // until it has seen that: the next one's start uses the same word
    }
    return 0;
}

static void run_secondary(void *argument) {
    kernel_main_secondary(((struct arch_cpu *)argument)->index);
}

void x86_start_secondary(struct arch_cpu *cpu) {
    x86_write_cr3(x86_kernel_root); // off the low mapping
    if (!arrival_decide(&arrival, ARRIVAL_COME)) {
        arch_cpu_stop(); // too late: cpu is gone
    }
    x86_cpu_init(cpu, starting_ist);
    x86_apic_init_cpu();
    x86_clock_init_cpu();
    x86_clock_match_other();
    while (arrival_read(&arrival) != ARRIVAL_GO) {
        arch_cpu_relax();
    }
    arrival_write(&arrival, ARRIVAL_NONE);
    x86_run(run_secondary, cpu);
    arch_cpu_stop(); // not reached: x86_run idles
}
