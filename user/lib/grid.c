// Tables for people and scripts.
#include "lib/grid.h"

#include "abi/abi.h"
#include "base/format.h"
#include "base/str.h"
#include "lib/memory.h"
#include "lib/print.h"

struct column {
    int width;
    bool words; // not only numbers below its name
};

void grid_add(struct grid *grid, const char *cell) {
    grid->failed = grid->failed || !text_add(&grid->cells, cell, strlen(cell) + 1);
    grid->cell_count++;
}

void grid_add_number(struct grid *grid, uint64_t number) {
    char text[24];
    (void)format(text, sizeof text, "%lu", (unsigned long)number);
    grid_add(grid, text);
}

static bool is_number(const char *cell) {
    while (*cell >= '0' && *cell <= '9') {
        cell++;
    }
    return *cell == 0;
}

static void measure(const struct grid *grid, struct column *columns) {
    const char *cell = text_string(&grid->cells);
    for (size_t i = 0; i < grid->cell_count; i++) {
        struct column *column = &columns[i % grid->columns];
        size_t length = strlen(cell);
        column->width = (int)length > column->width ? (int)length : column->width;
        column->words = column->words || (i >= grid->columns && !is_number(cell));
        cell += length + 1;
    }
}

static void print_cell(const char *cell, const struct column *column, bool last) {
    if (!column->words) {
        print("%*s", column->width, cell);
    } else if (last) {
        print("%s", cell);
    } else {
        print("%-*s", column->width, cell);
    }
}

long grid_print(struct grid *grid, bool tabs) {
    struct column *columns = calloc(grid->columns, sizeof *columns);
    long status = grid->failed || columns == nullptr ? ERR_NO_MEMORY : 0;
    if (status == 0) {
        measure(grid, columns);
        const char *cell = text_string(&grid->cells);
        for (size_t i = 0; i < grid->cell_count; i++) {
            unsigned column = (unsigned)(i % grid->columns);
            bool last = column + 1 == grid->columns;
            if (tabs) {
                print("%s", cell);
            } else {
                print_cell(cell, &columns[column], last);
            }
            print("%s", last ? "\n" : tabs ? "\t" : "  ");
            cell += strlen(cell) + 1;
        }
    }
    free(columns);
    text_clear(&grid->cells);
    grid->cell_count = 0;
    grid->failed = false;
    return status;
}
