#include "smp.h"

#include "kernel/include/arrival.h"

#include "abi/abi.h"
#include "base/format.h"
#include "base/str.h"
#include "kernel/page_alloc.h"

#include "boot.h"
#include "clock.h"
#include "gic.h"
#include "instructions.h"
#include "layout.h"
#include "processor.h"
#include "psci.h"

extern const uint8_t arm64_secondary[]; // start.S

static uint64_t affinity[CPU_MAX];
static struct arch_cpu *cpu_arch[CPU_MAX]; // of CPUs that run
static unsigned cpu_count = 1;

static enum arrival arrival; // of the CPU that is starting

void arm64_smp_init(void) {
    struct fdt_node node;
    affinity[0] = arm64_boot_cpu.affinity;
    cpu_arch[0] = &arm64_boot_cpu;
    if (!arm64_psci_found() || !fdt_find(&arm64_tree, "/cpus", &node)) {
        return;
    }
    while (fdt_next_below(&node, 1) && cpu_count < CPU_MAX) {
        const char *type = fdt_property_string(&node, "device_type");
        uint64_t unit;
        if (node.depth == 2 && type != nullptr && str_equal(type, "cpu") && fdt_enabled(&node) &&
            fdt_unit(&node, &unit) && unit != affinity[0]) {
            affinity[cpu_count++] = unit;
        }
    }
}

unsigned arch_cpu_count(void) {
    return cpu_count;
}

void arch_cpu_attach(struct cpu *cpu) {
    struct arch_cpu *arch = (struct arch_cpu *)cpu;
    *arch = arm64_boot_cpu;
    cpu_arch[0] = arch;
    ARM64_WRITE(tpidr_el1, (uint64_t)arch);
}

void arch_cpu_ipi(unsigned index) {
    arm64_gic->send(cpu_arch[index], ARM64_GIC_IPI);
}

void arch_cpu_rest(void) {
    // Interrupts stay masked until one that is admitted has ended the wait: one that came before ends it at once.
    // A fast path waits for the lock with what its caller goes back by still in these registers, which an interrupt takes.
    uint64_t pc = ARM64_READ(elr_el1), status = ARM64_READ(spsr_el1);
    arm64_gic->admit(ARM64_GIC_ADMIT_IPI);
    __asm__ volatile("dsb sy\n\twfi\n\tmsr daifclr, #2\n\tisb\n\tmsr daifset, #2" ::: "memory");
    arm64_gic->admit(ARM64_GIC_ADMIT_ALL);
    ARM64_WRITE(elr_el1, pc);
    ARM64_WRITE(spsr_el1, status);
}

void arch_cpu_describe(unsigned index, char *text, size_t capacity) {
    const struct arch_cpu *arch = cpu_arch[index];
    if (arch == nullptr) {
        format(text, capacity, "affinity 0x%llx, off", (unsigned long long)affinity[index]);
        return;
    }
    const char *name = arm64_model_name(arch->model);
    format(text, capacity, "affinity 0x%llx, model 0x%08llx, %s", (unsigned long long)affinity[index],
           (unsigned long long)arch->model, name != nullptr ? name : "unnamed");
}

// ---- starting one ----------------------------------------------------------------------------------------------------

static status_t start(struct arch_cpu *arch) {
    enum : uint64_t { PATIENCE = 10000000000 };
    // Its first instructions run without caches; all they read is the image, and registers. What it reads here it reads
    // with the MMU on: the firmware call comes behind these stores.
    arrival_write(&arrival, ARRIVAL_ASKED);
    arm64_dsb_system();
    if (arm64_psci_cpu_on(arch->affinity, arch_virt_to_phys(arm64_secondary), (uint64_t)arch) != 0) {
        return ERR_NO_DEVICE;
    }
    return arrival_await(&arrival, PATIENCE) ? 0 : ERR_NO_DEVICE;
}

status_t arch_cpu_start(unsigned index, struct cpu *cpu) {
    static_assert(ARM64_STACK_SIZE == 4 * 4096);
    if (index == 0 || index >= cpu_count || arrival == ARRIVAL_GIVEN_UP) {
        return ERR_NO_DEVICE;
    }
    struct arch_cpu *arch = (struct arch_cpu *)cpu;
    arch->index = index;
    arch->affinity = affinity[index];
    arch->deadline = UINT64_MAX;
    paddr_t stack = page_alloc(2), emergency = page_alloc(0);
    if (stack == 0 || emergency == 0 || arm64_stacks_map(arch, stack, emergency) != 0) {
        if (stack != 0) {
            page_free(stack, 2);
        }
        if (emergency != 0) {
            page_free(emergency, 0);
        }
        return ERR_NO_MEMORY;
    }
    cpu_arch[index] = arch;
    status_t status = start(arch);
    if (status != 0) {
        cpu_arch[index] = nullptr; // its stack stays: it may still come
    }
    return status;
}

static void run_secondary(void *argument) {
    kernel_main_secondary(((struct arch_cpu *)argument)->index);
}

void arm64_start_secondary(struct arch_cpu *cpu) {
    arm64_cpu_init(cpu);
    bool ready = arm64_gic->init_cpu(cpu);
    if (ready) {
        arm64_clock_init_cpu(cpu);
    }
    if (!arrival_decide(&arrival, ready ? ARRIVAL_COME : ARRIVAL_FAILED) || !ready) {
        arch_cpu_stop(); // too late: cpu is gone
    }
    arm64_run(run_secondary, cpu);
    arch_cpu_stop(); // not reached: arm64_run idles
}
