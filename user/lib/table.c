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

bool table_parse(struct table *table, char *text) {
    *table = (struct table){};
    char *header = text;
    unsigned fields = cut_line(header, &text);
    if (fields > TABLE_FIELDS_MAX) {
        fields = TABLE_FIELDS_MAX;
    }
    for (unsigned i = 0; i < fields; i++) {
        table->field[i] = header;
        header += strlen(header) + 1;
    }
    table->field_count = fields;
    while (*text != 0 && table->line_count < TABLE_LINES_MAX) {
        char *line = text;
        if (cut_line(line, &text) >= fields && fields > 0) {
            table->line[table->line_count++] = line;
        }
    }
    return fields > 0;
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
