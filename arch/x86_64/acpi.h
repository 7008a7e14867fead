// What the ACPI tables tell: CPUs, interrupt controllers, how to power off, the power-management timer. Tables are read
// where the firmware left them; nothing is believed without its checksum.
#pragma once

#include "kernel/include/arch.h"

enum { X86_ISA_IRQS = 16 };

struct x86_acpi {
    bool found;
    unsigned cpu_count; // enabled ones; the boot CPU is anywhere among them
    uint32_t apic_id[CPU_MAX];
    paddr_t io_apic; // the one whose inputs begin at 0; 0: none
    struct {
        uint32_t input; // of the I/O APIC
        bool level, low;
    } isa[X86_ISA_IRQS];    // where the legacy interrupts arrive
    uint16_t pm_timer_port; // 0: none
    bool pm_timer_32;
    uint16_t pm1a_control, pm1b_control; // 0: no power off
    uint16_t sleep_type_a, sleep_type_b; // for S5, in place
    uint16_t smi_command;
    uint8_t acpi_enable;
    paddr_t reset_address; // I/O port of the reset register; 0: none
    uint8_t reset_value;
};

extern struct x86_acpi x86_acpi;

void x86_acpi_init(void); // before the core gets any memory
