// Virtual time: it stands still unless the driver moves it.
#include "machine.h"

uint64_t arch_time_now(void) {
    return host.time;
}

uint64_t host_stamp(void) {
    return host.time;
}

uint64_t arch_stamp_time(uint64_t stamp) {
    return stamp;
}

uint64_t arch_ticks_time(uint64_t ticks) {
    return ticks;
}

void arch_timer_arm(uint64_t deadline) {
    host.running->deadline = deadline;
}

uint64_t host_time(void) {
    return host.time;
}

void host_time_set(uint64_t nanoseconds) {
    if (nanoseconds < host.time) {
        host_breach("time runs backwards");
    }
    host.time = nanoseconds;
}

void host_time_advance(uint64_t nanoseconds) {
    host_time_set(host.time + nanoseconds);
}

bool host_timer_due(unsigned cpu) {
    return host_cpu_of(cpu)->deadline <= host.time;
}

uint64_t host_timer_deadline(unsigned cpu) {
    return host_cpu_of(cpu)->deadline;
}
