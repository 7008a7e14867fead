// The line editor, fed with keys; a small terminal shows what a person would see.
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "editor.h"

static struct editor editor;
static char screen[256]; // the line with the cursor
static size_t column;

// Play the output on a terminal of one line.
static void play(void) {
    const char *at = editor.output.bytes == nullptr ? "" : editor.output.bytes;
    for (; *at != 0; at++) {
        if (*at == '\r') {
            column = 0;
        } else if (*at == '\n') {
            memset(screen, 0, sizeof screen);
            column = 0;
        } else if (*at == '\x1b') {
            int number = atoi(at + 2);
            at += 2;
            while ((*at >= '0' && *at <= '9') || *at == ';') {
                at++;
            }
            if (*at == 'D') {
                column -= (size_t)number;
            } else if (*at == 'K') {
                memset(screen + column, 0, sizeof screen - column);
            }
        } else if (*at != '\a') {
            screen[column++] = *at;
        }
    }
    text_clear(&editor.output);
}

static enum editor_result type(const char *keys) {
    enum editor_result result = EDITOR_MORE;
    for (; *keys != 0; keys++) {
        result = editor_feed(&editor, *keys);
    }
    play();
    return result;
}

static void begin(void) {
    editor_begin(&editor, "> ");
    play();
}

TestSuite(editor, .init = begin);

#define SHOWS(wanted, at)                                                                                              \
    cr_assert_str_eq(screen, "> " wanted);                                                                             \
    cr_assert_str_eq(editor.line, wanted);                                                                             \
    cr_assert_eq(column, 2 + (at))

Test(editor, types_and_ends) {
    cr_assert_eq(type("hello"), EDITOR_MORE);
    SHOWS("hello", 5);
    cr_assert_eq(type("\r"), EDITOR_LINE);
    cr_assert_str_eq(editor.line, "hello");
}

Test(editor, moves_and_inserts) {
    type("helo\x1b[D\x1b[Dl");
    SHOWS("hello", 3);
    type("\x01>");
    SHOWS(">hello", 1);
    type("\x05<");
    SHOWS(">hello<", 7);
    type("\x1b[H\x1b[3~\x1b[F\x7f");
    SHOWS("hello", 5);
    type("\x1b[1~a\x1b[4~b\x1bOHc\x1bOFd");
    SHOWS("cahellobd", 9);
}

Test(editor, deletes) {
    type("one two three\x17");
    SHOWS("one two ", 8);
    type("\x02\x02\x0b");
    SHOWS("one tw", 6);
    type("\x15");
    SHOWS("", 0);
    type("\x7f\x08\x17\x15\x0b");
    SHOWS("", 0);
}

Test(editor, ends_and_interrupts) {
    type("ab\x02");
    cr_assert_eq(type("\x04"), EDITOR_MORE);
    SHOWS("a", 1);
    cr_assert_eq(type("\x03"), EDITOR_INTERRUPT);
    begin();
    cr_assert_eq(type("\x04"), EDITOR_END);
}

Test(editor, history_goes_back_and_forth) {
    editor_remember(&editor, "first");
    editor_remember(&editor, "second");
    editor_remember(&editor, "second");
    editor_remember(&editor, "");
    begin();
    type("own\x1b[A");
    SHOWS("second", 6);
    type("\x1b[A\x1b[A");
    SHOWS("first", 5);
    type("\x1b[B\x1b[B");
    SHOWS("own", 3);
    type("\x1b[B");
    SHOWS("own", 3);
}

Test(editor, history_is_bounded) {
    for (int i = 0; i < 3 * EDITOR_HISTORY; i++) {
        char line[16];
        snprintf(line, sizeof line, "line %d", i);
        editor_remember(&editor, line);
    }
    cr_assert_eq(editor.history_count, EDITOR_HISTORY);
    begin();
    type("\x10");
    SHOWS("line 299", 8);
}

static void complete(void *, const char *line, size_t cursor, struct editor_completion *completion) {
    if (cursor == 1 && line[0] == 'x') {
        (void)!text_add_string(&completion->insert, "yz ");
    } else {
        (void)!text_add_string(&completion->list, "one\ntwo\n");
    }
}

Test(editor, completes) {
    editor.complete = complete;
    type("x\t");
    SHOWS("xyz ", 4);
    type("\t");
    SHOWS("xyz ", 4);
    type("\t"); // the choices scroll by, and the line is drawn again
    SHOWS("xyz ", 4);
}

Test(editor, knows_characters_of_several_bytes) {
    type("a\xc3\xa4z\x02\x7f");
    cr_assert_str_eq(editor.line, "az");
    cr_assert_eq(editor.cursor, 1);
}

Test(editor, long_lines_scroll) {
    editor.width = 20;
    type("0123456789012345678901234567890");
    cr_assert(column < 20);
    cr_assert(strlen(screen) < 20);
    type("\x01");
    cr_assert_eq(column, 2);
    cr_assert_eq(strncmp(screen, "> 0123456789", 12), 0);
}

Test(editor, a_line_has_a_limit) {
    for (int i = 0; i < EDITOR_LINE_MAX + 100; i++) {
        (void)editor_feed(&editor, 'x');
        text_clear(&editor.output);
    }
    cr_assert_eq(editor.length, EDITOR_LINE_MAX);
}

Test(editor, enter_of_two_bytes_is_one) {
    cr_assert_eq(type("a\r"), EDITOR_LINE);
    begin();
    cr_assert_eq(type("\n"), EDITOR_MORE);
    cr_assert_eq(type("b\n"), EDITOR_LINE);
}

Test(editor, any_keys_keep_it_whole) {
    srand(5);
    editor.complete = complete;
    for (int i = 0; i < 300000; i++) {
        char byte = rand() % 3 ? (char)(rand() % 32) : (char)rand();
        if (rand() % 8 == 0) {
            (void)editor_feed(&editor, '\x1b');
            (void)editor_feed(&editor, '[');
            byte = "ABCDHF34~1"[rand() % 10];
        }
        enum editor_result result = editor_feed(&editor, byte);
        cr_assert(editor.cursor <= editor.length && editor.length <= EDITOR_LINE_MAX);
        cr_assert_eq(editor.line[editor.length], 0);
        text_clear(&editor.output);
        if (result == EDITOR_LINE) {
            editor_remember(&editor, editor.line);
        }
        if (result != EDITOR_MORE) {
            editor_begin(&editor, "> ");
        }
    }
}
