// A string that grows. Every function that adds returns false when there is no memory, and the text then keeps what it
// had; a zeroed struct text is an empty one.
#pragma once

#include "base/types.h"

struct text {
    char *bytes;   // always terminated with a zero once something was added; null before
    size_t length; // without the zero
    size_t capacity;
};

[[nodiscard]] bool text_add(struct text *text, const char *bytes, size_t length);
[[nodiscard]] bool text_add_string(struct text *text, const char *string);
[[nodiscard]] bool text_add_char(struct text *text, char byte);

// The bytes, "" if there are none.
const char *text_string(const struct text *text);

// Make it empty, keeping the memory; or give the memory back.
void text_clear(struct text *text);
void text_free(struct text *text);
