// The one formatter of the kernel's text files (IPC-6.3): a header line of field names, then data lines; columns are
// separated by blanks and padded to the width of their header, so that people can read them and programs can split them.
// Values never contain blanks: a word's blanks, control characters and backslashes are written \xHH, an empty word is
// "-". Fields are only ever appended to a table.
//
// The text begins in room that its keeper gives it, where most have their place, and goes on in a memory object, page by
// page. The first failure is kept in status, and what follows it is dropped: who writes a table need not check each
// value.
#pragma once

#include "base/types.h"
#include "kernel/include/user_ptr.h"

struct latency;
struct pages;

enum { TEXT_MAX = 0x40000, TEXT_COLUMNS_MAX = 24, TEXT_WIDTH_MAX = 31, TEXT_CHUNK = 2048 };

// What stands above the columns of a table: made when it is compiled, by TEXT_COLUMNS("first", "second").
struct text_columns {
    const char *line; // the names, single blanks between them, and the line's end
    size_t length;
    uint8_t width[TEXT_COLUMNS_MAX + 1]; // of each name; 0 behind the last
};
#define TEXT_COLUMNS(...)                                                                                              \
    {                                                                                                                  \
        .line = TEXT_LINE(__VA_ARGS__),                                                                                \
        .length = sizeof(TEXT_LINE(__VA_ARGS__)) - 1,                                                                  \
        .width = {TEXT_EACH(TEXT_WIDTH, __VA_ARGS__)},                                                                 \
    }
#define TEXT_LINE(first, ...) first __VA_OPT__(TEXT_EACH(TEXT_BLANK_NAME, __VA_ARGS__)) "\n"
#define TEXT_BLANK_NAME(name) " " name
// Not compiled for a name above TEXT_WIDTH_MAX: there is no array of so few bytes.
#define TEXT_WIDTH(name) TEXT_WIDTH_MAX + 1 - sizeof(char[TEXT_WIDTH_MAX + 2 - sizeof(name)]),
// macro(name) for each name: a macro that ends in the call of itself goes on when it is read again, and EXPAND reads it
// often enough for TEXT_COLUMNS_MAX.
#define TEXT_EACH(macro, ...)       TEXT_EXPAND(TEXT_STEP(macro, __VA_ARGS__))
#define TEXT_STEP(macro, name, ...) macro(name) __VA_OPT__(TEXT_NEXT TEXT_PARENTHESES(macro, __VA_ARGS__))
#define TEXT_NEXT()                 TEXT_STEP
#define TEXT_PARENTHESES            ()
#define TEXT_EXPAND(...)            TEXT_READ(TEXT_READ(TEXT_READ(TEXT_READ(TEXT_READ(__VA_ARGS__)))))
#define TEXT_READ(...)              TEXT_READ_1(TEXT_READ_1(TEXT_READ_1(TEXT_READ_1(TEXT_READ_1(__VA_ARGS__)))))
#define TEXT_READ_1(...)            __VA_ARGS__

struct text {
    char *at, *end;  // the room at hand: the next byte goes to at
    char *begin;     // of that room
    uint64_t before; // bytes of text that stand before it
    char *head;      // the keeper's room
    uint64_t head_size;
    struct pages *pages;                // what stands behind the head; null: none yet
    status_t status;                    // 0, ERR_NO_MEMORY, ERR_TOO_BIG
    const struct text_columns *columns; // null: there was no header yet
    const uint8_t *width;               // of the next cell's column
};

// Begin an empty text without columns, in room that stays as long as it.
void text_init(struct text *text, char *head, size_t size);
// Release what it holds; it is not used again.
void text_release(struct text *text); // its pages
static inline void text_clear(struct text *text) {
    if (text->pages != nullptr) {
        text_release(text);
    }
}
// Begin again at size 0, keeping the columns.
void text_rewind(struct text *text);

// Bytes written.
static inline uint64_t text_size(const struct text *text) {
    return text->before + (uint64_t)(text->at - text->begin);
}
// Copy out to the user what was written from offset on, up to length bytes: how many, ERR_FAULT, ERR_NO_MEMORY.
[[nodiscard]] long text_read(const struct text *text, user_ptr_t to, uint64_t offset, uint64_t length);

// Bytes as they are.
void text_bytes(struct text *text, const char *bytes, size_t length);

// The header line. Sets the columns of the lines that follow. text_header(text, "first", "second") names them in place.
void text_header_of(struct text *text, const struct text_columns *columns);
#define text_header(text, ...)                                                                                         \
    do {                                                                                                               \
        static const struct text_columns text_header_columns = TEXT_COLUMNS(__VA_ARGS__);                              \
        text_header_of(text, &text_header_columns);                                                                    \
    } while (false)
// The next values of the line; the last column ends the line.
void text_cells(struct text *text, const uint64_t *values, size_t count);
#define text_numbers(text, ...)                                                                                        \
    do {                                                                                                               \
        const uint64_t text_values[] = {__VA_ARGS__};                                                                  \
        text_cells(text, text_values, sizeof text_values / sizeof text_values[0]);                                     \
    } while (false)
static inline void text_u64(struct text *text, uint64_t value) {
    text_cells(text, &value, 1);
}
void text_i64(struct text *text, int64_t value);
void text_hex(struct text *text, uint64_t value); // 0x…
void text_mode(struct text *text, uint32_t mode); // four octal digits
void text_word(struct text *text, const char *word);
void text_label(struct text *text, const char *words); // for people only: blanks become '_'
// A histogram, whole: header and a line for each bucket that is not empty.
void text_latency(struct text *text, const struct latency *latency);
void text_rights(struct text *text, uint32_t rights); // RIGHT_* as rwcmxvga
