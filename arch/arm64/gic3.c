// GICv3: a distributor for all, a redistributor for each CPU, and an interface in system registers. Interrupts are
// routed by affinity.
#include "gic.h"

#include "instructions.h"
#include "map.h"

enum distributor_register {
    CONTROL = 0x0000,
    TYPE = 0x0004,
    GROUP = 0x0080,
    ENABLE = 0x0100,
    DISABLE = 0x0180,
    CLEAR_PENDING = 0x0280,
    CLEAR_ACTIVE = 0x0380,
    PRIORITY = 0x0400,
    ROUTE = 0x6000,
};

// A redistributor is two frames (four if it has virtual interrupts). The second one has the registers of the
// distributor, for the private interrupts.
enum redistributor_register {
    REDISTRIBUTOR_TYPE = 0x08,
    REDISTRIBUTOR_WAKER = 0x14,
    REDISTRIBUTOR_PRIVATE = 0x10000,
    REDISTRIBUTOR_SIZE = 0x20000,
};

enum {
    CONTROL_GROUPS = 3, // both groups of this security state
    CONTROL_AFFINITY = 1 << 4,
    CONTROL_WRITING = 1u << 31,
    TYPE_VIRTUAL = 1 << 1,
    TYPE_LAST = 1 << 4,
    WAKER_SLEEP = 1 << 1,
    WAKER_ASLEEP = 1 << 2,
    REGIONS_MAX = 16,
    PATIENCE = 1000000,
};

static volatile uint8_t *distributor;
static struct {
    volatile uint8_t *at;
    uint64_t size;
} region[REGIONS_MAX];
static unsigned region_count;

// Wait until the distributor has done what was written.
static void settle(void) {
    for (unsigned i = 0; i < PATIENCE && (arm64_read32(distributor + CONTROL) & CONTROL_WRITING) != 0; i++) {
        arch_cpu_relax();
    }
}

static bool init(const struct fdt_node *node) {
    uint64_t base, size;
    if (!fdt_reg(node, 0, &base, &size) || size < 0x8000) {
        return false;
    }
    distributor = arm64_window_device(base, 0x10000);
    uint32_t regions = fdt_property_u32(node, "#redistributor-regions", 1);
    for (uint32_t i = 0; i < regions && region_count < REGIONS_MAX && fdt_reg(node, i + 1, &base, &size); i++) {
        uint64_t useful = (uint64_t)CPU_MAX * 2 * REDISTRIBUTOR_SIZE;
        region[region_count].size = size < useful ? size : useful;
        region[region_count].at = arm64_window_device(base, region[region_count].size);
        region_count += region[region_count].at != nullptr ? 1 : 0;
    }
    if (distributor == nullptr || region_count == 0) {
        return false;
    }
    arm64_write32(distributor + CONTROL, 0);
    settle();
    unsigned lines = ((arm64_read32(distributor + TYPE) & 31) + 1) * 32;
    lines = lines > ARM64_GIC_SPURIOUS ? ARM64_GIC_SPURIOUS : lines;
    for (unsigned i = ARM64_GIC_SHARED; i < lines; i += 32) {
        arm64_write32(distributor + DISABLE + i / 8, UINT32_MAX);
        arm64_write32(distributor + CLEAR_PENDING + i / 8, UINT32_MAX);
        arm64_write32(distributor + CLEAR_ACTIVE + i / 8, UINT32_MAX);
        arm64_write32(distributor + GROUP + i / 8, UINT32_MAX);
    }
    for (unsigned i = ARM64_GIC_SHARED; i < lines; i++) {
        arm64_write8(distributor + PRIORITY + i, ARM64_GIC_PRIORITY);
    }
    arm64_write32(distributor + CONTROL, CONTROL_AFFINITY);
    settle();
    arm64_write32(distributor + CONTROL, CONTROL_AFFINITY | CONTROL_GROUPS);
    settle();
    return true;
}

