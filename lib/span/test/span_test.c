// Sets of spans against sets of bits.
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "span/span.h"

enum { UNIVERSE = 256 };

static struct spans all, holes, left;

static void paint(bool *bits, uint64_t base, uint64_t end) {
    for (uint64_t i = base; i < end; i++) {
        bits[i] = true;
    }
}

static void check_bits(const struct spans *spans, const bool *bits) {
    bool seen[UNIVERSE] = {};
    for (unsigned i = 0; i < spans->count; i++) {
        cr_assert_lt(spans->span[i].base, spans->span[i].end);
        paint(seen, spans->span[i].base, spans->span[i].end);
    }
    cr_assert_eq(memcmp(seen, bits, sizeof seen), 0);
}

static void check_merged(const struct spans *spans) {
    for (unsigned i = 1; i < spans->count; i++) {
        cr_assert_lt(spans->span[i - 1].end, spans->span[i].base);
    }
}

Test(span, random_sets_are_merged_and_subtracted) {
    srand(1);
    for (int round = 0; round < 20000; round++) {
        bool in_all[UNIVERSE] = {}, in_holes[UNIVERSE] = {}, in_left[UNIVERSE];
        all.count = holes.count = 0;
        for (int i = rand() % 8; i > 0; i--) {
            uint64_t base = (uint64_t)rand() % UNIVERSE, end = base + (uint64_t)rand() % (UNIVERSE + 1 - base);
            cr_assert(spans_add(&all, base, end));
            paint(in_all, base, end);
        }
        for (int i = rand() % 8; i > 0; i--) {
            uint64_t base = (uint64_t)rand() % UNIVERSE, end = base + (uint64_t)rand() % (UNIVERSE + 1 - base);
            cr_assert(spans_add(&holes, base, end));
            paint(in_holes, base, end);
        }
        spans_merge(&all);
        spans_merge(&holes);
        check_bits(&all, in_all);
        check_merged(&all);
        cr_assert(spans_subtract(&left, &all, &holes));
        uint64_t total = 0;
        for (int i = 0; i < UNIVERSE; i++) {
            in_left[i] = in_all[i] && !in_holes[i];
            total += in_left[i];
        }
        check_bits(&left, in_left);
        check_merged(&left);
        cr_assert_eq(spans_total(&left), total);
        uint64_t at = (uint64_t)rand() % UNIVERSE;
        cr_assert_eq(spans_hold(&left, at, at + 1), in_left[at]);
    }
}

Test(span, whole_units_of_the_largest_are_kept) {
    all = (struct spans){};
    cr_assert(spans_add(&all, 0x0800, 0x17ff)); // no whole unit
    cr_assert(spans_add(&all, 0x2000, 0x3000));
    cr_assert(spans_add(&all, 0x4001, 0x7fff)); // two
    cr_assert(spans_add(&all, 0x9000, 0xc000)); // three
    cr_assert(spans_add(&all, UINT64_MAX - 0x10, UINT64_MAX));
    struct spans copy = all;
    spans_shrink(&copy, 0x1000, SPANS_MAX);
    cr_assert_eq(copy.count, 3);
    cr_assert(copy.span[1].base == 0x5000 && copy.span[1].end == 0x7000);
    copy = all;
    spans_shrink(&copy, 0x1000, 2);
    cr_assert_eq(copy.count, 2);
    cr_assert(copy.span[0].base == 0x5000 && copy.span[1].base == 0x9000);
    spans_shrink(&copy, 0x1000, 0);
    cr_assert_eq(copy.count, 0);
}

Test(span, full_set_says_so) {
    all = (struct spans){};
    for (uint64_t i = 0; i < SPANS_MAX; i++) {
        cr_assert(spans_add(&all, i * 4, i * 4 + 2));
    }
    cr_assert_not(spans_add(&all, SPANS_MAX * 4, SPANS_MAX * 4 + 1));
    cr_assert(spans_add(&all, 2, 3), "one that touches needs no place");
    cr_assert(spans_add(&all, 5, 5), "neither does nothing");
    holes = (struct spans){};
    cr_assert(spans_add(&holes, 0, 1));
    cr_assert(spans_add(&holes, 4, 5));
    spans_merge(&all);
    cr_assert(spans_subtract(&left, &all, &holes));
    holes = (struct spans){};
    cr_assert(spans_add(&holes, 1, 2));
    cr_assert_not(spans_subtract(&left, &all, &holes), "one span became two");
}
