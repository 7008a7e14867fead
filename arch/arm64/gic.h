// The interrupt controller: a GICv2 or a GICv3 (gic2.c, gic3.c), as the device tree tells.
//
// Priorities: the inter-processor interrupt is more urgent than all others, so that arch_cpu_rest can let it alone in.
#pragma once

#include "fdt/fdt.h"
#include "kernel/include/arch.h"

enum {
    ARM64_GIC_IPI = 0,         // software interrupts: trap_ipi
    ARM64_GIC_STOP = 1,        //   halt for good
    ARM64_GIC_SHARED = 32,     // interrupts from here on are shared by the CPUs
    ARM64_GIC_SPURIOUS = 1020, // from here on: none
};

enum {
    ARM64_GIC_PRIORITY_IPI = 0x40,
    ARM64_GIC_PRIORITY = 0xa0,
    ARM64_GIC_ADMIT_IPI = 0x80,
    ARM64_GIC_ADMIT_ALL = 0xf0,
};

// One kind of controller.
struct arm64_gic {
    const char *name;
    bool (*init)(const struct fdt_node *node);                // boot CPU, once; false: it is not what the tree says
    bool (*init_cpu)(struct arch_cpu *cpu);                   // each CPU, on itself; false: it has no interface
    void (*enable)(struct arch_cpu *cpu, unsigned number);    // a private interrupt of this CPU, or a shared one for it
    uint32_t (*acknowledge)(void);                            // take the most urgent one; its low bits are the number
    void (*end)(uint32_t taken);                              // what acknowledge gave
    void (*send)(const struct arch_cpu *to, unsigned number); // null: to all others
    void (*admit)(unsigned priority);                         // on this CPU, only what is more urgent
};

extern const struct arm64_gic arm64_gic2, arm64_gic3;
extern const struct arm64_gic *arm64_gic; // the machine's

[[nodiscard]] bool arm64_gic_init(void); // boot CPU: finds it; false: there is none
