// A string that grows by doubling.
#include "lib/text.h"

#include "base/memory.h"
#include "base/str.h"
#include "lib/memory.h"

bool text_add(struct text *text, const char *bytes, size_t length) {
    if (length >= text->capacity - text->length) { // room for the zero, too
        size_t capacity = text->capacity == 0 ? 48 : 2 * text->capacity;
        while (capacity <= text->length + length) {
            capacity *= 2;
        }
        char *more = realloc(text->bytes, capacity);
        if (more == nullptr) {
            return false;
        }
        text->bytes = more;
        text->capacity = capacity;
    }
    if (length > 0) {
        memcpy(text->bytes + text->length, bytes, length);
    }
    text->length += length;
    text->bytes[text->length] = 0;
    return true;
}

bool text_add_string(struct text *text, const char *string) {
    return text_add(text, string, strlen(string));
}
bool text_add_char(struct text *text, char byte) {
    return text_add(text, &byte, 1);
}
const char *text_string(const struct text *text) {
    return text->length == 0 ? "" : text->bytes;
}

void text_clear(struct text *text) {
    text->length = 0;
    if (text->bytes != nullptr) {
        text->bytes[0] = 0;
    }
}

void text_free(struct text *text) {
    free(text->bytes);
    *text = (struct text){};
}
