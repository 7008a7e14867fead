// Whether property tests find, shrink and replay: what all other properties rely on.
#define _DEFAULT_SOURCE // setenv
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "property.h"

static const struct property_result *search(void (*run)(struct property *p), unsigned cases) {
    struct property_options options = {
        .name = "self", .cases = cases, .run = run, .seed = 42, .quiet = true, .seconds_per_case = 2};
    return property_search(&options);
}

static void holds(struct property *p) {
    uint64_t sum = 0;
    while (property_more(p, 10)) {
        sum += property_choose(p, "value", 100);
    }
    property_check(p, sum < 1000000);
}

Test(property, what_holds_is_run_in_every_case) {
    const struct property_result *found = search(holds, 500);
    cr_assert(!found->failed);
    cr_assert_eq(found->cases, 500);
    cr_assert_gt(found->choices, 500);
}

// However few cases are asked for, the long run goes on until the operations are made, and counts all of them.
Test(property, long_run_makes_the_operations) {
    struct property_options options = {
        .name = "self", .cases = 1, .operations = 5000, .run = holds, .seed = 42, .quiet = true};
    const struct property_result *found = property_search(&options);
    cr_assert(!found->failed);
    cr_assert_geq(found->operations, 5000);
    cr_assert_gt(found->cases, 100);
    // Each draws `more` and a value; a case ends with a `more`, and one without steps counts as an operation.
    cr_assert_leq(found->choices, 2 * found->operations + found->cases);
    cr_assert_gt(found->choices, 2 * found->operations - found->cases);
}

// The smallest sum above 250 of values below 100 has three addends.
static void sum_is_small(struct property *p) {
    uint64_t sum = 0;
    while (property_more(p, 20)) {
        sum += property_choose(p, "value", 100);
    }
    property_check(p, sum <= 250);
}

Test(property, failure_shrinks_to_fewest_and_smallest) {
    const struct property_result *found = search(sum_is_small, 500);
    cr_assert(found->failed);
    cr_assert_eq(found->length, 7, "%zu choices left", found->length); // three times more and value, then no more
    uint64_t sum = 0;
    for (size_t i = 0; i < found->length; i++) {
        if (strcmp(found->tape[i].label, "value") == 0) {
            sum += found->tape[i].value;
        }
    }
    cr_assert_eq(sum, 251);
    cr_assert(strstr(found->message, "sum <= 250") != nullptr, "%s", found->message);
}

static void no_word_is_big(struct property *p) {
    property_check(p, property_choose(p, "word", UINT64_MAX) < 12345678901);
}

Test(property, value_shrinks_to_the_boundary) {
    const struct property_result *found = search(no_word_is_big, 100);
    cr_assert(found->failed);
    cr_assert_eq(found->length, 1);
    cr_assert_eq(found->tape[0].value, 12345678901);
}

static void crashes_at_three(struct property *p) {
    unsigned open = 0;
    while (property_more(p, 30)) {
        if (property_chance(p, "close", 30)) {
            open = open > 0 ? open - 1 : 0;
        } else if (++open == 3) {
            property_note(p, "open %u", open);
            abort();
        }
    }
}

Test(property, crash_is_a_failure_and_shrinks) {
    const struct property_result *found = search(crashes_at_three, 500);
    cr_assert(found->failed);
    cr_assert_eq(found->length, 6, "%zu choices left", found->length);
    cr_assert(strstr(found->message, "signal") != nullptr, "%s", found->message);
    cr_assert_str_eq(found->notes, "open 3\n");
}

static void touches_freed_memory(struct property *p) {
    char *volatile text = malloc(10);
    free(text);
    if (property_choose(p, "touch", 50) > 10) {
        text[0] = 1;
    }
}

Test(property, sanitizer_report_is_a_failure_and_shrinks) {
#if __has_feature(address_sanitizer)
    const struct property_result *found = search(touches_freed_memory, 100);
    cr_assert(found->failed);
    cr_assert_eq(found->tape[0].value, 11);
#else
    (void)touches_freed_memory;
#endif
}

static void loops_at_seven(struct property *p) {
    uint64_t value = property_choose(p, "value", 100);
    while (*(volatile uint64_t *)&value == 97) {
    }
}

Test(property, endless_loop_is_a_failure) {
    const struct property_result *found = search(loops_at_seven, 2000);
    cr_assert(found->failed);
    cr_assert_str_eq(found->message, "it does not end");
    cr_assert_eq(found->tape[0].value, 97);
}

static uint64_t digest_of_all;

static void digest(struct property *p) {
    uint64_t digest = 0;
    while (property_more(p, 10)) {
        digest = digest * 31 + property_word(p, "word");
    }
    property_note(p, "%llx", (unsigned long long)digest);
    digest_of_all = digest_of_all * 131 + digest;
    property_check(p, p == nullptr || digest % 8 != 5);
}

Test(property, same_seed_same_cases) {
    struct property_result *first = malloc(sizeof *first);
    *first = *search(digest, 500);
    const struct property_result *second = search(digest, 500);
    cr_assert(first->failed && second->failed);
    cr_assert_eq(first->failed_case, second->failed_case);
    cr_assert_eq(first->choices, second->choices);
    cr_assert_eq(first->length, second->length);
    cr_assert_str_eq(first->notes, second->notes);
    free(first);
}

static char replayed[64];

static void remember(struct property *p) {
    size_t length = 0;
    while (property_more(p, 5) && length + 1 < sizeof replayed) {
        replayed[length++] = (char)('a' + property_choose(p, "letter", 26));
    }
    replayed[length] = 0;
}

Test(property, tape_replays_in_this_process) {
    setenv("ISTHMUS_TAPE", "1,2,1,0,5,25,0", 1);
    cr_assert(property_run("remember", 1, remember));
    cr_assert_str_eq(replayed, "caz");
}
