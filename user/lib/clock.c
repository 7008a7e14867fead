// Time on top of the calls clock and wait.
#include "lib/clock.h"

#include "base/str.h"
#include "isthmus/calls.h"

uint64_t clock_now(void) {
    uint64_t now = 0;
    (void)sys_clock(&now);
    return now;
}

uint64_t clock_deadline(uint64_t duration) {
    uint64_t now = clock_now();
    return duration >= FOREVER - now ? FOREVER : now + duration;
}

void clock_sleep(uint64_t duration) {
    (void)sys_wait(nullptr, 0, clock_deadline(duration), nullptr);
}

static uint64_t unit_length(const char *unit) {
    static const struct {
        const char *name;
        uint64_t length;
    } units[] = {
        {"", SECOND},       {"s", SECOND},      {"ms", MILLISECOND},  {"us", MICROSECOND},
        {"ns", NANOSECOND}, {"m", 60 * SECOND}, {"h", 3600 * SECOND},
    };
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(unit, units[i].name) == 0) {
            return units[i].length;
        }
    }
    return 0;
}

bool clock_parse(const char *text, uint64_t *duration) {
    uint64_t whole = 0;
    uint64_t fraction = 0;
    uint64_t scale = 1;
    bool digits = false;
    for (; *text >= '0' && *text <= '9'; text++) {
        if (whole > UINT64_MAX / 10 - 1) {
            return false;
        }
        whole = whole * 10 + (uint64_t)(*text - '0');
        digits = true;
    }
    if (*text == '.') {
        for (text++; *text >= '0' && *text <= '9'; text++) {
            digits = true;
            if (scale < 1000000) { // finer digits are below what can be slept
                fraction = fraction * 10 + (uint64_t)(*text - '0');
                scale *= 10;
            }
        }
    }
    uint64_t length = unit_length(text);
    if (!digits || length == 0 || whole >= UINT64_MAX / length) {
        return false;
    }
    *duration = whole * length + fraction * length / scale;
    return true;
}
