// The C library's printf is the reference wherever it knows the conversion.
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/format.h"

#define SAME(...)                                                                                                      \
    do {                                                                                                               \
        char mine[128], theirs[128];                                                                                   \
        int expected = snprintf(theirs, sizeof(theirs), __VA_ARGS__);                                                  \
        size_t length = format(mine, sizeof(mine), __VA_ARGS__);                                                       \
        cr_assert_str_eq(mine, theirs);                                                                                \
        cr_assert_eq(length, (size_t)expected);                                                                        \
    } while (0)

Test(format, text_as_the_c_library) {
    SAME("plain");
    SAME("%s|%10s|%-10s|%.2s|%10.1s|%-4.3s|", "abc", "abc", "abc", "abc", "abc", "abcdef");
    SAME("%.*s|%*s|%-*s|", 2, "abc", 6, "x", 6, "y");
    SAME("%*s|", -6, "left");
    SAME("%c%5c|%-5c|", 'a', 'b', 'c');
    SAME("100%%");
    SAME("%s", "");
}

Test(format, numbers_as_the_c_library) {
    SAME("%d %d %d", 0, -1, 2147483647);
    SAME("%d %i", (int)0x80000000, 5);
    SAME("%ld %lld", (long)-5000000000, (long long)INT64_MIN);
    SAME("%u %lu %llu %zu", 4000000000u, 5000000000ul, 18446744073709551615ull, (size_t)42);
    SAME("%x %X %lx", 0xbeef, 0xBEEF, 0xdeadbeefcafeul);
    SAME("%#x %#X %#lx %#x %#10x|%#010x|%-#10x|", 0xbeef, 0xBEEF, 0xdeadbeefcafeul, 0, 1, 1, 1);
    SAME("%5d|%-5d|%05d|%+d|%+5d|%05d", 42, 42, 42, 42, 42, -42);
    SAME("%08x|%016lx|%.4d|%8.4d|%-8.4d|%.0d", 0x1f, 0x1ful, 7, 7, 7, 1);
    SAME("%hhu %hhd %hu %hd", (unsigned char)200, (signed char)-3, (unsigned short)60000, (short)-3);
    SAME("%jd %ju", (intmax_t)-1, (uintmax_t)1);
    SAME("%p", (void *)0x1234);
}

Test(format, cut_but_terminated_and_whole_length_told) {
    char small[5] = "zzzz";
    cr_assert_eq(format(small, sizeof(small), "%s", "abcdefgh"), 8);
    cr_assert_str_eq(small, "abcd");
    cr_assert_eq(format(small, 1, "%d", 12345), 5);
    cr_assert_str_eq(small, "");
    cr_assert_eq(format(nullptr, 0, "%d", 12345), 5);
}

[[gnu::format(printf, 3, 4)]] static size_t into_sink(format_sink emit, void *context, const char *text, ...) {
    va_list args;
    va_start(args, text);
    size_t length = format_to(emit, context, text, args);
    va_end(args);
    return length;
}

static void append(void *context, const char *text, size_t length) {
    cr_assert_gt(length, 0);
    strncat(context, text, length);
}

Test(format, sink_gets_everything_in_order) {
    char got[256] = "";
    cr_assert_eq(into_sink(append, got, "%s-%60d-%c", "a", 5, 'z'), 64);
    cr_assert_eq(strlen(got), 64);
    cr_assert_eq(got[0], 'a');
    cr_assert_str_eq(got + 61, "5-z");
}

#pragma clang diagnostic ignored "-Wformat"
#pragma clang diagnostic ignored "-Wformat-invalid-specifier"
#pragma clang diagnostic ignored "-Wformat-security"

Test(format, unknown_conversion_is_printed_as_it_stands) {
    char text[64];
    format(text, sizeof(text), "%q %5y!");
    cr_assert_str_eq(text, "%q %5y!");
    format(text, sizeof(text), "end %");
    cr_assert_str_eq(text, "end %");
    format(text, sizeof(text), "%s", (const char *)nullptr);
    cr_assert_str_eq(text, "(null)");
}
