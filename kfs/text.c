#include "kfs/text.h"

#include "ipc/latency.h"

#include "base/format.h"
#include "base/memory.h"
#include "base/str.h"
#include "kernel/pages.h"
#include "kernel/panic.h"

enum {
    VALUE_MAX = 4 * PATH_LEN_MAX + 1, // a word of PATH_LEN_MAX bytes, all of them escaped
    LABEL_MAX = 128,
};

void text_clear(struct text *text) {
    if (text->pages != nullptr) {
        object_unref(&text->pages->object);
        text->pages = nullptr;
    }
    text->size = 0;
}

void text_rewind(struct text *text) {
    text->size = 0;
    text->status = 0;
    text->column = 0;
}

void text_bytes(struct text *text, const char *bytes, size_t length) {
    if (text->status == 0 && length > TEXT_MAX - text->size) {
        text->status = ERR_TOO_BIG;
    }
    if (text->status == 0 && text->pages == nullptr) {
        text->status = pages_create(TEXT_MAX, &text->pages);
    }
    if (text->status == 0) {
        text->status = pages_fill(text->pages, bytes, text->size, length);
    }
    if (text->status == 0) {
        text->size += length;
    }
}

// One cell: the value, then blanks up to the column's width and one more, or the line's end.
static void text_cell(struct text *text, const char *value, size_t length) {
    static const char blanks[] = "                                ";
    KASSERT(text->column < text->columns);
    text_bytes(text, value, length);
    size_t width = text->width[text->column++];
    if (text->column == text->columns) {
        text->column = 0;
        text_bytes(text, "\n", 1);
        return;
    }
    size_t padding = length < width ? width - length + 1 : 1;
    text_bytes(text, blanks, padding);
}

void text_header(struct text *text, const char *names) {
    uint8_t columns = 0;
    for (const char *at = names; *at != '\0'; columns++) {
        size_t length = 0;
        while (at[length] != ' ' && at[length] != '\0') {
            length++;
        }
        KASSERT(columns < TEXT_COLUMNS_MAX && length > 0 && length < 32);
        text->width[columns] = (uint8_t)length;
        at += length + (at[length] == ' ' ? 1 : 0);
    }
    text->columns = columns;
    text->column = 0;
    for (unsigned i = 0; i < columns; i++) {
        text_cell(text, names, text->width[i]);
        names += text->width[i] + 1;
    }
}

void text_u64(struct text *text, uint64_t value) {
    char digits[24];
    text_cell(text, digits, format(digits, sizeof digits, "%llu", (unsigned long long)value));
}

void text_i64(struct text *text, int64_t value) {
    char digits[24];
    text_cell(text, digits, format(digits, sizeof digits, "%lld", (long long)value));
}

void text_hex(struct text *text, uint64_t value) {
    char digits[24];
    text_cell(text, digits, format(digits, sizeof digits, "0x%llx", (unsigned long long)value));
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
    text_header(text, "below_ns messages");
    for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
        if (latency->bucket[i] > 0) {
            text_u64(text, latency_bound(i));
            text_u64(text, latency->bucket[i]);
        }
    }
}
