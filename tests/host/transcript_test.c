// What a sequence of calls gives depends on the sequence alone (TEST-1, 2): not on the number of CPUs, nor on how their
// steps, interrupts and queued work are interleaved, nor on what ran before.
#include <criterion/criterion.h>

#include "on_host.h"
#include "property.h"

enum { CALLS = 120, KEPT = 400 * 1024 };

static char kept[KEPT]; // the transcript, line after line
static size_t kept_length, compared;
static const char *different; // the first line that is

static void keep(void *, const char *text) {
    size_t length = strlen(text) + 1;
    cr_assert_leq(kept_length + length, KEPT);
    memcpy(kept + kept_length, text, length);
    kept_length += length;
}

static void compare(void *context, const char *text) {
    if (different == nullptr && (compared >= kept_length || strcmp(kept + compared, text) != 0)) {
        different = kept + compared;
        property_note(context, "differs: %s", text);
    }
    compared += strlen(kept + compared) + 1;
}

static void same_again(struct property *p, uint64_t seed) {
    compared = 0;
    different = nullptr;
    property_check(p, on_host_run(seed, CALLS, compare, p));
    if (different != nullptr) {
        property_fail(p, "seed %llu: on one CPU it is: %s", (unsigned long long)seed, different);
    }
    property_equal(p, compared, kept_length);
}

static void transcripts_depend_on_the_seed_alone(struct property *p) {
    uint64_t seed = property_choose(p, "seed", 1000000);
    kept_length = 0;
    on_host_boot(1, nullptr);
    property_check(p, on_host_run(seed, CALLS, keep, p));
    on_host_boot(1 + (unsigned)property_choose(p, "cpus", 4), p);
    same_again(p, seed);
    machine_check();
    same_again(p, seed); // on a machine with a past
}

Test(transcript, transcripts_depend_on_the_seed_alone) {
    cr_assert(property_run("transcripts_depend_on_the_seed_alone", 100, transcripts_depend_on_the_seed_alone));
}
