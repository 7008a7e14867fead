#include "clock.h"

#include "base/ratio.h"

#include "instructions.h"
#include "machine.h"
#include "sbi.h"

enum : uint64_t { NANOSECONDS = 1000000000, NEVER = UINT64_MAX };

static uint64_t ns_per_tick, ticks_per_ns; // ratios
static uint64_t boot_ticks;
static bool has_sstc;

static struct arch_cpu *this_cpu(void) {
    return (struct arch_cpu *)arch_cpu_current();
}

static void compare(uint64_t ticks) {
    if (has_sstc) {
        riscv_csr_write(0x14d, ticks); // stimecmp
    } else {
        riscv_sbi_timer(ticks);
    }
}

bool riscv_write_stimecmp(uint64_t ticks); // probe.S: false if there is no such register

bool riscv_clock_init(void) {
    uint64_t hz = riscv_machine.timebase_hz;
    if (hz == 0 || hz > UINT32_MAX) {
        return false;
    }
    ns_per_tick = ratio_make(NANOSECONDS, hz);
    ticks_per_ns = ratio_make(hz, NANOSECONDS);
    has_sstc = riscv_write_stimecmp(NEVER);
    boot_ticks = riscv_read_time();
    riscv_clock_init_cpu();
    return true;
}

void riscv_clock_init_cpu(void) {
    compare(NEVER);
}

bool riscv_clock_has_sstc(void) {
    return has_sstc;
}

uint64_t arch_time_now(void) {
    return arch_stamp_time(riscv_read_time());
}

uint64_t arch_stamp_time(uint64_t stamp) {
    return arch_ticks_time(stamp - boot_ticks);
}

uint64_t arch_ticks_time(uint64_t ticks) {
    return ratio_scale(ticks, ns_per_tick);
}

static void start(uint64_t deadline) {
    compare(boot_ticks + ratio_scale(deadline, ticks_per_ns) + 1);
}

void arch_timer_arm(uint64_t deadline) {
    this_cpu()->deadline = deadline;
    if (deadline == UINT64_MAX) {
        compare(NEVER);
        return;
    }
    start(deadline);
}

bool riscv_clock_expired(void) {
    uint64_t deadline = this_cpu()->deadline;
    if (deadline != UINT64_MAX && arch_time_now() < deadline) {
        start(deadline);
        return false;
    }
    compare(NEVER); // what is armed next is armed anew
    return true;
}
