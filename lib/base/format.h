// Formatted text, into a buffer or into a sink. Understood: %s %c %d %i %u %x %X %p %% with flags - 0 + #, a width and a
// precision (numbers or *), and the lengths hh h l ll z j t. A null %s prints (null). Anything else is printed as it
// stands. No floating point, no %n, no allocation.
#pragma once

#include "base/types.h"

// Takes the next piece of text; pieces come in order and are not terminated.
typedef void (*format_sink)(void *context, const char *text, size_t length);

// Into capacity bytes, cut if it does not fit, always terminated (unless capacity is 0). Returns the length of the
// whole text: it was cut if that is >= capacity.
[[gnu::format(printf, 3, 4)]] size_t format(char *buffer, size_t capacity, const char *format, ...);
[[gnu::format(printf, 3, 0)]] size_t vformat(char *buffer, size_t capacity, const char *format, va_list args);

// Into a sink. Returns the length of the text.
[[gnu::format(printf, 3, 0)]] size_t format_to(format_sink emit, void *context, const char *format, va_list args);
