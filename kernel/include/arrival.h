// How a CPU that is started and the one that starts it agree whether it has come, in one word of the port. CPUs are
// started one at a time. One that does not come in time is given up, and with it all that would follow: it may still come,
// and must then find its stack and the word as they were, to see that it is too late. Whichever of the two speaks first
// decides.
#pragma once

#include "kernel/include/arch.h"

enum arrival : unsigned { ARRIVAL_NONE, ARRIVAL_ASKED, ARRIVAL_COME, ARRIVAL_FAILED, ARRIVAL_GO, ARRIVAL_GIVEN_UP };

static inline enum arrival arrival_read(const enum arrival *word) {
    return (enum arrival)__atomic_load_n((const unsigned *)word, __ATOMIC_ACQUIRE);
}

// What was stored before is seen by who reads this.
static inline void arrival_write(enum arrival *word, enum arrival arrival) {
    __atomic_store_n((unsigned *)word, arrival, __ATOMIC_RELEASE);
}

// From ARRIVAL_ASKED; false: the other was first.
static inline bool arrival_decide(enum arrival *word, enum arrival arrival) {
    unsigned from = ARRIVAL_ASKED;
    return __atomic_compare_exchange_n((unsigned *)word, &from, arrival, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

// Wait while it is asked, not longer than so many nanoseconds; what it is then.
static inline enum arrival arrival_wait(const enum arrival *word, uint64_t patience) {
    uint64_t end = arch_time_now() + patience;
    enum arrival now;
    while ((now = arrival_read(word)) == ARRIVAL_ASKED && arch_time_now() < end) {
        arch_cpu_relax();
    }
    return now;
}

// Wait as above, then give it up unless it has come after all. Whether it has.
[[nodiscard]] static inline bool arrival_await(enum arrival *word, uint64_t patience) {
    if (arrival_wait(word, patience) == ARRIVAL_ASKED) {
        (void)arrival_decide(word, ARRIVAL_GIVEN_UP);
    }
    return arrival_read(word) == ARRIVAL_COME;
}
