// Tags against a list of those that are out.
#include <criterion/criterion.h>

#include "base/tags.h"

enum { LIMIT = 1000 };

static void take_all(unsigned limit) {
    uint64_t words[(LIMIT + 63) / 64] = {};
    struct tags tags = {.taken = words, .limit = limit};
    bool out[LIMIT] = {};
    for (unsigned i = 1; i < limit; i++) {
        unsigned tag = tags_take(&tags);
        cr_assert(tag > 0 && tag < limit && !out[tag]);
        out[tag] = true;
        cr_assert_eq(tags.count, i);
    }
    cr_assert_eq(tags_take(&tags), 0);
    for (unsigned tag = 1; tag < limit; tag += 7) {
        tags_give(&tags, tag);
        cr_assert_eq(tags_take(&tags), tag); // the only one
    }
    for (unsigned tag = 0; tag < limit; tag++) {
        tags_give(&tags, tag);
    }
    cr_assert_eq(tags.count, 0);
    for (unsigned i = 0; i < (LIMIT + 63) / 64; i++) {
        cr_assert_eq(words[i], 0);
    }
}

Test(tags, each_is_given_once_and_again_when_it_is_back) {
    static const unsigned limits[] = {1, 2, 63, 64, 65, 128, 256, LIMIT};
    for (unsigned i = 0; i < sizeof limits / sizeof *limits; i++) {
        take_all(limits[i]);
    }
}
