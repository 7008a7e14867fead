#include "span/span.h"

#include "base/bits.h"

bool spans_add(struct spans *spans, uint64_t base, uint64_t end) {
    if (base >= end) {
        return true;
    }
    for (unsigned i = 0; i < spans->count; i++) {
        if (base == spans->span[i].end) {
            spans->span[i].end = end;
            return true;
        }
        if (end == spans->span[i].base) {
            spans->span[i].base = base;
            return true;
        }
    }
    if (spans->count == SPANS_MAX) {
        return false;
    }
    spans->span[spans->count++] = (struct span){base, end};
    return true;
}

void spans_merge(struct spans *spans) {
    for (unsigned i = 1; i < spans->count; i++) {
        struct span moving = spans->span[i];
        unsigned at = i;
        for (; at > 0 && spans->span[at - 1].base > moving.base; at--) {
            spans->span[at] = spans->span[at - 1];
        }
        spans->span[at] = moving;
    }
    unsigned kept = 0;
    for (unsigned i = 0; i < spans->count; i++) {
        if (kept > 0 && spans->span[i].base <= spans->span[kept - 1].end) {
            if (spans->span[i].end > spans->span[kept - 1].end) {
                spans->span[kept - 1].end = spans->span[i].end;
            }
        } else {
            spans->span[kept++] = spans->span[i];
        }
    }
    spans->count = kept;
}

bool spans_subtract(struct spans *left, const struct spans *all, const struct spans *holes) {
    bool fits = true;
    unsigned hole = 0;
    left->count = 0;
    for (unsigned i = 0; i < all->count; i++) {
        uint64_t at = all->span[i].base, end = all->span[i].end;
        while (hole < holes->count && holes->span[hole].end <= at) {
            hole++;
        }
        for (unsigned j = hole; j < holes->count && holes->span[j].base < end; j++) {
            fits = spans_add(left, at, holes->span[j].base) && fits;
            at = holes->span[j].end;
        }
        fits = spans_add(left, at, end) && fits;
    }
    return fits;
}

void spans_shrink(struct spans *spans, uint64_t unit, unsigned limit) {
    unsigned kept = 0;
    for (unsigned i = 0; i < spans->count; i++) {
        struct span span = {spans->span[i].base, align_down(spans->span[i].end, unit)};
        bool fits = span.base <= UINT64_MAX - unit;
        span.base = fits ? align_up(span.base, unit) : 0;
        if (!fits || span.base >= span.end) {
            continue;
        }
        if (kept == limit) {
            unsigned smallest = 0;
            for (unsigned j = 1; j < kept; j++) {
                uint64_t size = spans->span[j].end - spans->span[j].base;
                smallest = size < spans->span[smallest].end - spans->span[smallest].base ? j : smallest;
            }
            if (limit == 0 || spans->span[smallest].end - spans->span[smallest].base >= span.end - span.base) {
                continue;
            }
            for (unsigned j = smallest; j + 1 < kept; j++) {
                spans->span[j] = spans->span[j + 1];
            }
            kept--;
        }
        spans->span[kept++] = span;
    }
    spans->count = kept;
}

uint64_t spans_total(const struct spans *spans) {
    uint64_t total = 0;
    for (unsigned i = 0; i < spans->count; i++) {
        total += spans->span[i].end - spans->span[i].base;
    }
    return total;
}

bool spans_hold(const struct spans *spans, uint64_t base, uint64_t end) {
    for (unsigned i = 0; i < spans->count; i++) {
        if (base >= spans->span[i].base && end <= spans->span[i].end) {
            return true;
        }
    }
    return false;
}
