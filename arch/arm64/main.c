// Boot on arm64 from the first C function to the core's kernel_main, as one ordered list.
#include "abi/abi.h"

#include "boot.h"
#include "cache.h"
#include "clock.h"
#include "console.h"
#include "gic.h"
#include "instructions.h"
#include "layout.h"
#include "processor.h"
#include "psci.h"
#include "smp.h"
#include "space.h"

alignas(4096) static uint8_t emergency_page[4096];
extern uint8_t arm64_boot_stack[]; // start.S

void arm64_start(paddr_t tree, const void *tree_now);

static void run_boot(void *boot) {
    kernel_main(boot);
    static_assert(CALL_FAST <= ARM64_FAST_MAX);
    // Other CPUs may be making calls by now.
    for (unsigned i = 0; i < fast_limit; i++) {
        __atomic_store_n(&arm64_fast[i], fast_paths[i], __ATOMIC_RELAXED);
    }
}

// On the boot stack, in the boot code's map.
void arm64_start(paddr_t tree, const void *tree_now) {
    arm64_boot_cpu.stack_top = (uint64_t)arm64_boot_stack + ARM64_STACK_SIZE - ARM64_STACK_RESERVED;
    arm64_boot_cpu.emergency_top = (uint64_t)emergency_page + sizeof emergency_page;
    ARM64_WRITE(tpidr_el1, (uint64_t)&arm64_boot_cpu);
    arm64_features_detect();
    arm64_cache_init();
    arm64_space_init();
    const struct boot_info *boot = arm64_boot_read(tree, tree_now);
    if (boot == nullptr) {
        arch_power_panic(); // nothing is known of a console
    }
    arm64_console_init();
    (void)arm64_psci_init(); // without it there is one CPU, and no power to turn off
    if (arm64_stacks_map(&arm64_boot_cpu, arch_virt_to_phys(arm64_boot_stack), arch_virt_to_phys(emergency_page)) !=
        0) {
        kernel_refuse("isthmus: no room for kernel stacks\n");
    }
    arm64_cpu_init(&arm64_boot_cpu);
    if (!arm64_gic_init() || !arm64_gic->init_cpu(&arm64_boot_cpu)) {
        kernel_refuse("isthmus: no interrupt controller that this kernel knows\n");
    }
    if (!arm64_clock_init()) {
        kernel_refuse("isthmus: no timer that this kernel knows\n");
    }
    arm64_clock_init_cpu(&arm64_boot_cpu);
    arm64_smp_init();
    arm64_run(run_boot, (void *)boot);
}
