#include "base/format.h"

#include "base/memory.h"
#include "base/str.h"

// One conversion, as written between % and its letter.
struct spec {
    bool left, zero, plus, alternate;
    size_t width;
    size_t precision; // NO_PRECISION if none was given
    int length;       // -2 hh, -1 h, 0, 1 l, 2 ll z j t
};

static constexpr size_t NO_PRECISION = SIZE_MAX;

// Where text goes, and how much has.
struct output {
    format_sink emit;
    void *context;
    size_t total;
};

static void put(struct output *out, const char *text, size_t length) {
    if (length > 0) {
        out->emit(out->context, text, length);
        out->total += length;
    }
}

static void put_repeated(struct output *out, char c, size_t count) {
    char run[16];
    memset(run, c, sizeof(run));
    for (; count > sizeof(run); count -= sizeof(run)) {
        put(out, run, sizeof(run));
    }
    put(out, run, count);
}

static void put_padded(struct output *out, const struct spec *spec, const char *text, size_t length) {
    size_t padding = spec->width > length ? spec->width - length : 0;
    if (!spec->left) {
        put_repeated(out, ' ', padding);
    }
    put(out, text, length);
    if (spec->left) {
        put_repeated(out, ' ', padding);
    }
}

static void put_number(struct output *out, const struct spec *spec, const char *prefix, uint64_t value, unsigned base,
                       bool upper) {
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    char text[20]; // 2^64 has 20 decimal digits
    size_t at = sizeof(text);
    do {
        text[--at] = digits[value % base];
        value /= base;
    } while (value != 0);
    size_t length = sizeof(text) - at;
    size_t signs = strlen(prefix);

    size_t zeroes = 0;
    if (spec->precision != NO_PRECISION) {
        zeroes = spec->precision > length ? spec->precision - length : 0;
    } else if (spec->zero && !spec->left && spec->width > length + signs) {
        zeroes = spec->width - length - signs;
    }
    size_t whole = signs + zeroes + length;
    size_t padding = spec->width > whole ? spec->width - whole : 0;
    if (!spec->left) {
        put_repeated(out, ' ', padding);
    }
    put(out, prefix, signs);
    put_repeated(out, '0', zeroes);
    put(out, text + at, length);
    if (spec->left) {
        put_repeated(out, ' ', padding);
    }
}

// A number in the format, or the next argument for *. A negative argument is reported through *negative.
static const char *read_count(const char *at, va_list *args, size_t *count, bool *negative) {
    *negative = false;
    if (*at == '*') {
        int given = va_arg(*args, int);
        *negative = given < 0;
        *count = given < 0 ? (size_t)0 - (size_t)given : (size_t)given;
        return at + 1;
    }
    size_t value = 0;
    for (; *at >= '0' && *at <= '9'; at++) {
        value = value * 10 + (size_t)(*at - '0');
    }
    *count = value;
    return at;
}

// Everything between % and the letter; returns where the letter is.
static const char *read_spec(const char *at, va_list *args, struct spec *spec) {
    *spec = (struct spec){.precision = NO_PRECISION};
    for (;; at++) {
        if (*at == '-') {
            spec->left = true;
        } else if (*at == '0') {
            spec->zero = true;
        } else if (*at == '+') {
            spec->plus = true;
        } else if (*at == '#') {
            spec->alternate = true;
        } else {
            break;
        }
    }
    bool negative;
    at = read_count(at, args, &spec->width, &negative);
    spec->left = spec->left || negative;
    if (*at == '.') {
        at = read_count(at + 1, args, &spec->precision, &negative);
        if (negative) {
            spec->precision = NO_PRECISION;
        }
    }
    for (;; at++) {
        if (*at == 'l') {
            spec->length++;
        } else if (*at == 'h') {
            spec->length--;
        } else if (*at == 'z' || *at == 'j' || *at == 't') {
            spec->length = 2;
        } else {
            return at;
        }
    }
}

