#include "kfs/text.h"

#include "ipc/latency.h"

#include "base/decimal.h"
#include "base/memory.h"
#include "base/str.h"
#include "kernel/pages.h"
#include "kernel/panic.h"

enum {
    VALUE_MAX = 4 * PATH_LEN_MAX + 1, // a word of PATH_LEN_MAX bytes, all of them escaped
    LABEL_MAX = 128,
    CELL_ROOM = 64, // that a number and its padding take at most, as they are written
};

static void room_set(struct text *text, char *begin, uint64_t size, uint64_t before) {
    text->begin = begin;
    text->at = begin;
    text->end = begin + size;
    text->before = before;
}

void text_release(struct text *text) {
    object_unref(&text->pages->object);
    text->pages = nullptr;
}

void text_rewind(struct text *text) {
    room_set(text, text->head, text->head_size, 0);
    text->status = 0;
    text->width = text->columns == nullptr ? nullptr : text->columns->width;
}

void text_init(struct text *text, char *head, size_t size) {
    text->head = head;
    text->head_size = size;
    text->pages = nullptr;
    text->columns = nullptr;
    text_rewind(text);
}

// Go on in the next page: the room at hand is full.
static status_t room_next(struct text *text) {
    uint64_t size = text_size(text);
    if (size == TEXT_MAX) {
        return ERR_TOO_BIG;
    }
    status_t status = text->pages == nullptr ? pages_create(TEXT_MAX, &text->pages) : 0;
    if (status < 0) {
        return status;
    }
    paddr_t page = pages_get(text->pages, (size - text->head_size) / PAGE_SIZE, true);
    if (page == 0) {
        return ERR_NO_MEMORY;
    }
    uint64_t left = TEXT_MAX - size;
    room_set(text, arch_phys_to_virt(page), left < PAGE_SIZE ? left : PAGE_SIZE, size);
    return 0;
}

[[gnu::noinline]] static void bytes_slow(struct text *text, const char *bytes, size_t length) {
    while (length > 0 && text->status == 0) {
        size_t room = (size_t)(text->end - text->at);
        size_t part = length < room ? length : room;
        if (part == 0) {
            text->status = room_next(text);
            continue;
        }
        memcpy(text->at, bytes, part);
        text->at += part;
        bytes += part;
        length -= part;
    }
    if (text->status < 0) {
        text->end = text->at;
    }
}

static inline void bytes_put(struct text *text, const char *bytes, size_t length) {
    if (length <= (size_t)(text->end - text->at)) {
        memcpy(text->at, bytes, length);
        text->at += length;
    } else {
        bytes_slow(text, bytes, length);
    }
}

void text_bytes(struct text *text, const char *bytes, size_t length) {
    bytes_put(text, bytes, length);
}

// Part of it stands behind the head.
[[gnu::noinline]] static status_t read_pages(const struct text *text, user_ptr_t to, uint64_t offset, uint64_t length) {
    uint64_t part = offset < text->head_size ? text->head_size - offset : 0;
    status_t status = user_copy_out(to, text->head + offset, part);
    return status < 0
               ? status
               : pages_read(text->pages, (user_ptr_t){to.va + part}, offset + part - text->head_size, length - part);
}

long text_read(const struct text *text, user_ptr_t to, uint64_t offset, uint64_t length) {
    uint64_t size = text_size(text);
    if (offset >= size) {
        return 0;
    }
    length = length < size - offset ? length : size - offset;
    status_t status = offset + length <= text->head_size ? user_copy_out(to, text->head + offset, length)
                                                         : read_pages(text, to, offset, length);
    return status < 0 ? status : (long)length;
}

// ---- cells: the value, then blanks up to the column's width and one more, or the line's end ----

static const char blanks[TEXT_WIDTH_MAX + 1] = "                                ";

// What goes behind a value of this length, in bytes of blanks; 0: the line's end.
static size_t cell_padding(struct text *text, size_t length) {
    KASSERT(text->columns != nullptr);
    size_t width = *text->width++;
    if (*text->width == 0) {
        text->width = text->columns->width;
        return 0;
    }
    return length < width ? width - length + 1 : 1;
}

static void text_cell(struct text *text, const char *value, size_t length) {
    size_t padding = cell_padding(text, length);
    bytes_put(text, value, length);
    bytes_put(text, padding > 0 ? blanks : "\n", padding > 0 ? padding : 1);
}

