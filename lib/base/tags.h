// Tags that tell address spaces apart in a TLB: ASIDs, PCIDs. Tag 0 means none and is never given out. The caller's lock.
#pragma once

#include "base/bits.h"
#include "base/types.h"

struct tags {
    uint64_t *taken; // a bit for each tag
    unsigned limit;  // tags are below
    unsigned hint;   // the word where the last one was found
    unsigned count;  // taken
};

// The lowest free tag in the first word, from the hint on, that has one; 0: all are taken.
static inline unsigned tags_take(struct tags *tags) {
    unsigned words = (tags->limit + 63) / 64;
    for (unsigned i = 0; i < words; i++) {
        unsigned word = (tags->hint + i) % words;
        uint64_t exist = word == words - 1 && tags->limit % 64 != 0 ? (1ull << tags->limit % 64) - 1 : UINT64_MAX;
        uint64_t free = exist & ~tags->taken[word] & ~(uint64_t)(word == 0);
        if (free != 0) {
            unsigned tag = word * 64 + bits_lowest(free);
            tags->taken[word] |= 1ull << tag % 64;
            tags->hint = word;
            tags->count++;
            return tag;
        }
    }
    return 0;
}

// What tags_take gave; 0: nothing.
static inline void tags_give(struct tags *tags, unsigned tag) {
    if (tag != 0) {
        tags->taken[tag / 64] &= ~(1ull << tag % 64);
        tags->count--;
    }
}
