// Line editing as a machine that eats bytes from a terminal and says what to send back. It does no input or output, so
// it can be tested anywhere.
//
// Left Right Home End ^B ^F ^A ^E move; Backspace Delete ^D ^W ^U ^K delete (a word, all before, all behind the
// cursor); Up Down ^P ^N go through the history; Tab completes; ^L clears the screen; ^C gives the line up; ^D on an
// empty line ends the input; Enter is Enter.
#pragma once

#include "base/types.h"
#include "lib/text.h"

enum { EDITOR_LINE_MAX = 4000, EDITOR_HISTORY = 100 };

enum editor_result {
    EDITOR_MORE,      // the line is not finished
    EDITOR_LINE,      // it is in editor->line
    EDITOR_END,       // ^D
    EDITOR_INTERRUPT, // ^C
};

// What can stand at the cursor: `insert` replaces nothing, it is added; `list` shows the choices if there is no more to
// add, one per line. Both are filled in by the editor's `complete`.
struct editor_completion {
    struct text insert;
    struct text list;
};

struct editor {
    struct text output; // to be sent to the terminal; the caller clears it
    char line[EDITOR_LINE_MAX + 1];
    size_t length;
    size_t cursor; // in bytes
    const char *prompt;
    unsigned width; // of the terminal in characters
    uint8_t escape; // how far into an escape sequence
    char escape_number;
    bool last_was_return;
    bool last_was_tab;
    char *history[EDITOR_HISTORY]; // from the oldest
    unsigned history_count;
    unsigned history_at; // history_count: the line itself
    char *kept;          // the line itself while the history is shown
    void (*complete)(void *context, const char *line, size_t cursor, struct editor_completion *completion);
    void *context;
};

// Begin a new line; the prompt must last as long as the line does.
void editor_begin(struct editor *editor, const char *prompt);

// Show prompt and line anew, as after other output.
void editor_redraw(struct editor *editor);

enum editor_result editor_feed(struct editor *editor, char byte);

// Put a line into the history, unless it is empty or the last one again.
void editor_remember(struct editor *editor, const char *line);