void text_header_of(struct text *text, const struct text_columns *columns) {
    text->columns = columns;
    text->width = columns->width;
    bytes_put(text, columns->line, columns->length);
}

// ---- values ----

// Write the digits of a number; where they end.
[[gnu::always_inline]] static inline char *number_write(char *to, uint64_t value) {
    unsigned length = decimal_length(value);
    decimal_write(to, value, length);
    return to + length;
}

// Cells where there may be no room for the widest one.
[[gnu::noinline]] static void number_cells(struct text *text, const uint64_t *values, const uint64_t *values_end) {
    while (values < values_end) {
        char digits[DECIMAL_MAX];
        text_cell(text, digits, (size_t)(number_write(digits, *values++) - digits));
    }
}

void text_cells(struct text *text, const uint64_t *values, size_t count) {
    KASSERT(text->columns != nullptr);
    const uint64_t *values_end = values + count;
    const uint8_t *width = text->width;
    char *at = text->at;
    const uintptr_t last_begin = (uintptr_t)text->end - CELL_ROOM;
    while (values < values_end && (uintptr_t)at <= last_begin) {
        uint64_t value = *values++;
        char *digits_end = at + 1;
        *at = (char)('0' + value);
        if (value >= 10) {
            digits_end = number_write(at, value);
        }
        // Blanks as for the widest cell, of which only those that belong to this one are kept.
        static_assert(CELL_ROOM >= DECIMAL_MAX + sizeof blanks);
        memcpy(digits_end, blanks, sizeof blanks);
        at += *width++;
        if (at < digits_end) {
            at = digits_end;
        }
        if (*width == 0) {
            width = text->columns->width;
            *digits_end = '\n';
            at = digits_end;
        }
        at++;
    }
    text->at = at;
    text->width = width;
    if (values < values_end) {
        number_cells(text, values, values_end);
    }
}

void text_i64(struct text *text, int64_t value) {
    char digits[DECIMAL_MAX + 1] = "-";
    unsigned sign = value < 0;
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    unsigned length = decimal_length(magnitude);
    decimal_write(digits + sign, magnitude, length);
    text_cell(text, digits, sign + length);
}

void text_hex(struct text *text, uint64_t value) {
    char digits[18];
    unsigned at = sizeof digits;
    do {
        digits[--at] = "0123456789abcdef"[value & 15];
        value >>= 4;
    } while (value != 0);
    digits[--at] = 'x';
    digits[--at] = '0';
    text_cell(text, digits + at, sizeof digits - at);
}

void text_mode(struct text *text, uint32_t mode) {
    char digits[4];
    for (unsigned i = 0; i < 4; i++) {
        digits[i] = (char)('0' + (mode >> (9 - 3 * i) & 7));
    }
    text_cell(text, digits, sizeof digits);
}

void text_word(struct text *text, const char *word) {
    static const char hex[] = "0123456789abcdef";
    char value[VALUE_MAX];
    size_t length = 0;
    for (; *word != '\0'; word++) {
        KASSERT(length + 4 < sizeof value);
        unsigned char byte = (unsigned char)*word;
        if (byte > 0x20 && byte != 0x7f && byte != '\\') {
            value[length++] = (char)byte;
            continue;
        }
        value[length++] = '\\';
        value[length++] = 'x';
        value[length++] = hex[byte >> 4];
        value[length++] = hex[byte & 15];
    }
    if (length == 0) {
        value[length++] = '-';
    }
    text_cell(text, value, length);
}

void text_label(struct text *text, const char *words) {
    char label[LABEL_MAX];
    str_copy(label, sizeof label, words);
    for (char *at = label; *at != '\0'; at++) {
        if (*at == ' ') {
            *at = '_';
        }
    }
    text_word(text, label);
}

void text_rights(struct text *text, uint32_t rights) {
    static const char letters[] = "rwcmxvga";
    char word[sizeof letters];
    for (unsigned i = 0; i < sizeof letters - 1; i++) {
        word[i] = (rights >> i & 1) != 0 ? letters[i] : '-';
    }
    word[sizeof letters - 1] = '\0';
    text_word(text, word);
}

void text_latency(struct text *text, const struct latency *latency) {
    text_header(text, "below_ns", "messages");
    for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
        if (latency->bucket[i] > 0) {
            text_numbers(text, latency_bound(i), latency->bucket[i]);
        }
    }
}
