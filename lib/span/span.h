// Sets of address spans, for the sums that a port does at boot: what memory is there, what of it belongs to somebody,
// what is left. No allocation; a set has a fixed number of places.
#pragma once

#include "base/types.h"

enum { SPANS_MAX = 512 }; // more than any firmware was seen to give

struct span {
    uint64_t base, end; // base < end
};

struct spans {
    unsigned count;
    struct span span[SPANS_MAX];
};

// Add [base, end), if there is anything in it. False: no room, and it is left out; which way that errs is the caller's to
// decide. Spans that touch in the order in which they come take one place.
[[nodiscard]] bool spans_add(struct spans *spans, uint64_t base, uint64_t end);

void spans_merge(struct spans *spans); // sort, and merge what overlaps or touches

// *left = *all - *holes; the latter two merged. False: no room, and some of the rest is left out.
[[nodiscard]] bool spans_subtract(struct spans *left, const struct spans *all, const struct spans *holes);

// Keep of each span the whole units, a power of two, and of all spans the `limit` largest. Merged before and after.
void spans_shrink(struct spans *spans, uint64_t unit, unsigned limit);

uint64_t spans_total(const struct spans *spans); // of merged ones
// Whether all of [base, end) is in one span.
bool spans_hold(const struct spans *spans, uint64_t base, uint64_t end);
