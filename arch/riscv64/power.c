#include "power.h"

#include "kernel/include/arch.h"

#include "instructions.h"
#include "machine.h"
#include "map.h"
#include "sbi.h"
#include "smp.h"

// QEMU's test device ends the emulator: with 0, or with a status. Elsewhere nothing listens.
enum : uint32_t { TEST_PASS = 0x5555, TEST_FAIL = 0x3333 };
enum { EXIT_PANIC = 0x3f };

static volatile uint32_t *test_device;
static bool stopping;

void riscv_power_init(void) {
    if (riscv_machine.test_device != 0) {
        test_device = (volatile uint32_t *)riscv_window_map(riscv_machine.test_device, sizeof *test_device);
    }
}

void riscv_stop_others(void) {
    if (!__atomic_exchange_n(&stopping, true, __ATOMIC_SEQ_CST)) {
        riscv_smp_ipi_others();
    }
}

bool riscv_stop_asked(void) {
    return __atomic_load_n(&stopping, __ATOMIC_SEQ_CST);
}

void arch_cpu_stop(void) {
    riscv_csr_write(sie, 0);
    for (;;) {
        __asm__ volatile("wfi");
    }
}

// The status as isa-debug-exit of x86 machines would give it, so that whoever runs the emulator reads one code.
static void exit_with(unsigned status) {
    if (test_device != nullptr) {
        *test_device = ((status << 1 | 1) & 0xff) << 16 | TEST_FAIL;
    }
}

void arch_power_off(unsigned status) {
    riscv_stop_others();
    if (status != 0) {
        exit_with(status);
    }
    riscv_sbi_reset(RISCV_SBI_SHUTDOWN);
    if (test_device != nullptr) {
        *test_device = TEST_PASS;
    }
    arch_cpu_stop();
}

void arch_power_panic(void) {
    riscv_stop_others();
    exit_with(EXIT_PANIC);
    arch_cpu_stop();
}

void arch_power_reset(void) {
    riscv_stop_others();
    riscv_sbi_reset(RISCV_SBI_COLD_REBOOT);
    arch_cpu_stop();
}
