#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/word.h"

enum { LONGEST = 40 };

// Bytes right before the end of what was allocated: the address sanitizer tells who reads behind them.
static char *bytes_of(const char *content, size_t length) {
    char *bytes = malloc(length > 0 ? length : 1);
    memcpy(bytes, content, length);
    return bytes;
}

Test(word, part_of_a_word_is_its_first_bytes_and_zeroes) {
    for (size_t length = 0; length < WORD_BYTES; length++) {
        uint64_t expected = 0;
        memcpy(&expected, "\x81\x92\xa3\xb4\xc5\xd6\xe7", length);
        char *bytes = bytes_of("\x81\x92\xa3\xb4\xc5\xd6\xe7", length);
        cr_assert_eq(word_load_part(bytes, length), expected, "%zu bytes", length);
        free(bytes);
    }
}

// For every byte value beside every neighbour that could carry into it or borrow from it.
Test(word, matches_are_exact) {
    for (unsigned sought = 0; sought < 256; sought++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            unsigned char content[WORD_BYTES];
            for (unsigned i = 0; i < WORD_BYTES; i++) {
                content[i] = (unsigned char)(i % 2 == 0 ? byte : sought);
            }
            uint64_t matches = word_matches(word_load(content), (unsigned char)sought);
            cr_assert_eq(matches, byte == sought ? 0x8080808080808080u : 0x8000800080008000u, "%u %u", sought, byte);
            cr_assert_eq(word_first(matches), byte == sought ? 0 : 1);
            cr_assert_eq(word_last(matches), 7);
            cr_assert_eq(word_last(matches & 0xffffff), byte == sought ? 2 : 1);
        }
    }
}

Test(word, a_zero_is_found_wherever_it_is_and_only_there) {
    for (unsigned byte = 1; byte < 256; byte++) {
        unsigned char content[WORD_BYTES];
        memset(content, (int)byte, sizeof content);
        cr_assert_not(word_has_zero(word_load(content)), "%u", byte);
        for (unsigned zeroes = 1; zeroes < 256; zeroes++) {
            for (unsigned at = 0; at < WORD_BYTES; at++) {
                content[at] = (unsigned char)((zeroes >> at & 1) != 0 ? 0 : byte);
            }
            cr_assert(word_has_zero(word_load(content)), "%u %x", byte, zeroes);
        }
    }
}

Test(word, bytes_are_equal_if_none_differs) {
    for (size_t length = 0; length <= LONGEST; length++) {
        char content[LONGEST] = "what stands here does not matter";
        char *bytes = bytes_of(content, length);
        cr_assert(bytes_equal(bytes, content, length));
        for (size_t at = 0; at < length; at++) {
            bytes[at] ^= 0x40;
            cr_assert_not(bytes_equal(bytes, content, length), "differs at %zu of %zu", at, length);
            bytes[at] ^= 0x40;
        }
        free(bytes);
    }
}

Test(word, the_last_match_by_a_product) {
    for (unsigned set = 1; set < 1 << WORD_BYTES; set++) {
        uint64_t matches = 0;
        for (unsigned i = 0; i < WORD_BYTES; i++) {
            matches |= (uint64_t)(set >> i & 1) << (8 * i + 7);
        }
        cr_assert_eq(word_last_by_product(matches), bits_highest(set), "%x", set);
        cr_assert_eq(word_last(matches), bits_highest(set), "%x", set);
    }
}
