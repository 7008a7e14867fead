#include "power.h"

#include "kernel/include/arch.h"

#include "gic.h"
#include "psci.h"

// Semihosting ends the emulator with a status, where it is turned on; elsewhere the instruction is undefined, and
// nothing happens. The emulator's own status is 2 * ours + 1, as on every port: 0 and 1 are its own.
enum { SEMIHOSTING_EXIT = 0x20, PANIC_STATUS = 0x3f };
enum : uint64_t { APPLICATION_EXIT = 0x20026 };

void arm64_semihosting(uint64_t operation, void *block); // entry.S

static bool stopping;

void arm64_stop_others(void) {
    if (!__atomic_exchange_n(&stopping, true, __ATOMIC_RELAXED) && arm64_gic != nullptr) {
        arm64_gic->send(nullptr, ARM64_GIC_STOP);
    }
}

void arch_cpu_stop(void) {
    for (;;) {
        __asm__ volatile("msr daifset, #15\n\twfi");
    }
}

static void exit_emulator(unsigned status) {
    uint64_t block[2] = {APPLICATION_EXIT, (status << 1 | 1) & 0xff};
    arm64_semihosting(SEMIHOSTING_EXIT, block);
}

void arch_power_off(unsigned status) {
    arm64_stop_others();
    if (status != 0) {
        exit_emulator(status);
    }
    arm64_psci_system_off();
    arch_cpu_stop();
}

void arch_power_panic(void) {
    arm64_stop_others();
    exit_emulator(PANIC_STATUS);
    arch_cpu_stop();
}

void arch_power_reset(void) {
    arm64_stop_others();
    arm64_psci_system_reset();
    arch_cpu_stop();
}
