// Boot on riscv64 from the first C function to the core's kernel_main, as one ordered list.
#include "fdt/fdt.h"

#include "boot.h"
#include "clock.h"
#include "console.h"
#include "irq.h"
#include "layout.h"
#include "machine.h"
#include "map.h"
#include "power.h"
#include "sbi.h"
#include "smp.h"
#include "space.h"

[[gnu::section(".bss.pages")]] alignas(4096) static uint8_t spare_stack[RISCV_SPARE_STACK_SIZE];
extern uint8_t riscv_boot_stack[]; // start.S

void riscv_start(uint64_t hart, paddr_t device_tree);

static void run_boot(void *boot) {
    kernel_main(boot);
    riscv_cpu_ready();
}

// On the boot stack, in the boot code's map.
void riscv_start(uint64_t hart, paddr_t device_tree) {
    riscv_boot_cpu.hart = hart;
    riscv_boot_cpu.stack_top = (uint64_t)riscv_boot_stack + RISCV_STACK_SIZE;
    riscv_boot_cpu.spare_top = (uint64_t)spare_stack + sizeof spare_stack;
    if (!riscv_sbi_init()) {
        kernel_refuse("isthmus: the firmware lacks SBI 0.2 with TIME, IPI and RFENCE\n");
    }
    struct fdt fdt;
    const void *blob = arch_phys_to_virt(device_tree);
    if (device_tree >= RISCV_DIRECT_MAP_SV39_SIZE - FDT_SIZE_MAX || !fdt_open(&fdt, blob, fdt_size(blob))) {
        kernel_refuse("isthmus: the firmware left no device tree\n");
    }
    riscv_machine_read(&fdt, hart);
    if (!riscv_boot_read(&fdt)) {
        kernel_refuse("isthmus: the device tree tells of no memory\n");
    }
    const struct boot_info *boot = riscv_boot_finish(); // the device tree is gone
    riscv_space_probe();
    riscv_power_init();
    riscv_console_init();
    if (!riscv_stacks_map(&riscv_boot_cpu, arch_virt_to_phys(riscv_boot_stack), arch_virt_to_phys(spare_stack))) {
        kernel_refuse("isthmus: no room for kernel stacks\n");
    }
    if (!riscv_clock_init()) {
        kernel_refuse("isthmus: the device tree tells no rate of the clock\n");
    }
    riscv_cpu_init();
    riscv_irq_init();
    riscv_run(run_boot, (void *)boot);
}
