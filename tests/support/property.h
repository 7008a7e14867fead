// Property tests: a function draws choices and checks what must always hold. The choices of a case are a tape; a
// failing tape is made smaller until nothing can be left out, then shown. Everything follows from one seed.
//
//   static void stack_is_lifo(struct property *p) {
//       while (property_more(p, 20)) {
//           uint64_t value = property_choose(p, "value", 100);
//           …
//           property_check(p, top == value);
//       }
//   }
//   Test(stack, is_lifo) { cr_assert(property_run("stack_is_lifo", 1000, stack_is_lifo)); }
//
// Cases run in a child process, so that a crash, a sanitizer's report or an endless loop is a failure that can be
// shrunk too. Cases of one run share that process: a property begins by making its world anew.
//
// Shrinking leaves out parts of the tape and makes values smaller; beyond the tape's end every choice is 0. So write
// choices such that 0 is the simplest, and ask property_more before each step instead of drawing a number of steps.
//
// Environment: ISTHMUS_SEED and ISTHMUS_CASES override the seed and the number of cases, ISTHMUS_CASE=n runs one case
// only, ISTHMUS_SHRINK=0 leaves a failing case as it was found, ISTHMUS_TAPE=1,2,3 replays a tape in this very process,
// for a debugger.
//
// ISTHMUS_OPERATIONS=n is the long run: cases beyond those asked for, until the property has made n operations; how many
// it made is told at the end. An operation is a step that property_more allowed; a case without steps is one itself.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct property;

// 0 to bound - 1, bound at least 1. The label is shown with the tape; a string that stays.
uint64_t property_choose(struct property *p, const char *label, uint64_t bound);
// low to high; shrinks towards low.
uint64_t property_between(struct property *p, const char *label, uint64_t low, uint64_t high);
// True in percent of 100; shrinks to false.
bool property_chance(struct property *p, const char *label, unsigned percent);
// Whether to go on; `average` steps are drawn before it says no.
bool property_more(struct property *p, unsigned average);
// Any 64-bit value, with a liking for small ones, powers of two and their neighbours, and the ends of the range.
uint64_t property_word(struct property *p, const char *label);

// What happens, for the report: only the shrunk case is told.
[[gnu::format(printf, 2, 3)]] void property_note(struct property *p, const char *format, ...);
[[noreturn, gnu::format(printf, 2, 3)]] void property_fail(struct property *p, const char *format, ...);

#define property_check(p, condition)                                                                                   \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            property_fail(p, "%s:%d: %s does not hold", __FILE_NAME__, __LINE__, #condition);                          \
    } while (0)
#define property_equal(p, left, right)                                                                                 \
    do {                                                                                                               \
        int64_t left_ = (int64_t)(left), right_ = (int64_t)(right);                                                    \
        if (left_ != right_)                                                                                           \
            property_fail(p, "%s:%d: %s is %lld, %s is %lld", __FILE_NAME__, __LINE__, #left, (long long)left_,        \
                          #right, (long long)right_);                                                                  \
    } while (0)

enum { PROPERTY_TAPE_MAX = 1 << 17, PROPERTY_TEXT_MAX = 1 << 16 };

struct property_options {
    const char *name;
    unsigned cases;
    uint64_t operations; // go on beyond that many cases until so many operations are made
    void (*run)(struct property *p);
    uint64_t seed;
    unsigned seconds_per_case; // 0: 60
    bool quiet;                // print nothing, and do not look at the environment
};

struct property_choice {
    uint64_t value, bound;
    const char *label;
};

struct property_result {
    unsigned cases;      // run
    uint64_t choices;    // drawn in them
    uint64_t operations; // made in them
    bool failed;
    unsigned failed_case;
    unsigned attempts; // of shrinking
    char message[1024];
    size_t length; // of the shrunk tape
    struct property_choice tape[PROPERTY_TAPE_MAX];
    char notes[PROPERTY_TEXT_MAX];
};

// Look for a failing case and shrink it. The result belongs to the caller until the next search.
const struct property_result *property_search(const struct property_options *options);
// The same as a test has it: the seed follows from the name, failures are printed; true when all cases hold.
bool property_run(const char *name, unsigned cases, void (*run)(struct property *p));
