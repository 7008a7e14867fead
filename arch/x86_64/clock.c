#include "clock.h"

#include "base/ratio.h"

#include "acpi.h"
#include "apic.h"
#include "instructions.h"
#include "processor.h"

enum : uint64_t { NANOSECONDS = 1000000000 };
enum { MSR_TSC_DEADLINE = 0x6e0 };

static uint64_t tsc_hz, ns_per_tsc, tsc_per_ns; // a rate, and ratios
static uint64_t timer_hz, timer_per_ns;
static uint64_t boot_tsc;
static bool deadline_mode;

static struct arch_cpu *this_cpu(void) {
    return (struct arch_cpu *)arch_cpu_current();
}

// ---- a timer of known rate -------------------------------------------------------------------------------------------

struct reference {
    uint32_t hz, mask;
    uint32_t (*read)(void); // counts up
};

static uint32_t pm_timer_read(void) {
    return x86_in32(x86_acpi.pm_timer_port);
}

enum { PIT_CHANNEL2 = 0x42, PIT_COMMAND = 0x43, PIT_GATE = 0x61 };

static uint32_t pit_read(void) {
    x86_out8(PIT_COMMAND, 0x80); // latch channel 2
    uint32_t low = x86_in8(PIT_CHANNEL2);
    return ~(low | (uint32_t)x86_in8(PIT_CHANNEL2) << 8) & 0xffff;
}

static void pit_start(void) {
    x86_out8(PIT_GATE, (x86_in8(PIT_GATE) & ~2) | 1); // count, without sound
    x86_out8(PIT_COMMAND, 0xb4);                      // channel 2, rate generator
    x86_out8(PIT_CHANNEL2, 0);
    x86_out8(PIT_CHANNEL2, 0);
}

static struct reference reference_choose(void) {
    if (x86_acpi.pm_timer_port != 0) {
        uint32_t first = pm_timer_read();
        for (unsigned i = 0; i < 1000; i++) {
            if (pm_timer_read() != first) { // it runs
                return (struct reference){3579545, x86_acpi.pm_timer_32 ? 0xffffffff : 0xffffff, pm_timer_read};
            }
        }
    }
    pit_start();
    return (struct reference){1193182, 0xffff, pit_read};
}

// All three clocks at one moment, as well as that can be told: of several readings the one that took the least time.
struct sample {
    uint32_t reference, timer;
    uint64_t tsc;
};

static struct sample sample_take(const struct reference *reference) {
    enum { TRIES = 8 };
    struct sample best = {};
    uint64_t quickest = UINT64_MAX;
#pragma clang loop unroll(disable) // the same code each time: the first turn loads or translates it
    for (unsigned i = 0; i < TRIES; i++) {
        uint64_t before = x86_read_tsc();
        uint32_t counted = reference->read(), left = x86_apic_timer_left();
        uint64_t took = x86_read_tsc() - before;
        if (took < quickest) {
            quickest = took;
            best = (struct sample){counted, left, before + took / 2};
        }
    }
    return best;
}

// Count both clocks over a few milliseconds of the reference.
static void measure(void) {
    enum { TURNS_MAX = 50000000 }; // should the reference stand still
    struct reference reference = reference_choose();
    uint32_t wanted = reference.hz / 400, passed = 0;

    x86_apic_timer_start(UINT32_MAX);
    struct sample start = sample_take(&reference);
    for (unsigned i = 0; passed < wanted && i < TURNS_MAX; i++) {
        passed = (reference.read() - start.reference) & reference.mask;
    }
    struct sample end = sample_take(&reference);
    x86_apic_timer_start(0);

    if (passed < wanted) { // no reference at all: a guess keeps time running
        tsc_hz = tsc_hz != 0 ? tsc_hz : NANOSECONDS;
        timer_hz = timer_hz != 0 ? timer_hz : NANOSECONDS / 10;
        return;
    }
    passed = (end.reference - start.reference) & reference.mask;
    tsc_hz = tsc_hz != 0 ? tsc_hz : (end.tsc - start.tsc) * reference.hz / passed;
    timer_hz = timer_hz != 0 ? timer_hz : (uint64_t)(start.timer - end.timer) * reference.hz / passed;
}

// What the processor says of itself: leaf 0x15 gives the time-stamp counter's ratio to a crystal, and its rate.
static void ask_processor(void) {
    uint32_t max = x86_cpuid(0, 0).a;
    if (max >= 0x15) {
        struct x86_cpuid r = x86_cpuid(0x15, 0);
        if (r.a != 0 && r.b != 0 && r.c != 0) {
            tsc_hz = (uint64_t)r.c * r.b / r.a;
            timer_hz = r.c;
        }
    }
}

void x86_clock_init(void) {
    ask_processor();
    deadline_mode = x86_features.tsc_deadline;
    if (tsc_hz == 0 || (timer_hz == 0 && !deadline_mode)) {
        measure();
    }
    tsc_hz = tsc_hz != 0 ? tsc_hz : 1;
    timer_hz = timer_hz != 0 ? timer_hz : 1;
    ns_per_tsc = ratio_make(NANOSECONDS, tsc_hz);
    tsc_per_ns = ratio_make(tsc_hz, NANOSECONDS);
    timer_per_ns = ratio_make(timer_hz, NANOSECONDS);
    boot_tsc = x86_read_tsc();
    x86_clock_init_cpu();
}

