#include "processor.h"

#include "abi/abi.h"

#include "instructions.h"
#include "layout.h"
#include "map.h"

enum : uint64_t { ACCESS_KERNEL = 1 << 20 }; // CPACR_EL1: users trap when they use vector registers

struct arm64_features arm64_features;
alignas(64) struct arch_cpu arm64_boot_cpu;

// A field of an identification register.
static unsigned field(uint64_t value, unsigned shift) {
    return value >> shift & 15;
}

void arm64_features_detect(void) {
    uint64_t memory = ARM64_READ(id_aa64mmfr1_el1);
    arm64_features.pan = field(memory, 20) >= 1;
    arm64_features.epan = field(memory, 20) >= 3;
    arm64_features.atomics = field(ARM64_READ(id_aa64isar0_el1), 20) >= 2;
}

void arm64_cpu_init(struct arch_cpu *cpu) {
    ARM64_WRITE(tpidr_el1, (uint64_t)cpu);
    ARM64_WRITE(tpidr_el0, 0);
    ARM64_WRITE(tpidrro_el0, 0);
    cpu->affinity = ARM64_READ(mpidr_el1) & 0xff00ffffff;
    cpu->model = ARM64_READ(midr_el1);
    cpu->vector_enabled = false;
    ARM64_WRITE(ttbr0_el1, arch_virt_to_phys(arm64_empty_table));

    // What is not switched with a thread, or tells of others, is undefined to users: no timers or counters, no cache
    // maintenance, no debugging, no waiting for interrupts.
    ARM64_WRITE(cpacr_el1, ACCESS_KERNEL);
    ARM64_WRITE(cntkctl_el1, 0);
    ARM64_WRITE(mdscr_el1, 0);
    unsigned counters = field(ARM64_READ(id_aa64dfr0_el1), 8);
    if (counters != 0 && counters != 15) {
        ARM64_WRITE(pmuserenr_el0, 0);
    }
    if (field(ARM64_READ(id_aa64pfr0_el1), 44) != 0) {
        ARM64_WRITE_NAMED(ARM64_AMUSERENR, 0);
    }
    uint64_t control = ARM64_SCTLR_ONES | ARM64_SCTLR_MMU | ARM64_SCTLR_CACHE | ARM64_SCTLR_STACK_CHECK |
                       ARM64_SCTLR_INSTRUCTION | ARM64_SCTLR_USER_WFE | ARM64_SCTLR_WXN;
    if (arm64_features.pan) {
        control &= ~(uint64_t)ARM64_SCTLR_KEEP_PAN;
        control |= arm64_features.epan ? ARM64_SCTLR_EPAN : 0;
    }
    ARM64_WRITE(sctlr_el1, control);
    arm64_isb();
    // Nothing of the maps from before remains: where this code was loaded, and what was writable and executable.
    __asm__ volatile("tlbi vmalle1" ::: "memory");
    __asm__ volatile("dsb nsh" ::: "memory");
    arm64_isb();
    if (arm64_features.pan) {
        __asm__ volatile(".inst 0xd500419f" ::: "memory"); // msr pan, #1
    }
}

status_t arm64_stacks_map(struct arch_cpu *cpu, paddr_t stack, paddr_t emergency) {
    uint64_t top = arm64_window_stack(stack);
    cpu->stack_top = top - ARM64_STACK_RESERVED;
    cpu->emergency_top = (uint64_t)arch_phys_to_virt(emergency) + 4096;
    return top != 0 ? 0 : ERR_NO_MEMORY;
}

const char *arm64_model_name(uint64_t model) {
    static const struct {
        uint32_t implementer_part; // bits 31 to 24 and 15 to 4 of MIDR_EL1
        const char *name;
    } models[] = {
        {0x41d03, "Cortex-A53"},  {0x41d04, "Cortex-A35"},  {0x41d05, "Cortex-A55"},  {0x41d07, "Cortex-A57"},
        {0x41d08, "Cortex-A72"},  {0x41d09, "Cortex-A73"},  {0x41d0a, "Cortex-A75"},  {0x41d0b, "Cortex-A76"},
        {0x41d0c, "Neoverse-N1"}, {0x41d40, "Neoverse-V1"}, {0x41d49, "Neoverse-N2"}, {0x00051, "QEMU"},
        {0x46001, "A64FX"},
    };
    uint32_t key = (uint32_t)(model >> 24 & 0xff) << 12 | (uint32_t)(model >> 4 & 0xfff);
    for (unsigned i = 0; i < sizeof models / sizeof *models; i++) {
        if (models[i].implementer_part == key) {
            return models[i].name;
        }
    }
    return nullptr;
}
