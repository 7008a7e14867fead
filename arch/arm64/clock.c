#include "clock.h"

#include "base/ratio.h"

#include "boot.h"
#include "gic.h"
#include "instructions.h"

enum : uint64_t { NANOSECONDS = 1000000000 };
enum { TIMER_VIRTUAL = 2 }; // place of its interrupt in the tree
enum { TIMER_ENABLE = 1 };

static uint64_t hz;
static uint64_t ns_per_tick, ticks_per_ns; // ratios
static uint64_t boot_ticks;
static unsigned interrupt_number;

static struct arch_cpu *this_cpu(void) {
    return (struct arch_cpu *)arch_cpu_current();
}

// Not ahead of what comes before in the program.
static uint64_t ticks_now(void) {
    arm64_isb();
    return ARM64_READ(cntvct_el0);
}

bool arm64_clock_init(void) {
    struct fdt_node node = fdt_root(&arm64_tree);
    bool found = false;
    while (!found && fdt_next(&node)) {
        found =
            fdt_compatible(&node, "arm,armv8-timer") && arm64_boot_interrupt(&node, TIMER_VIRTUAL, &interrupt_number);
    }
    hz = fdt_property_u32(&node, "clock-frequency", (uint32_t)ARM64_READ(cntfrq_el0));
    if (!found || hz == 0) {
        return false;
    }
    ns_per_tick = ratio_make(NANOSECONDS, hz);
    ticks_per_ns = ratio_make(hz, NANOSECONDS);
    boot_ticks = ticks_now();
    return true;
}

void arm64_clock_init_cpu(struct arch_cpu *cpu) {
    cpu->deadline = UINT64_MAX;
    ARM64_WRITE(cntv_ctl_el0, 0);
    arm64_isb();
    arm64_gic->enable(cpu, interrupt_number);
}

uint64_t arm64_clock_hz(void) {
    return hz;
}

unsigned arm64_clock_interrupt(void) {
    return interrupt_number;
}

uint64_t arch_time_now(void) {
    return arch_stamp_time(ticks_now());
}

uint64_t arch_stamp_time(uint64_t stamp) {
    return arch_ticks_time(stamp - boot_ticks);
}

uint64_t arch_ticks_time(uint64_t ticks) {
    return ratio_scale(ticks, ns_per_tick);
}

void arch_timer_arm(uint64_t deadline) {
    this_cpu()->deadline = deadline;
    if (deadline == UINT64_MAX) {
        ARM64_WRITE(cntv_ctl_el0, 0);
    } else {
        ARM64_WRITE(cntv_cval_el0, boot_ticks + ratio_scale(deadline, ticks_per_ns) + 1);
        ARM64_WRITE(cntv_ctl_el0, TIMER_ENABLE);
    }
    arm64_isb();
}

// The interrupt lasts as long as the timer is due: it is set again or turned off here.
bool arm64_clock_expired(void) {
    uint64_t deadline = this_cpu()->deadline;
    if (deadline != UINT64_MAX && arch_time_now() < deadline) {
        arch_timer_arm(deadline);
        return false;
    }
    arch_timer_arm(UINT64_MAX);
    return true;
}
