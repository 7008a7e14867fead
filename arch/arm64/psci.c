#include "psci.h"

#include "base/str.h"

#include "boot.h"

enum : uint64_t {
    PSCI_CPU_ON = 0xc4000003,
    PSCI_SYSTEM_OFF = 0x84000008,
    PSCI_SYSTEM_RESET = 0x84000009,
};
enum { PSCI_NOT_SUPPORTED = -1 };

static enum { CONDUIT_NONE, CONDUIT_HVC, CONDUIT_SMC } conduit;

bool arm64_psci_init(void) {
    struct fdt_node node = fdt_root(&arm64_tree);
    while (fdt_next(&node)) {
        if (!fdt_compatible(&node, "arm,psci-0.2") && !fdt_compatible(&node, "arm,psci-1.0")) {
            continue;
        }
        const char *method = fdt_property_string(&node, "method");
        if (method != nullptr) {
            conduit = str_equal(method, "hvc") ? CONDUIT_HVC : str_equal(method, "smc") ? CONDUIT_SMC : CONDUIT_NONE;
        }
        break;
    }
    return conduit != CONDUIT_NONE;
}

bool arm64_psci_found(void) {
    return conduit != CONDUIT_NONE;
}

static int64_t call(uint64_t function, uint64_t a1, uint64_t a2, uint64_t a3) {
    register uint64_t x0 __asm__("x0") = function;
    register uint64_t x1 __asm__("x1") = a1;
    register uint64_t x2 __asm__("x2") = a2;
    register uint64_t x3 __asm__("x3") = a3;
#define CLOBBERED "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "memory"
    switch (conduit) {
    case CONDUIT_NONE:
        return PSCI_NOT_SUPPORTED;
    case CONDUIT_HVC:
        __asm__ volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)::CLOBBERED);
        break;
    case CONDUIT_SMC:
        __asm__ volatile("smc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)::CLOBBERED);
        break;
    }
    return (int32_t)x0;
}

int64_t arm64_psci_cpu_on(uint64_t affinity, uint64_t entry, uint64_t argument) {
    return call(PSCI_CPU_ON, affinity, entry, argument);
}

void arm64_psci_system_off(void) {
    (void)call(PSCI_SYSTEM_OFF, 0, 0, 0);
}

void arm64_psci_system_reset(void) {
    (void)call(PSCI_SYSTEM_RESET, 0, 0, 0);
}
