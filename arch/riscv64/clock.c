#include "clock.h"

#include "instructions.h"
#include "machine.h"
#include "sbi.h"

enum : uint64_t { NANOSECONDS = 1000000000, NEVER = UINT64_MAX };

// Conversions are multiplications by a fraction of 2^32: ns = ticks * ns_per_tick >> 32.
static uint64_t ns_per_tick, ticks_per_ns;
static uint64_t boot_ticks;
static bool has_sstc;

static uint64_t scale(uint64_t value, uint64_t factor) {
    return (uint64_t)((unsigned __int128)value * factor >> 32);
}

static uint64_t ratio(uint64_t numerator, uint64_t denominator) {
    uint64_t whole = numerator / denominator, rest = numerator % denominator;
    return whole << 32 | (rest << 32) / denominator; // both are below 2^32
}

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
    ns_per_tick = ratio(NANOSECONDS, hz);
    ticks_per_ns = ratio(hz, NANOSECONDS);
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
    return scale(ticks, ns_per_tick);
}

static void start(uint64_t deadline) {
    compare(boot_ticks + scale(deadline, ticks_per_ns) + 1);
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
