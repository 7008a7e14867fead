#include "kernel/alloc_fault.h"

static uint64_t countdown; // allocations until the one to refuse, which is 1; 0: none
static bool all_later;
static bool fired;

void alloc_fault_arm(uint64_t nth, bool and_all_later) {
    countdown = nth;
    all_later = and_all_later;
    fired = false;
}

bool alloc_fault_fired(void) {
    return fired;
}

bool alloc_fault(void) {
    if (__builtin_expect(countdown == 0, 1)) {
        return false;
    }
    if (countdown > 1) {
        countdown--;
        return false;
    }
    if (!all_later) {
        countdown = 0;
    }
    fired = true;
    return true;
}
