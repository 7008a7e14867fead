// Statistics files.
#include "lib/table.h"

#include "base/str.h"

// Cut the words of one line apart: blanks become zeros, repeated ones are squeezed out. The number of words; *end is
// the beginning of the next line.
static unsigned cut_line(char *line, char **end) {
    char *to = line;
    unsigned words = 0;
    while (*line != 0 && *line != '\n') {
        while (*line == ' ' || *line == '\t') {
            line++;
        }
        if (*line == 0 || *line == '\n') {
            break;
        }
        if (words++ > 0) {
            *to++ = 0;
        }
        while (*line != 0 && *line != '\n' && *line != ' ' && *line != '\t') {
            *to++ = *line++;
        }
    }
    *end = *line == '\n' ? line + 1 : line;
    *to = 0;
    return words;
}

bool table_begin(struct table *table, char **text) {
    *table = (struct table){};
    char *header = *text;
    unsigned fields = cut_line(header, text);
    if (fields > TABLE_FIELDS_MAX) {
        fields = TABLE_FIELDS_MAX;
    }
    for (unsigned i = 0; i < fields; i++) {
        table->field[i] = header;
        header += strlen(header) + 1;
    }
    table->field_count = fields;
    return fields > 0;
}

// The next complete line; null at the end.
static char *next_line(const struct table *table, char **text) {
    while (**text != 0 && table->field_count > 0) {
        char *line = *text;
        if (cut_line(line, text) >= table->field_count) {
            return line;
        }
    }
    return nullptr;
}

bool table_next(struct table *table, char **text) {
    table->line[0] = next_line(table, text);
    table->line_count = table->line[0] != nullptr;
    return table->line_count > 0;
}

bool table_parse(struct table *table, char *text) {
    bool found = table_begin(table, &text);
    char *line;
    while (table->line_count < TABLE_LINES_MAX && (line = next_line(table, &text)) != nullptr) {
        table->line[table->line_count++] = line;
    }
    return found;
}

const char *table_value(const struct table *table, unsigned line, const char *field) {
    if (line >= table->line_count) {
        return nullptr;
    }
    const char *value = table->line[line];
    for (unsigned i = 0; i < table->field_count; i++) {
        if (str_equal(table->field[i], field)) {
            return value;
        }
        value += strlen(value) + 1;
    }
    return nullptr;
}

bool table_number(const struct table *table, unsigned line, const char *field, uint64_t *value) {
    const char *text = table_value(table, line, field);
    return text != nullptr && str_to_u64(text, value);
}
