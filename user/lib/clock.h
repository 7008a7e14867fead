// Time: nanoseconds since boot, and deadlines made of them.
#pragma once

#include "abi/abi.h"
#include "base/types.h"

constexpr uint64_t NANOSECOND = 1;
constexpr uint64_t MICROSECOND = 1000;
constexpr uint64_t MILLISECOND = 1000000;
constexpr uint64_t SECOND = 1000000000;

// Now, in nanoseconds since boot; never goes back.
uint64_t clock_now(void);

// The moment `duration` nanoseconds from now; FOREVER stays FOREVER, and so does whatever is too far away to count.
uint64_t clock_deadline(uint64_t duration);

// Do nothing for `duration` nanoseconds.
void clock_sleep(uint64_t duration);

// Read a duration: digits with an optional fraction and an optional unit ns, us, ms, s (the default), m, h. False if
// `text` is none or does not fit.
bool clock_parse(const char *text, uint64_t *duration);
