// From text to the tree of syntax.h, one line at a time, so that what stands before an error has already run.
#pragma once

#include "arena.h"
#include "syntax.h"

enum { PARSER_DEPTH_MAX = 64 }; // how deeply commands can be nested

enum parse_result {
    PARSE_LINE,       // *tree is the next line, null for an empty one
    PARSE_END,        // nothing is left
    PARSE_INCOMPLETE, // the text ends inside a command or a quote
    PARSE_ERROR,      // parser->message tells
};

struct parser {
    const char *text; // zero-terminated
    const char *at;
    unsigned line; // of `at`, from 1
    struct arena *arena;
    unsigned depth;
    bool incomplete;
    char message[128]; // empty: no error so far
};

// Begin at the beginning of `text`, which must live as long as the trees; they go into `arena`.
void parser_init(struct parser *parser, const char *text, struct arena *arena);

// Parse the next line, with further lines as long as a command goes on. After PARSE_ERROR or PARSE_INCOMPLETE, nothing
// more can be parsed.
[[nodiscard]] enum parse_result parser_next(struct parser *parser, struct syntax **tree);

// Whether `text` is NAME= and more; *length receives the length of the name.
bool syntax_is_assignment(const char *text, size_t size, size_t *length);

// Where the construct that begins at `at` ends: at a quote, a backslash, a dollar or a backquote the first byte behind
// the whole construct; otherwise the next byte. Null if the text ends inside it.
const char *syntax_skip(const char *at);
