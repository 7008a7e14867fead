// The tool ipc: what its parts share.
#pragma once

#include "base/types.h"
#include "lib/table.h"

struct request {
    const char *path;  // operand of the subcommand, or null
    bool tabs;         // -o tsv
    bool stuck_only;   // -s
    uint64_t count;    // -n; UINT64_MAX: no end
    uint64_t interval; // -t, nanoseconds
};

// A subcommand: 0; an error that has not been told, with *subject what it is about, null if nothing; or positive, a
// failure that has been told.
typedef long (*ipc_command)(const struct request *request, const char **subject);

long ipc_list(const struct request *request, const char **subject);
long ipc_stat(const struct request *request, const char **subject);
long ipc_waits(const struct request *request, const char **subject);
long ipc_holders(const struct request *request, const char **subject);
long ipc_notifiers(const struct request *request, const char **subject);
long ipc_errors(const struct request *request, const char **subject);
long ipc_latency(const struct request *request, const char **subject);
long ipc_top(const struct request *request, const char **subject);

// A file of the kernel, line by line. Zero it before the first use.
struct source {
    struct table table; // its line 0 is the current one
    char *text;         // from malloc
    char *rest;
};

// Load the file; source_next then cuts the first line. 0 or an error; source_end in either case.
[[nodiscard]] long source_begin(struct source *source, const char *path);
[[nodiscard]] bool source_next(struct source *source);
void source_end(struct source *source);

// Of the current line: the value of a field, "-" if it has none; and as a number, 0 if it is none.
const char *source_word(const struct source *source, const char *field);
uint64_t source_number(const struct source *source, const char *field);
