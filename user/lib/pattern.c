// Pattern matching: grep by trying all lengths of each star, file names by backing up to the last star.
#include "lib/pattern.h"

static char fold(char c, bool ignore_case) {
    return ignore_case && c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

// The length of the pattern's first element without a star behind it; 0 if it is incomplete.
static size_t element_length(const char *pattern) {
    if (pattern[0] == '\\') {
        return pattern[1] == 0 ? 0 : 2;
    }
    if (pattern[0] != '[') {
        return 1;
    }
    size_t length = 1;
    length += pattern[length] == '^' || pattern[length] == '!';
    length += pattern[length] == ']'; // a ] at the beginning is a member
    while (pattern[length] != 0 && pattern[length] != ']') {
        length++;
    }
    return pattern[length] == 0 ? 0 : length + 1;
}

// Whether `c` is in the set whose text, with brackets, is `length` bytes at `set`.
static bool in_set(const char *set, size_t length, char c, bool ignore_case, bool bang) {
    const char *end = set + length - 1;
    set++;
    bool inverted = *set == '^' || (bang && *set == '!');
    set += inverted;
    bool found = false;
    for (const char *at = set; at < end; at++) {
        char low = fold(*at, ignore_case);
        char high = low;
        if (at + 2 < end && at[1] == '-') {
            high = fold(at[2], ignore_case);
            at += 2;
        }
        char folded = fold(c, ignore_case);
        found = found || (folded >= low && folded <= high);
    }
    return found != inverted;
}

bool pattern_valid(const char *pattern) {
    while (*pattern != 0) {
        size_t length = element_length(pattern);
        if (length == 0) {
            return false;
        }
        pattern += length;
    }
    return true;
}

static bool element_matches(const char *element, size_t length, char c, bool ignore_case) {
    if (c == 0) {
        return false;
    }
    if (element[0] == '[') {
        return in_set(element, length, c, ignore_case, false);
    }
    if (element[0] == '.') {
        return true;
    }
    return fold(element[length - 1], ignore_case) == fold(c, ignore_case);
}

// Whether the pattern matches at the beginning of `text`. Recursion only at stars, so its depth is their number.
static bool match_here(const char *pattern, const char *text, bool ignore_case) {
    while (*pattern != 0) {
        if (pattern[0] == '$' && pattern[1] == 0) {
            return *text == 0;
        }
        size_t length = element_length(pattern);
        if (pattern[length] == '*') {
            const char *rest = pattern + length + 1;
            const char *end = text;
            while (element_matches(pattern, length, *end, ignore_case)) {
                end++;
            }
            for (;; end--) {
                if (match_here(rest, end, ignore_case)) {
                    return true;
                }
                if (end == text) {
                    return false;
                }
            }
        }
        if (!element_matches(pattern, length, *text, ignore_case)) {
            return false;
        }
        pattern += length;
        text++;
    }
    return true;
}

bool pattern_search(const char *pattern, const char *text, bool ignore_case) {
    if (*pattern == '^') {
        return match_here(pattern + 1, text, ignore_case);
    }
    for (;; text++) {
        if (match_here(pattern, text, ignore_case)) {
            return true;
        }
        if (*text == 0) {
            return false;
        }
    }
}

// One element of a shell pattern against one character; *length receives the element's length.
static bool glob_element(const char *pattern, char c, size_t *length) {
    *length = element_length(pattern);
    if (*length == 0) { // an open [ or a last \ is itself
        *length = 1;
        return *pattern == c;
    }
    if (pattern[0] == '?') {
        return true;
    }
    if (pattern[0] == '[') {
        return in_set(pattern, *length, c, false, true);
    }
    return pattern[*length - 1] == c;
}

bool pattern_glob(const char *pattern, const char *name) {
    return (name[0] != '.' || pattern[0] == '.') && pattern_match(pattern, name);
}

bool pattern_match(const char *pattern, const char *name) {
    const char *star = nullptr; // behind the last star
    const char *retry = name;   // where what follows that star is tried next
    while (*name != 0) {
        size_t length;
        if (*pattern == '*') {
            star = ++pattern;
            retry = name;
        } else if (*pattern != 0 && glob_element(pattern, *name, &length)) {
            pattern += length;
            name++;
        } else if (star != nullptr) {
            pattern = star;
            name = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*') {
        pattern++;
    }
    return *pattern == 0;
}
