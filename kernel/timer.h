// Deadlines. One hierarchical timing wheel per CPU: insertion and removal are O(1), expiry is to the granule
// (TIMER_GRANULE nanoseconds), never early. Needs the kernel lock.
#pragma once

#include "base/list.h"
#include "base/types.h"

enum { TIMER_GRANULE_SHIFT = 16, TIMER_LEVELS = 5, TIMER_SLOTS = 64 }; // 65.5 µs granules, 64^5 of them: 19 hours

struct timer_entry {
    struct list link;  // empty when not queued
    uint64_t deadline; // nanoseconds since boot
    void (*expired)(struct timer_entry *entry);
    uint8_t cpu; // whose wheel
    uint8_t level, slot;
};

struct timer_wheel {
    uint64_t now;                    // granules already processed
    uint64_t occupied[TIMER_LEVELS]; // bit per slot
    struct list slot[TIMER_LEVELS][TIMER_SLOTS];
};

struct cpu;
void timer_wheel_init(struct timer_wheel *wheel, uint64_t now);
void timer_add(struct cpu *cpu, struct timer_entry *entry, uint64_t deadline); // entry->expired is set; not queued
void timer_remove(struct timer_entry *entry);                                  // queued or not
static inline bool timer_pending(const struct timer_entry *entry) {
    return list_is_linked(&entry->link);
}
void timer_run(struct cpu *cpu,
               uint64_t now); // expire what is due, in bounded work: timer_next tells whether all was done
uint64_t timer_next(const struct cpu *cpu); // when timer_run is next needed; UINT64_MAX for never
uint64_t timer_due(uint64_t deadline);      // when an entry with this deadline expires: the granule's end