void x86_clock_init_cpu(void) {
    if (deadline_mode) {
        x86_apic_timer_set_deadline_mode();
    }
}

uint64_t x86_clock_tsc_hz(void) {
    return tsc_hz;
}

uint64_t x86_clock_timer_hz(void) {
    return deadline_mode ? 0 : timer_hz;
}

// ---- the clock -------------------------------------------------------------------------------------------------------

uint64_t arch_time_now(void) {
    return arch_stamp_time(arch_stamp());
}

uint64_t arch_stamp_time(uint64_t stamp) {
    return arch_ticks_time(stamp - boot_tsc);
}

uint64_t arch_ticks_time(uint64_t ticks) {
    return ratio_scale(ticks, ns_per_tsc);
}

void x86_clock_delay(uint64_t nanoseconds) {
    uint64_t start = x86_read_tsc(), ticks = ratio_scale(nanoseconds, tsc_per_ns);
    while (x86_read_tsc() - start < ticks) {
        arch_cpu_relax();
    }
}

// The same exchange many times; the quickest one bounds the difference best. Whoever's counter is behind by more than
// the exchange took gets an offset; otherwise they agree, as far as anybody can tell. Virtual CPUs that take turns on
// a processor make an exchange take very long: then fewer must do.
enum { MATCH_ROUNDS = 64, MATCH_ROUNDS_MIN = 4 };
enum : uint64_t { MATCH_TIME = 20000000, MATCH_OVER = UINT64_MAX };

// 2n: the boot CPU asks for the n-th time; 2n + 1: the other has answered; MATCH_OVER: it shall stop; then 0 again.
static uint64_t match_turn;
static uint64_t match_answer;

static void match_wait(uint64_t turn) {
    while (__atomic_load_n(&match_turn, __ATOMIC_ACQUIRE) != turn) {
        arch_cpu_relax();
    }
}

void x86_clock_match_boot(struct arch_cpu *other) {
    uint64_t quickest = UINT64_MAX, difference = 0;
    uint64_t start = x86_read_tsc(), patience = ratio_scale(MATCH_TIME, tsc_per_ns);
    for (uint64_t round = 1; round <= MATCH_ROUNDS; round++) {
        uint64_t before = x86_read_tsc();
        __atomic_store_n(&match_turn, round * 2, __ATOMIC_RELEASE);
        match_wait(round * 2 + 1);
        uint64_t after = x86_read_tsc();
        if (after - before < quickest) {
            quickest = after - before;
            difference = before + quickest / 2 - match_answer;
        }
        if (round >= MATCH_ROUNDS_MIN && after - start > patience) {
            break;
        }
    }
    int64_t apart = (int64_t)difference;
    if (apart > (int64_t)quickest || apart < -(int64_t)quickest) {
        other->tsc_offset = difference;
    }
    __atomic_store_n(&match_turn, MATCH_OVER, __ATOMIC_RELEASE);
    match_wait(0); // or the next CPU's first question could overtake the end
}

void x86_clock_match_other(void) {
    for (uint64_t round = 1;; round++) {
        uint64_t turn;
        while ((turn = __atomic_load_n(&match_turn, __ATOMIC_ACQUIRE)) != round * 2 && turn != MATCH_OVER) {
            arch_cpu_relax();
        }
        if (turn == MATCH_OVER) {
            __atomic_store_n(&match_turn, 0, __ATOMIC_RELEASE);
            return;
        }
        match_answer = x86_read_tsc();
        __atomic_store_n(&match_turn, round * 2 + 1, __ATOMIC_RELEASE);
    }
}

// ---- the alarm -------------------------------------------------------------------------------------------------------

static void start(uint64_t deadline) {
    if (deadline_mode) {
        // A deadline of 0 would disarm; one in the past fires at once.
        uint64_t tsc = boot_tsc - this_cpu()->tsc_offset + ratio_scale(deadline, tsc_per_ns) + 1;
        x86_write_msr(MSR_TSC_DEADLINE, tsc);
        return;
    }
    uint64_t now = arch_time_now();
    uint64_t count = deadline > now ? ratio_scale(deadline - now, timer_per_ns) + 1 : 1;
    x86_apic_timer_start(count > UINT32_MAX ? UINT32_MAX : (uint32_t)count);
}

void arch_timer_arm(uint64_t deadline) {
    this_cpu()->deadline = deadline;
    if (deadline == UINT64_MAX) {
        if (deadline_mode) {
            x86_write_msr(MSR_TSC_DEADLINE, 0);
        } else {
            x86_apic_timer_start(0);
        }
        return;
    }
    start(deadline);
}

bool x86_clock_expired(void) {
    uint64_t deadline = this_cpu()->deadline;
    if (deadline == UINT64_MAX) {
        return true; // a late one: harmless
    }
    if (arch_time_now() < deadline) {
        start(deadline);
        return false;
    }
    return true;
}