// This CPU's redistributor names its affinity in the upper half of its type: levels 3 to 0.
static volatile uint8_t *find_redistributor(const struct arch_cpu *cpu) {
    uint32_t affinity = (uint32_t)(cpu->affinity & 0xffffff) | (uint32_t)(cpu->affinity >> 8 & 0xff000000);
    for (unsigned i = 0; i < region_count; i++) {
        for (uint64_t offset = 0; offset + REDISTRIBUTOR_SIZE <= region[i].size;) {
            volatile uint8_t *at = region[i].at + offset;
            uint64_t type = arm64_read64(at + REDISTRIBUTOR_TYPE);
            if (type >> 32 == affinity) {
                return at;
            }
            if ((type & TYPE_LAST) != 0) {
                break;
            }
            offset += (uint64_t)REDISTRIBUTOR_SIZE * ((type & TYPE_VIRTUAL) != 0 ? 2 : 1);
        }
    }
    return nullptr;
}

static bool init_cpu(struct arch_cpu *cpu) {
    volatile uint8_t *at = find_redistributor(cpu);
    if (at == nullptr) {
        return false;
    }
    arm64_write32(at + REDISTRIBUTOR_WAKER, arm64_read32(at + REDISTRIBUTOR_WAKER) & ~(uint32_t)WAKER_SLEEP);
    for (unsigned i = 0; i < PATIENCE && (arm64_read32(at + REDISTRIBUTOR_WAKER) & WAKER_ASLEEP) != 0; i++) {
        arch_cpu_relax();
    }
    at += REDISTRIBUTOR_PRIVATE;
    cpu->redistributor = at;
    arm64_write32(at + DISABLE, UINT32_MAX);
    arm64_write32(at + CLEAR_PENDING, UINT32_MAX);
    arm64_write32(at + CLEAR_ACTIVE, UINT32_MAX);
    arm64_write32(at + GROUP, UINT32_MAX);
    for (unsigned i = 0; i < ARM64_GIC_SHARED; i++) {
        arm64_write8(at + PRIORITY + i, i == ARM64_GIC_IPI ? ARM64_GIC_PRIORITY_IPI : ARM64_GIC_PRIORITY);
    }
    arm64_write32(at + ENABLE, 1u << ARM64_GIC_IPI | 1u << ARM64_GIC_STOP);

    ARM64_WRITE_NAMED(ARM64_ICC_SRE, ARM64_READ_NAMED(ARM64_ICC_SRE) | 1);
    arm64_isb();
    ARM64_WRITE_NAMED(ARM64_ICC_PMR, ARM64_GIC_ADMIT_ALL);
    ARM64_WRITE_NAMED(ARM64_ICC_BPR1, 0);
    ARM64_WRITE_NAMED(ARM64_ICC_CTLR, 0); // the end of an interrupt is one step
    ARM64_WRITE_NAMED(ARM64_ICC_IGRPEN1, 1);
    arm64_isb();
    return true;
}

static void enable(struct arch_cpu *cpu, unsigned number) {
    volatile uint8_t *at = cpu->redistributor;
    if (number >= ARM64_GIC_SHARED) {
        at = distributor;
        arm64_write64(distributor + ROUTE + (uint64_t)number * 8, cpu->affinity);
    }
    arm64_write32(at + ENABLE + number / 32 * 4, 1u << number % 32);
}

static uint32_t acknowledge(void) {
    uint32_t number = (uint32_t)ARM64_READ_NAMED(ARM64_ICC_IAR1);
    arm64_dsb_system(); // the device sees that before it is asked
    return number;
}

static void end(uint32_t taken) {
    ARM64_WRITE_NAMED(ARM64_ICC_EOIR1, taken);
    arm64_isb();
}

static void send(const struct arch_cpu *to, unsigned number) {
    uint64_t request = (uint64_t)number << 24;
    if (to == nullptr) {
        request |= 1ull << 40; // all others
    } else {
        uint64_t a = to->affinity;
        uint64_t cpu = a & 15, range = a >> 4 & 15;
        request |= (a >> 32 & 0xff) << 48 | (a >> 16 & 0xff) << 32 | (a >> 8 & 0xff) << 16 | range << 44 | 1ull << cpu;
    }
    arm64_dsb_stores(); // what was written for the other CPU is there when the interrupt is
    ARM64_WRITE_NAMED(ARM64_ICC_SGI1R, request);
    arm64_isb();
}

static void admit(unsigned priority) {
    ARM64_WRITE_NAMED(ARM64_ICC_PMR, priority);
    arm64_isb();
}

const struct arm64_gic arm64_gic3 = {"GICv3", init, init_cpu, enable, acknowledge, end, send, admit};
