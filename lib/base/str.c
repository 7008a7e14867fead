#include "base/str.h"

#include "base/memory.h"

size_t str_copy_bytes(char *to, size_t capacity, const char *from, size_t length) {
    if (capacity > 0) {
        size_t kept = length < capacity ? length : capacity - 1;
        memcpy(to, from, kept);
        to[kept] = '\0';
    }
    return length;
}

size_t str_copy(char *to, size_t capacity, const char *from) {
    return str_copy_bytes(to, capacity, from, strlen(from));
}

bool str_equal(const char *a, const char *b) {
    return strcmp(a, b) == 0;
}

bool str_starts(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

// The value of a digit, or 255.
static unsigned digit_value(char digit) {
    if (digit >= '0' && digit <= '9') {
        return (unsigned)(digit - '0');
    }
    if (digit >= 'a' && digit <= 'f') {
        return (unsigned)(digit - 'a') + 10;
    }
    if (digit >= 'A' && digit <= 'F') {
        return (unsigned)(digit - 'A') + 10;
    }
    return 255;
}

bool str_to_u64_bytes(const char *text, size_t length, uint64_t *value) {
    unsigned base = 10;
    if (length > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        base = 16;
        text += 2;
        length -= 2;
    }
    uint64_t result = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned digit = digit_value(text[i]);
        if (digit >= base || __builtin_mul_overflow(result, (uint64_t)base, &result) ||
            __builtin_add_overflow(result, (uint64_t)digit, &result)) {
            return false;
        }
    }
    if (length == 0) {
        return false;
    }
    *value = result;
    return true;
}

bool str_to_u64(const char *text, uint64_t *value) {
    return str_to_u64_bytes(text, strlen(text), value);
}
