// Statistics files as tables.
#include <criterion/criterion.h>

#include "lib/table.h"

static struct table table;

Test(table, values_are_found_by_name) {
    char text[] = "pid  name   cpu\n1    init   20\n22   a\\x20b 3\n";
    uint64_t value;
    cr_assert(table_parse(&table, text));
    cr_assert_eq(table.field_count, 3);
    cr_assert_eq(table.line_count, 2);
    cr_assert_str_eq(table_value(&table, 0, "name"), "init");
    cr_assert_str_eq(table_value(&table, 1, "name"), "a\\x20b");
    cr_assert(table_number(&table, 1, "pid", &value));
    cr_assert_eq(value, 22);
    cr_assert(!table_number(&table, 1, "name", &value));
    cr_assert_null(table_value(&table, 2, "pid"));
    cr_assert_null(table_value(&table, 0, "nothing"));
}

Test(table, incomplete_lines_are_left_out) {
    char text[] = "a b\n1\n2 3\n\n4 5 6\n7 8";
    cr_assert(table_parse(&table, text));
    cr_assert_eq(table.line_count, 3);
    cr_assert_str_eq(table_value(&table, 1, "b"), "5");
    cr_assert_str_eq(table_value(&table, 2, "b"), "8");
}

Test(table, nothing_is_no_table) {
    char text[] = "";
    cr_assert(!table_parse(&table, text));
    char blank[] = "  \n";
    cr_assert(!table_parse(&table, blank));
}

Test(table, too_many_lines_are_cut) {
    static char text[4 * TABLE_LINES_MAX + 64] = "x\n";
    for (size_t i = 2; i + 2 < sizeof text; i += 2) {
        text[i] = '1';
        text[i + 1] = '\n';
    }
    cr_assert(table_parse(&table, text));
    cr_assert_eq(table.line_count, TABLE_LINES_MAX);
}

Test(table, long_ones_are_read_line_by_line) {
    char text[] = "a b\n1 2\n3\n4 5 6\n7";
    char *rest = text;
    cr_assert(table_begin(&table, &rest));
    cr_assert(!table_value(&table, 0, "a"));
    cr_assert(table_next(&table, &rest));
    cr_assert_str_eq(table_value(&table, 0, "b"), "2");
    cr_assert(table_next(&table, &rest));
    cr_assert_str_eq(table_value(&table, 0, "b"), "5");
    cr_assert(!table_next(&table, &rest));
    cr_assert_null(table_value(&table, 0, "a"));
    char nothing[] = "";
    rest = nothing;
    cr_assert(!table_begin(&table, &rest));
    cr_assert(!table_next(&table, &rest));
}
