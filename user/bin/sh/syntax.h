// The shell's language as a tree. Words keep their source text with quotes and dollars; expand.h evaluates them when
// the command runs. Everything lies in the arena of the parse and points into the source text.
//
//     line      list ends at a newline or the end of the text
//     list      chain { (";" | "&" | newline) chain }
//     chain     pipeline { ("&&" | "||") pipeline }
//     pipeline  ["!"] command { "|" command }
//     command   { NAME=word } { word | redirection }
//             | ( "{" list "}" | "(" list ")" | if | while | until | for | case ) { redirection }
#pragma once

#include "base/types.h"

struct word {
    const char *text;
    size_t length;
    struct word *next;
};

enum redirection_kind : uint8_t {
    REDIRECT_INPUT,  // <
    REDIRECT_OUTPUT, // >
    REDIRECT_APPEND, // >>
    REDIRECT_COPY,   // >& and <&: the target is a stream's number
};

struct redirection {
    enum redirection_kind kind;
    uint8_t stream; // 0, 1 or 2
    struct word target;
    struct redirection *next;
};

enum syntax_kind : uint8_t {
    SYNTAX_SIMPLE,
    SYNTAX_PIPELINE,
    SYNTAX_AND,
    SYNTAX_OR,
    SYNTAX_LIST,
    SYNTAX_GROUP,    // { list; }
    SYNTAX_SUBSHELL, // ( list )
    SYNTAX_IF,
    SYNTAX_WHILE,
    SYNTAX_UNTIL,
    SYNTAX_FOR,
    SYNTAX_CASE,
};

// One `pattern | pattern) list ;;` of a case.
struct case_branch {
    struct word *patterns;
    struct syntax *body; // may be null
    struct case_branch *next;
};

struct syntax {
    enum syntax_kind kind;
    bool background;     // in a list: followed by &
    bool inverted;       // a pipeline behind !
    bool all_parameters; // for: without `in`
    unsigned line;       // where it begins
    const char *text;    // its source, for subshells and for jobs
    size_t length;
    struct syntax *next; // in a list or a pipeline
    struct redirection *redirections;
    struct word *assignments; // simple
    struct word *words;       // simple: the command; for: what to go through; case: what to compare
    struct word name;         // for: the variable
    struct syntax *first;  // pipeline, list: its members; and, or: the left side; if, while: the condition; group: the
                           // body
    struct syntax *second; // and, or: the right side; if: then; while, for: the body
    struct syntax *third;  // if: else
    struct case_branch *branches;
};
