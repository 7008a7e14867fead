// Statistics files as tables: a header line of field names, then data lines with one value per field, all separated by
// blanks. Fields are found by name, because later versions append more.
#pragma once

#include "base/types.h"

enum { TABLE_FIELDS_MAX = 32, TABLE_LINES_MAX = 80 };

// Points into the parsed text, which is cut up in place.
struct table {
    unsigned field_count;
    unsigned line_count;
    const char *field[TABLE_FIELDS_MAX];
    char *line[TABLE_LINES_MAX]; // values separated by single zeros, in the order of the fields
};

// Cut a zero-terminated text into a table; lines beyond TABLE_LINES_MAX are left out, and so are incomplete ones. False
// if there is no header.
[[nodiscard]] bool table_parse(struct table *table, char *text);

// The value of a field in a line, from 0; null if there is no such field or line.
const char *table_value(const struct table *table, unsigned line, const char *field);

// The same as a number. False if it is none.
[[nodiscard]] bool table_number(const struct table *table, unsigned line, const char *field, uint64_t *value);

// For tables of any length, line by line: read the header of the text at *text, which then is behind it. False if there
// is none.
[[nodiscard]] bool table_begin(struct table *table, char **text);

// Cut the next line that is complete; it is line 0. False at the end.
[[nodiscard]] bool table_next(struct table *table, char **text);
