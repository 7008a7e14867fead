#include "kernel/timer.h"

#include "base/bits.h"
#include "kernel/cpu.h"
#include "kernel/panic.h"

// Time is in granules. With `now` the granule processed last, an entry due at granule e > now lies at the level of the
// highest digit (base TIMER_SLOTS) in which e and now differ, in the slot of that digit of e. So every slot in use is
// ahead of now's digit at its level, everything at one level is due before anything at a higher one, and a slot of a
// higher level is spread over the lower ones when now comes to its beginning. The top level is circular: an entry beyond
// its range waits in the slot furthest ahead and is placed again from there.
//
// Time is spent in bounded steps: a slot that is being emptied is the one of now's own digit, and timer_next says "now"
// until it is empty.

enum { DIGIT = 6, TOP = TIMER_LEVELS - 1, STEPS_MAX = 16 };
static_assert(1 << DIGIT == TIMER_SLOTS);

static unsigned digit(uint64_t granule, unsigned level) {
    return (unsigned)(granule >> (level * DIGIT)) & (TIMER_SLOTS - 1);
}

// The first granule at which the deadline has passed: never early.
static uint64_t granule_of(uint64_t deadline) {
    constexpr uint64_t below = (1u << TIMER_GRANULE_SHIFT) - 1;
    return (deadline >> TIMER_GRANULE_SHIFT) + ((deadline & below) != 0 ? 1 : 0);
}

void timer_wheel_init(struct timer_wheel *wheel, uint64_t now) {
    wheel->now = now >> TIMER_GRANULE_SHIFT;
    for (unsigned level = 0; level < TIMER_LEVELS; level++) {
        wheel->occupied[level] = 0;
        for (unsigned slot = 0; slot < TIMER_SLOTS; slot++) {
            list_init(&wheel->slot[level][slot]);
        }
    }
}

static void place(struct timer_wheel *wheel, struct timer_entry *entry) {
    uint64_t due = granule_of(entry->deadline);
    if (due <= wheel->now) {
        due = wheel->now + 1;
    }
    unsigned level = bits_highest(due ^ wheel->now) / DIGIT;
    unsigned slot;
    if (level <= TOP) {
        slot = digit(due, level);
    } else {
        level = TOP;
        uint64_t ahead = (due >> (TOP * DIGIT)) - (wheel->now >> (TOP * DIGIT));
        slot = (digit(wheel->now, TOP) + (ahead < TIMER_SLOTS ? (unsigned)ahead : TIMER_SLOTS - 1)) % TIMER_SLOTS;
    }
    entry->level = (uint8_t)level;
    entry->slot = (uint8_t)slot;
    list_push_back(&wheel->slot[level][slot], &entry->link);
    wheel->occupied[level] |= 1ull << slot;
}

static void take_out(struct timer_wheel *wheel, struct timer_entry *entry) {
    list_remove(&entry->link);
    if (list_empty(&wheel->slot[entry->level][entry->slot])) {
        wheel->occupied[entry->level] &= ~(1ull << entry->slot);
    }
}

void timer_add(struct cpu *cpu, struct timer_entry *entry, uint64_t deadline) {
    KASSERT(!timer_pending(entry));
    entry->deadline = deadline;
    entry->cpu = (uint8_t)cpu->index;
    place(&cpu->timers, entry);
}

void timer_remove(struct timer_entry *entry) {
    if (timer_pending(entry)) {
        take_out(&cpu_table[entry->cpu]->timers, entry);
    }
}

// A slot that now has come to, at the highest level that has one.
static struct list *current_slot(struct timer_wheel *wheel) {
    for (unsigned level = TIMER_LEVELS; level-- > 0;) {
        if ((wheel->occupied[level] >> digit(wheel->now, level) & 1) != 0) {
            return &wheel->slot[level][digit(wheel->now, level)];
        }
    }
    return nullptr;
}

// The granule at which the next slot is to be emptied, for no slot being emptied. UINT64_MAX: none.
static uint64_t next_granule(const struct timer_wheel *wheel) {
    for (unsigned level = 0; level < TIMER_LEVELS; level++) {
        uint64_t occupied = wheel->occupied[level];
        if (occupied == 0) {
            continue;
        }
        unsigned at = digit(wheel->now, level);
        uint64_t base = wheel->now >> ((level + 1) * DIGIT) << ((level + 1) * DIGIT);
        uint64_t ahead = occupied & (~0ull << at);
        if (ahead == 0) {
            KASSERT(level == TOP); // around the circle
            return base + ((uint64_t)(TIMER_SLOTS + bits_lowest(occupied)) << (level * DIGIT));
        }
        return base + ((uint64_t)bits_lowest(ahead) << (level * DIGIT));
    }
    return UINT64_MAX;
}

void timer_run(struct cpu *cpu, uint64_t time) {
    struct timer_wheel *wheel = &cpu->timers;
    uint64_t target = time >> TIMER_GRANULE_SHIFT;
    unsigned steps = 0;
    for (;;) {
        struct list *slot = current_slot(wheel);
        if (slot == nullptr) {
            uint64_t next = next_granule(wheel);
            if (next > target) {
                if (target > wheel->now) {
                    wheel->now = target;
                }
                return;
            }
            wheel->now = next;
            continue;
        }
        if (++steps > STEPS_MAX) {
            return;
        }
        struct timer_entry *entry = container_of(list_first(slot), struct timer_entry, link);
        take_out(wheel, entry);
        if (granule_of(entry->deadline) <= wheel->now) {
            entry->expired(entry);
        } else {
            place(wheel, entry);
        }
    }
}

uint64_t timer_next(const struct cpu *cpu) {
    const struct timer_wheel *wheel = &cpu->timers;
    for (unsigned level = 0; level < TIMER_LEVELS; level++) {
        if ((wheel->occupied[level] >> digit(wheel->now, level) & 1) != 0) {
            return wheel->now << TIMER_GRANULE_SHIFT;
        }
    }
    uint64_t next = next_granule(wheel);
    return next > UINT64_MAX >> TIMER_GRANULE_SHIFT ? UINT64_MAX : next << TIMER_GRANULE_SHIFT;
}

uint64_t timer_due(uint64_t deadline) {
    uint64_t granule = granule_of(deadline);
    return granule > UINT64_MAX >> TIMER_GRANULE_SHIFT ? UINT64_MAX : granule << TIMER_GRANULE_SHIFT;
}
