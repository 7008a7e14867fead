#include "kernel/cpu.h"

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

uint64_t cpu_count_total(enum cpu_counter counter) {
    uint64_t total = 0;
    for (unsigned i = 0; i < cpu_slots; i++) {
        if (cpu_table[i] != nullptr) {
            total += cpu_table[i]->count[counter];
        }
    }
    return total;
}

uint64_t cpu_idle_time(const struct cpu *cpu) {
    uint64_t time = cpu->idle_time;
    if (cpu->online && cpu->current == nullptr) {
        uint64_t now = arch_time_now();
        time += now > cpu->switched_at ? now - cpu->switched_at : 0;
    }
    return time;
}

void cpu_leave_space(struct cpu *cpu) {
    if (cpu->space != nullptr) {
        cpu->space = nullptr;
        arch_space_switch(nullptr);
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