static int64_t read_signed(va_list *args, int length) {
    switch (length) {
    case -2:
        return (signed char)va_arg(*args, int);
    case -1:
        return (short)va_arg(*args, int);
    case 0:
        return va_arg(*args, int);
    case 1:
        return va_arg(*args, long);
    default:
        return va_arg(*args, long long);
    }
}

static uint64_t read_unsigned(va_list *args, int length) {
    switch (length) {
    case -2:
        return (unsigned char)va_arg(*args, unsigned);
    case -1:
        return (unsigned short)va_arg(*args, unsigned);
    case 0:
        return va_arg(*args, unsigned);
    case 1:
        return va_arg(*args, unsigned long);
    default:
        return va_arg(*args, unsigned long long);
    }
}

// Print one conversion; false if its letter is not known.
static bool convert(struct output *out, const struct spec *spec, char letter, va_list *args) {
    switch (letter) {
    case '%':
        put(out, "%", 1);
        return true;
    case 'c': {
        char c = (char)va_arg(*args, int);
        put_padded(out, spec, &c, 1);
        return true;
    }
    case 's': {
        const char *text = va_arg(*args, const char *);
        if (text == nullptr) {
            text = "(null)";
        }
        put_padded(out, spec, text, strnlen(text, spec->precision));
        return true;
    }
    case 'd':
    case 'i': {
        int64_t value = read_signed(args, spec->length);
        uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
        const char *sign = value < 0 ? "-" : (spec->plus ? "+" : "");
        put_number(out, spec, sign, magnitude, 10, false);
        return true;
    }
    case 'u':
        put_number(out, spec, "", read_unsigned(args, spec->length), 10, false);
        return true;
    case 'x':
    case 'X': {
        uint64_t value = read_unsigned(args, spec->length);
        const char *prefix = !spec->alternate || value == 0 ? "" : letter == 'X' ? "0X" : "0x";
        put_number(out, spec, prefix, value, 16, letter == 'X');
        return true;
    }
    case 'p':
        put_number(out, spec, "0x", (uintptr_t)va_arg(*args, void *), 16, false);
        return true;
    default:
        return false;
    }
}

size_t format_to(format_sink emit, void *context, const char *format, va_list args) {
    struct output out = {.emit = emit, .context = context};
    va_list rest;
    va_copy(rest, args);
    const char *at = format;
    while (*at != '\0') {
        const char *start = at;
        while (*at != '\0' && *at != '%') {
            at++;
        }
        put(&out, start, (size_t)(at - start));
        if (*at == '\0') {
            break;
        }
        struct spec spec;
        const char *letter = read_spec(at + 1, &rest, &spec);
        if (*letter == '\0' || !convert(&out, &spec, *letter, &rest)) {
            put(&out, at, (size_t)(letter - at));
            at = letter;
        } else {
            at = letter + 1;
        }
    }
    va_end(rest);
    return out.total;
}

// A sink that fills a buffer and drops what does not fit, keeping room for the terminator.
struct buffer {
    char *text;
    size_t capacity;
    size_t used;
};

static void buffer_put(void *context, const char *text, size_t length) {
    struct buffer *buffer = context;
    if (buffer->capacity == 0) {
        return;
    }
    size_t room = buffer->capacity - 1 - buffer->used;
    size_t kept = length < room ? length : room;
    memcpy(buffer->text + buffer->used, text, kept);
    buffer->used += kept;
}

size_t vformat(char *text, size_t capacity, const char *format, va_list args) {
    struct buffer buffer = {.text = text, .capacity = capacity};
    size_t length = format_to(buffer_put, &buffer, format, args);
    if (capacity > 0) {
        text[buffer.used] = '\0';
    }
    return length;
}

size_t format(char *buffer, size_t capacity, const char *format, ...) {
    va_list args;
    va_start(args, format);
    size_t length = vformat(buffer, capacity, format, args);
    va_end(args);
    return length;
}
