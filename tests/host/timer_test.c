// Deadlines: never early, late by less than a granule, none lost, whatever was added and removed before.
#include <criterion/criterion.h>

#include "bare.h"
#include "kernel/cpu.h"
#include "kernel/timer.h"
#include "property.h"

enum { ENTRIES = 64 };

constexpr uint64_t GRANULE = (uint64_t)1 << TIMER_GRANULE_SHIFT;

static struct property *current;
static struct {
    struct timer_entry entry;
    bool queued;
    unsigned fired;
} timers[ENTRIES];
static uint64_t now;
static unsigned again; // added anew by an expiry

static void expired(struct timer_entry *entry) {
    unsigned index = (unsigned)((char *)entry - (char *)timers) / sizeof timers[0];
    property_note(current, "expired %u", index);
    property_check(current, timers[index].queued);
    property_check(current, now >= entry->deadline); // never early
    timers[index].queued = false;
    timers[index].fired++;
    if (again > 0) {
        again--;
        timers[index].queued = true;
        timer_add(cpu_table[0], entry, now + GRANULE * 3);
    }
}

static uint64_t some_time(struct property *p, const char *label) {
    static const unsigned bits[] = {14, 17, 21, 24, 30, 36, 42, 48, 58};
    unsigned size = bits[property_choose(p, label, sizeof bits / sizeof bits[0])];
    return property_choose(p, label, (uint64_t)1 << size);
}

// What the port does: come when timer_next says, and again while it says now.
static void let_time_pass(struct property *p, uint64_t to) {
    struct cpu *cpu = cpu_table[0];
    for (;;) {
        uint64_t next = timer_next(cpu);
        if (next > to) {
            break;
        }
        now = next > now ? next : now;
        timer_run(cpu, now);
    }
    now = to;
    if (property_chance(p, "interrupt for another reason", 30)) {
        timer_run(cpu, now);
    }
    for (unsigned i = 0; i < ENTRIES; i++) {
        if (timers[i].queued) {
            property_check(p, timer_pending(&timers[i].entry));
            property_check(p, timers[i].entry.deadline + GRANULE > now); // not late
        }
    }
}

static void deadlines_are_kept(struct property *p) {
    bare_boot(&(struct host_options){});
    current = p;
    again = 0;
    now = some_time(p, "start") * 3;
    timer_wheel_init(&cpu_table[0]->timers, now);
    for (unsigned i = 0; i < ENTRIES; i++) {
        timers[i].queued = false;
        timers[i].entry = (struct timer_entry){.expired = expired};
        list_init(&timers[i].entry.link);
    }
    while (property_more(p, 200) && now < (uint64_t)1 << 62) { // time does not wrap in 146 years
        unsigned index = (unsigned)property_choose(p, "entry", ENTRIES);
        switch (property_choose(p, "what", 4)) {
        case 0:
        case 1:
            if (!timers[index].queued) {
                uint64_t deadline = now + some_time(p, "delay");
                if (property_chance(p, "past", 10)) {
                    deadline = property_choose(p, "past deadline", now + 1);
                }
                property_note(p, "now %llu: add %u for %llu", (unsigned long long)now, index,
                              (unsigned long long)deadline);
                timer_add(cpu_table[0], &timers[index].entry, deadline);
                timers[index].queued = true;
                if (deadline + GRANULE <= now) { // due at once: the wheel says so
                    property_check(p, timer_next(cpu_table[0]) <= now + GRANULE);
                    unsigned fired = timers[index].fired;
                    let_time_pass(p, now + 2 * GRANULE);
                    property_check(p, timers[index].fired > fired);
                }
            }
            break;
        case 2:
            property_note(p, "remove %u", index);
            timer_remove(&timers[index].entry);
            timers[index].queued = false;
            property_check(p, !timer_pending(&timers[index].entry));
            break;
        case 3:
            if (property_chance(p, "adds itself", 10)) {
                again = (unsigned)property_choose(p, "times", 200);
            }
            let_time_pass(p, now + some_time(p, "time"));
            break;
        }
    }
}

Test(timer, deadlines_are_kept) {
    cr_assert(property_run("deadlines_are_kept", 3000, deadlines_are_kept));
}
