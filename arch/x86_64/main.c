// Boot on x86_64 from the first C function to the core's kernel_main, as one ordered list.
#include "acpi.h"
#include "apic.h"
#include "boot.h"
#include "clock.h"
#include "console.h"
#include "instructions.h"
#include "layout.h"
#include "map.h"
#include "processor.h"
#include "smp.h"

enum { MSR_GS_BASE = 0xc0000101 };

[[gnu::section(".bss.pages")]] alignas(4096) static uint8_t ist_pages[X86_IST_COUNT][4096];
extern uint8_t x86_boot_stack[]; // start.S

void x86_start(uint32_t loader, uint32_t information);

static void run_boot(void *boot) {
    kernel_main(boot);
}

// On the boot stack, in the boot code's map.
void x86_start(uint32_t loader, uint32_t information) {
    x86_write_msr(MSR_GS_BASE, (uint64_t)&x86_boot_cpu);
    x86_boot_cpu.deadline = UINT64_MAX;
    x86_console_init();
    x86_features_detect();
    bool read = loader == X86_LOADER_PVH ? x86_boot_read_pvh(information) : x86_boot_read_multiboot2(information);
    if (!read) {
        kernel_refuse("isthmus: the boot loader left no memory map\n");
    }
    x86_acpi_init();
    const struct boot_info *boot = x86_boot_finish();

    x86_map_init();
    paddr_t pages[X86_IST_COUNT];
    uint64_t ist[X86_IST_COUNT];
    for (unsigned i = 0; i < X86_IST_COUNT; i++) {
        pages[i] = arch_virt_to_phys(ist_pages[i]);
    }
    if (x86_stacks_map(&x86_boot_cpu, pages, arch_virt_to_phys(x86_boot_stack), ist) != 0) {
        kernel_refuse("isthmus: no room for kernel stacks\n");
    }
    x86_cpu_init(&x86_boot_cpu, ist);
    x86_apic_init();
    x86_clock_init();
    x86_smp_init();
    x86_boot_cpu.apic_id = x86_apic_id();
    x86_run(run_boot, (void *)boot);
}
