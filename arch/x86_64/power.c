#include "power.h"

#include "kernel/include/arch.h"

#include "acpi.h"
#include "apic.h"
#include "clock.h"
#include "instructions.h"

// QEMU's isa-debug-exit device ends the emulator with (value << 1) | 1. Elsewhere nothing listens.
enum { EXIT_PORT = 0xf4, EXIT_PANIC = 0x3f };

enum { PM1_SCI_ENABLE = 1, PM1_SLEEP = 1 << 13 };
enum { RESET_CONTROL = 0xcf9, KEYBOARD = 0x64, KEYBOARD_RESET = 0xfe };

static bool stopping;

void x86_stop_others(void) {
    if (!__atomic_exchange_n(&stopping, true, __ATOMIC_SEQ_CST)) {
        x86_apic_send_nmi_others();
    }
}

bool x86_stop_asked(void) {
    return __atomic_load_n(&stopping, __ATOMIC_SEQ_CST);
}

void arch_cpu_stop(void) {
    for (;;) {
        __asm__ volatile("cli; hlt");
    }
}

static void soft_off(void) {
    const struct x86_acpi *acpi = &x86_acpi;
    if (acpi->pm1a_control != 0) {
        if (acpi->smi_command != 0 && acpi->acpi_enable != 0 && (x86_in16(acpi->pm1a_control) & PM1_SCI_ENABLE) == 0) {
            x86_out8((uint16_t)acpi->smi_command, acpi->acpi_enable);
            for (unsigned i = 0; i < 300 && (x86_in16(acpi->pm1a_control) & PM1_SCI_ENABLE) == 0; i++) {
                x86_clock_delay(10000000);
            }
        }
        x86_out16(acpi->pm1a_control, acpi->sleep_type_a | PM1_SLEEP);
        if (acpi->pm1b_control != 0) {
            x86_out16(acpi->pm1b_control, acpi->sleep_type_b | PM1_SLEEP);
        }
    } else {
        x86_out16(0x604, PM1_SLEEP); // where QEMU's machines have it, without tables to say so
    }
}

void arch_power_off(unsigned status) {
    x86_stop_others();
    if (status != 0) {
        x86_out8(EXIT_PORT, (uint8_t)status);
    }
    soft_off();
    arch_cpu_stop();
}

void arch_power_panic(void) {
    x86_stop_others();
    x86_out8(EXIT_PORT, EXIT_PANIC);
    arch_cpu_stop();
}

void arch_power_reset(void) {
    x86_stop_others();
    if (x86_acpi.reset_address != 0) {
        x86_out8((uint16_t)x86_acpi.reset_address, x86_acpi.reset_value);
        x86_clock_delay(10000000);
    }
    x86_out8(RESET_CONTROL, 2);
    x86_out8(RESET_CONTROL, 6);
    x86_clock_delay(10000000);
    x86_out8(KEYBOARD, KEYBOARD_RESET);
    x86_clock_delay(10000000);
    // No interrupt table: the next exception resets the processor.
    struct [[gnu::packed]] {
        uint16_t limit;
        uint64_t base;
    } none = {};
    __asm__ volatile("lidt %0; int3" ::"m"(none));
    arch_cpu_stop();
}
