// The refusals of all calls, by call and error, as a table.
#pragma once

struct node;
struct process;
struct text;

void call_stats_snapshot(const struct node *node, const struct process *caller, struct text *text);
