// The two pattern languages.
#include <criterion/criterion.h>
#include <stdlib.h>

#include "lib/pattern.h"

Test(pattern, grep_finds_anywhere) {
    cr_assert(pattern_search("b", "abc", false));
    cr_assert(pattern_search("", "abc", false));
    cr_assert(!pattern_search("d", "abc", false));
    cr_assert(pattern_search("b.", "abc", false));
    cr_assert(!pattern_search("c.", "abc", false));
}

Test(pattern, grep_knows_the_ends) {
    cr_assert(pattern_search("^ab", "abc", false));
    cr_assert(!pattern_search("^b", "abc", false));
    cr_assert(pattern_search("bc$", "abc", false));
    cr_assert(!pattern_search("ab$", "abc", false));
    cr_assert(pattern_search("^$", "", false));
    cr_assert(!pattern_search("^$", "x", false));
    cr_assert(pattern_search("a$b", "a$b", false));
}

Test(pattern, grep_repeats) {
    cr_assert(pattern_search("^ab*c$", "ac", false));
    cr_assert(pattern_search("^ab*c$", "abbbc", false));
    cr_assert(pattern_search("^.*b.*b$", "xbxb", false));
    cr_assert(!pattern_search("^ab*c$", "adc", false));
    cr_assert(pattern_search("^[0-9]*x$", "123x", false));
}

Test(pattern, grep_sets) {
    cr_assert(pattern_search("[abc]x", "zbx", false));
    cr_assert(pattern_search("[^abc]x", "zdx", false));
    cr_assert(!pattern_search("^[^abc]x", "bx", false));
    cr_assert(pattern_search("[]]", "]", false));
    cr_assert(pattern_search("[a-]", "-", false));
    cr_assert(pattern_search("\\.", "a.b", false));
    cr_assert(!pattern_search("\\.", "ab", false));
    cr_assert(pattern_search("\\*", "*", false));
}

Test(pattern, grep_ignores_case_if_asked) {
    cr_assert(pattern_search("HeL*O", "say hello", true));
    cr_assert(pattern_search("[A-C]x", "bX", true));
    cr_assert(!pattern_search("HELLO", "hello", false));
}

Test(pattern, incomplete_ones_are_told) {
    cr_assert(!pattern_valid("abc\\"));
    cr_assert(!pattern_valid("[abc"));
    cr_assert(!pattern_valid("[]"));
    cr_assert(pattern_valid("[]]"));
    cr_assert(pattern_valid(""));
    cr_assert(pattern_valid("*"));
}

Test(pattern, glob_matches_whole_names) {
    cr_assert(pattern_glob("*", "abc"));
    cr_assert(pattern_glob("a*c", "abc"));
    cr_assert(pattern_glob("a*c", "ac"));
    cr_assert(!pattern_glob("a*c", "abcd"));
    cr_assert(pattern_glob("?b?", "abc"));
    cr_assert(!pattern_glob("?", ""));
    cr_assert(pattern_glob("*.[ch]", "x.c"));
    cr_assert(!pattern_glob("*.[!ch]", "x.c"));
    cr_assert(pattern_glob("\\*", "*"));
    cr_assert(!pattern_glob("\\*", "x"));
    cr_assert(pattern_glob("a[", "a["));
    cr_assert(pattern_glob("*a*b*", "xxaxxbxx"));
}

Test(pattern, glob_wants_a_leading_dot_written) {
    cr_assert(!pattern_glob("*", ".hidden"));
    cr_assert(!pattern_glob("?x", ".x"));
    cr_assert(pattern_glob(".*", ".hidden"));
    cr_assert(pattern_match("*", ".hidden"));
}

Test(pattern, anything_ends) {
    srand(7);
    static const char letters[] = "ab*?[]^$.\\-!";
    for (int round = 0; round < 200000; round++) {
        char pattern[8] = "";
        char text[10] = "";
        for (int i = rand() % 7; i > 0; i--) {
            pattern[i - 1] = letters[rand() % 12];
        }
        for (int i = rand() % 9; i > 0; i--) {
            text[i - 1] = "ab]*"[rand() % 4];
        }
        (void)pattern_match(pattern, text);
        if (pattern_valid(pattern)) {
            (void)pattern_search(pattern, text, false);
        }
    }
}
