#include "kfs/text.h"

#include "ipc/latency.h"

#include "base/checked.h"
#include "base/format.h"
#include "base/memory.h"
#include "base/str.h"
#include "kernel/page_alloc.h"
#include "kernel/pages.h"
#include "kernel/panic.h"

enum {
    VALUE_MAX = 4 * PATH_LEN_MAX + 1, // a word of PATH_LEN_MAX bytes, all of them escaped
    LABEL_MAX = 128,
};

void text_clear(struct text *text) {
    if (text->first != nullptr) {
        page_free(arch_virt_to_phys(text->first), 0);
        text->first = nullptr;
    }
    if (text->rest != nullptr) {
        object_unref(&text->rest->object);
        text->rest = nullptr;
    }
    text->size = 0;
}

void text_rewind(struct text *text) {
    text->size = 0;
    text->status = 0;
    text->column = 0;
}

// The place of the next `length` bytes, if they are in the first page and that is there.
static inline char *place(const struct text *text, size_t length) {
    bool fits = text->first != nullptr && text->size + length <= PAGE_SIZE && text->status == 0;
    return fits ? text->first + text->size : nullptr;
}

static status_t append(struct text *text, const char *bytes, size_t length) {
    if (length > TEXT_MAX - text->size) {
        return ERR_TOO_BIG;
    }
    if (text->first == nullptr) {
        paddr_t page = page_alloc(0); // not cleared: what is not written is not read
        if (page == 0) {
            return ERR_NO_MEMORY;
        }
        text->first = arch_phys_to_virt(page);
    }
    size_t room = text->size < PAGE_SIZE ? PAGE_SIZE - text->size : 0;
    size_t here = length < room ? length : room;
    if (here > 0) {
        memcpy(text->first + text->size, bytes, here);
    }
    if (here < length) {
        status_t status = text->rest == nullptr ? pages_create(TEXT_MAX - PAGE_SIZE, &text->rest) : 0;
        if (status == 0) {
            status = pages_fill(text->rest, bytes + here, text->size + here - PAGE_SIZE, length - here);
        }
        if (status < 0) {
            return status;
        }
    }
    text->size += length;
    return 0;
}

void text_bytes(struct text *text, const char *bytes, size_t length) {
    if (text->status == 0) {
        text->status = append(text, bytes, length);
    }
}

status_t text_read(const struct text *text, user_ptr_t to, uint64_t offset, uint64_t length) {
    KASSERT(range_within(offset, length, text->size));
    if (offset < PAGE_SIZE) {
        uint64_t here = length < PAGE_SIZE - offset ? length : PAGE_SIZE - offset;
        status_t status = here > 0 ? user_copy_out(to, text->first + offset, here) : 0;
        if (status < 0 || here == length) {
            return status;
        }
        offset += here;
        length -= here;
        to.va += here;
    }
    return pages_read(text->rest, to, offset - PAGE_SIZE, length);
}

// One cell: the value, then blanks up to the column's width and one more, or the line's end.
static void text_cell(struct text *text, const char *value, size_t length) {
    static const char blanks[] = "                                ";
    KASSERT(text->column < text->columns);
    size_t width = text->width[text->column++];
    bool last = text->column == text->columns;
    size_t padding = last || length >= width ? 1 : width - length + 1;
    const char *behind = last ? "\n" : blanks;
    text->column = last ? 0 : text->column;
    char *at = place(text, length + padding);
    if (at == nullptr) {
        text_bytes(text, value, length);
        text_bytes(text, behind, padding);
        return;
    }
    memcpy(at, value, length);
    memcpy(at + length, behind, padding);
    text->size += length + padding;
}

void text_header(struct text *text, const char *names) {
    uint8_t columns = 0;
    const char *at = names;
    for (const char *name = names;; at++) {
        if (*at == ' ' || *at == '\0') {
            KASSERT(columns < TEXT_COLUMNS_MAX && at > name && at - name < 32);
            text->width[columns++] = (uint8_t)(at - name);
            name = at + 1;
        }
        if (*at == '\0') {
            break;
        }
    }
    text->columns = columns;
    text->column = 0;
    // Each name is as wide as its column: the line is the names themselves.
    text_bytes(text, names, (size_t)(at - names));
    text_bytes(text, "\n", 1);
}

// The digits of a number end at `end`; where they begin.
static char *digits_before(char *end, uint64_t value) {
    do {
        *--end = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    return end;
}

void text_u64(struct text *text, uint64_t value) {
    char digits[24];
    char *end = digits + sizeof digits;
    const char *at = digits_before(end, value);
    text_cell(text, at, (size_t)(end - at));
}

void text_i64(struct text *text, int64_t value) {
    char digits[24];
    char *end = digits + sizeof digits;
    char *at = digits_before(end, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
    if (value < 0) {
        *--at = '-';
    }
    text_cell(text, at, (size_t)(end - at));
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
