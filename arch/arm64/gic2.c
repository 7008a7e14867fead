// GICv2: a distributor for all, and an interface for each CPU at the same address; up to eight CPUs.
#include "gic.h"

#include "instructions.h"
#include "map.h"

enum distributor_register {
    CONTROL = 0x000,
    TYPE = 0x004,
    ENABLE = 0x100,
    DISABLE = 0x180,
    CLEAR_PENDING = 0x280,
    CLEAR_ACTIVE = 0x380,
    PRIORITY = 0x400,
    TARGETS = 0x800,
    SEND = 0xf00,
};

enum interface_register {
    INTERFACE_CONTROL = 0x00,
    INTERFACE_ADMIT = 0x04,
    INTERFACE_ACKNOWLEDGE = 0x0c,
    INTERFACE_END = 0x10,
};

enum { SEND_OTHERS = 1 << 24 };

static volatile uint8_t *distributor, *interface;

static bool init(const struct fdt_node *node) {
    uint64_t base, size, interface_base, interface_size;
    if (!fdt_reg(node, 0, &base, &size) || size < 0x1000 || !fdt_reg(node, 1, &interface_base, &interface_size) ||
        interface_size < 0x100) {
        return false;
    }
    distributor = arm64_window_device(base, 0x1000);
    interface = arm64_window_device(interface_base, 0x100);
    if (distributor == nullptr || interface == nullptr) {
        return false;
    }
    unsigned lines = ((arm64_read32(distributor + TYPE) & 31) + 1) * 32;
    lines = lines > ARM64_GIC_SPURIOUS ? ARM64_GIC_SPURIOUS : lines;
    arm64_write32(distributor + CONTROL, 0);
    for (unsigned i = ARM64_GIC_SHARED; i < lines; i += 32) {
        arm64_write32(distributor + DISABLE + i / 8, UINT32_MAX);
        arm64_write32(distributor + CLEAR_PENDING + i / 8, UINT32_MAX);
        arm64_write32(distributor + CLEAR_ACTIVE + i / 8, UINT32_MAX);
    }
    for (unsigned i = ARM64_GIC_SHARED; i < lines; i++) {
        arm64_write8(distributor + PRIORITY + i, ARM64_GIC_PRIORITY);
    }
    arm64_write32(distributor + CONTROL, 1);
    return true;
}

static bool init_cpu(struct arch_cpu *cpu) {
    // Each CPU reads its own bit there; the only CPU of a machine may read 0.
    uint32_t targets = arm64_read32(distributor + TARGETS);
    cpu->gic_target = (uint8_t)(targets | targets >> 8 | targets >> 16 | targets >> 24);
    arm64_write32(distributor + DISABLE, 0xffff0000);
    arm64_write32(distributor + CLEAR_PENDING, 0xffff0000);
    arm64_write32(distributor + CLEAR_ACTIVE, UINT32_MAX);
    for (unsigned i = 0; i < ARM64_GIC_SHARED; i++) {
        arm64_write8(distributor + PRIORITY + i, i == ARM64_GIC_IPI ? ARM64_GIC_PRIORITY_IPI : ARM64_GIC_PRIORITY);
    }
    arm64_write32(distributor + ENABLE, 1u << ARM64_GIC_IPI | 1u << ARM64_GIC_STOP);
    arm64_write32(interface + INTERFACE_ADMIT, ARM64_GIC_ADMIT_ALL);
    arm64_write32(interface + INTERFACE_CONTROL, 1);
    return true;
}

static void enable(struct arch_cpu *cpu, unsigned number) {
    if (number >= ARM64_GIC_SHARED) {
        arm64_write8(distributor + TARGETS + number, cpu->gic_target);
    }
    arm64_write32(distributor + ENABLE + number / 32 * 4, 1u << number % 32);
}

static uint32_t acknowledge(void) {
    return arm64_read32(interface + INTERFACE_ACKNOWLEDGE);
}

static void end(uint32_t taken) {
    arm64_write32(interface + INTERFACE_END, taken);
}

static void send(const struct arch_cpu *to, unsigned number) {
    arm64_dsb_stores(); // what was written for the other CPU is there when the interrupt is
    uint32_t target = to != nullptr ? (uint32_t)to->gic_target << 16 : SEND_OTHERS;
    arm64_write32(distributor + SEND, target | number);
}

static void admit(unsigned priority) {
    arm64_write32(interface + INTERFACE_ADMIT, priority);
    (void)arm64_read32(interface + INTERFACE_ADMIT); // it has arrived
}

const struct arm64_gic arm64_gic2 = {"GICv2", init, init_cpu, enable, acknowledge, end, send, admit};
