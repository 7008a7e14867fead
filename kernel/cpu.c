#include "kernel/cpu.h"

#include "kernel/space.h"

struct cpu *cpu_table[CPU_MAX];
unsigned cpu_slots = 1; // the boot CPU

unsigned cpu_online_count(void) {
    unsigned count = 0;
    for (unsigned i = 0; i < cpu_slots; i++) {
        if (cpu_table[i] != nullptr && cpu_table[i]->online) {
            count++;
        }
    }
    return count;
}

uint64_t cpu_count_of(const struct cpu *cpu, enum cpu_counter counter) {
    const uint64_t *count = cpu->count;
    uint64_t parks = count[COUNT_FAST_CALL] + count[COUNT_FAST_REPLY] + count[COUNT_FAST_PARK];
    uint64_t wakes = count[COUNT_FAST_CALL] + count[COUNT_FAST_REPLY] + count[COUNT_FAST_WAKE];
    uint64_t fast = 0;
    for (unsigned i = COUNT_FAST_VERSION; i < COUNT_FAST; i++) {
        fast += count[i];
    }
    switch (counter) {
    case COUNT_FAST:
        return fast;
    case COUNT_SYSCALL:
        return count[counter] + fast;
    case COUNT_SYSCALL_ERROR:
        return count[counter] + count[COUNT_FAST_MISS];
    case COUNT_SWITCH:
        return count[counter] + parks + count[COUNT_FAST_PASS];
    case COUNT_PREEMPTION:
        return count[counter] + count[COUNT_FAST_PASS];
    case COUNT_PARK:
        return count[counter] + parks;
    case COUNT_WAKE:
        return count[counter] + wakes;
    case COUNT_CALL:
        return count[counter] + count[COUNT_FAST_CALL];
    case COUNT_REPLY:
        return count[counter] + count[COUNT_FAST_REPLY];
    default:
        return count[counter];
    }
}

uint64_t cpu_count_total(enum cpu_counter counter) {
    uint64_t total = 0;
    for (unsigned i = 0; i < cpu_slots; i++) {
        if (cpu_table[i] != nullptr) {
            total += cpu_count_of(cpu_table[i], counter);
        }
    }
    return total;
}

uint64_t cpu_idle_time(const struct cpu *cpu) {
    uint64_t ticks = cpu->idle_ticks;
    if (cpu->online && cpu->current == nullptr) {
        ticks += cpu_ticks_since_switch(cpu);
    }
    return arch_ticks_time(ticks);
}

void cpu_enter_space(struct cpu *cpu, struct space *space) {
    if (cpu->space != space) {
        cpu->space = space;
        arch_space_switch(space == nullptr ? nullptr : &space->arch);
    }
}

void cpu_arm(struct cpu *cpu, uint64_t when) {
    if (when < cpu->armed) {
        cpu->armed = when;
        arch_timer_arm(when);
    }
}

void cpu_resched(struct cpu *cpu) {
    bool told = cpu->resched;
    cpu->resched = true;
    if (!told && cpu != arch_cpu_current() && cpu->online) {
        arch_cpu_ipi(cpu->index);
    }
}
