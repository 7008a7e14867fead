// The refusals of all calls, by call and error: a long table (tree.h).
#pragma once

#include "base/types.h"

struct node;
struct text;
struct text_columns;

extern const struct text_columns call_stats_columns;
bool call_stats_record(const struct node *node, uint64_t *cursor, struct text *text, unsigned *budget);
