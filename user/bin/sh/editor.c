// Line editing. After every change the line is drawn anew, except for the most frequent one, a character at the end.
// Lines longer than the terminal is wide scroll sideways.
#include "editor.h"

#include "base/format.h"
#include "base/memory.h"
#include "base/str.h"
#include "lib/memory.h"

enum { CONTROL = 0x40, DELETE = 0x7f, ESCAPE = 0x1b };

// Output that finds no memory is lost; the next redraw puts it right.
static void put(struct editor *editor, const char *text) {
    (void)!text_add_string(&editor->output, text);
}
static void put_bytes(struct editor *editor, const char *text, size_t length) {
    (void)!text_add(&editor->output, text, length);
}

// UTF-8: bytes that continue a character take no room of their own.
static bool continues(char byte) {
    return ((unsigned char)byte & 0xc0) == 0x80;
}

static size_t columns_of(const char *text, size_t length) {
    size_t columns = 0;
    for (size_t i = 0; i < length; i++) {
        columns += !continues(text[i]);
    }
    return columns;
}

static size_t before(const struct editor *editor, size_t at) {
    do {
        at--;
    } while (at > 0 && continues(editor->line[at]));
    return at;
}

static size_t behind(const struct editor *editor, size_t at) {
    do {
        at++;
    } while (at < editor->length && continues(editor->line[at]));
    return at;
}

void editor_redraw(struct editor *editor) {
    size_t prompt = columns_of(editor->prompt, strlen(editor->prompt));
    size_t room = editor->width > prompt + 8 ? editor->width - prompt - 1 : 8;
    size_t start = 0;
    while (columns_of(editor->line + start, editor->cursor - start) > room) {
        start = behind(editor, start);
    }
    size_t end = start;
    while (end < editor->length && columns_of(editor->line + start, behind(editor, end) - start) <= room) {
        end = behind(editor, end);
    }
    put(editor, "\r");
    put(editor, editor->prompt);
    put_bytes(editor, editor->line + start, end - start);
    put(editor, "\x1b[K");
    size_t back = columns_of(editor->line + editor->cursor, end - editor->cursor);
    if (back > 0) {
        char move[24];
        (void)format(move, sizeof move, "\x1b[%luD", (unsigned long)back);
        put(editor, move);
    }
}

void editor_begin(struct editor *editor, const char *prompt) {
    editor->prompt = prompt;
    editor->length = 0;
    editor->cursor = 0;
    editor->line[0] = 0;
    editor->escape = 0;
    editor->last_was_tab = false;
    editor->history_at = editor->history_count;
    if (editor->width == 0) {
        editor->width = 80;
    }
    editor_redraw(editor);
}

static void insert(struct editor *editor, const char *bytes, size_t length) {
    if (length > EDITOR_LINE_MAX - editor->length) {
        put(editor, "\a");
        return;
    }
    memmove(editor->line + editor->cursor + length, editor->line + editor->cursor, editor->length - editor->cursor + 1);
    memcpy(editor->line + editor->cursor, bytes, length);
    editor->length += length;
    editor->cursor += length;
}

static void delete_range(struct editor *editor, size_t from, size_t to) {
    memmove(editor->line + from, editor->line + to, editor->length - to + 1);
    editor->length -= to - from;
    editor->cursor = from;
    editor_redraw(editor);
}

static void move(struct editor *editor, size_t to) {
    editor->cursor = to;
    editor_redraw(editor);
}

static void type(struct editor *editor, char byte) {
    bool at_end = editor->cursor == editor->length;
    insert(editor, &byte, 1);
    size_t columns = columns_of(editor->prompt, strlen(editor->prompt)) + columns_of(editor->line, editor->length);
    if (at_end && columns < editor->width) {
        put_bytes(editor, &byte, 1);
    } else {
        editor_redraw(editor);
    }
}

static void delete_word(struct editor *editor) {
    size_t from = editor->cursor;
    while (from > 0 && editor->line[from - 1] == ' ') {
        from--;
    }
    while (from > 0 && editor->line[from - 1] != ' ') {
        from--;
    }
    delete_range(editor, from, editor->cursor);
}

// ---- history
// ---------------------------------------------------------------------------------------------------------

static char *copy(const char *text) {
    size_t size = strlen(text) + 1;
    char *fresh = malloc(size);
    if (fresh != nullptr) {
        memcpy(fresh, text, size);
    }
    return fresh;
}

void editor_remember(struct editor *editor, const char *line) {
    if (*line == 0 || (editor->history_count > 0 && str_equal(editor->history[editor->history_count - 1], line))) {
        return;
    }
    char *fresh = copy(line);
    if (fresh == nullptr) {
        return;
    }
    if (editor->history_count == EDITOR_HISTORY) {
        free(editor->history[0]);
        memmove(editor->history, editor->history + 1, (EDITOR_HISTORY - 1) * sizeof editor->history[0]);
        editor->history_count--;
    }
    editor->history[editor->history_count++] = fresh;
}

static void show_history(struct editor *editor, unsigned at) {
    if (at > editor->history_count) {
        return;
    }
    if (editor->history_at == editor->history_count) {
        free(editor->kept);
        editor->kept = copy(editor->line);
    }
    const char *line = at == editor->history_count ? editor->kept : editor->history[at];
    editor->history_at = at;
    editor->length = line == nullptr ? 0 : str_copy(editor->line, sizeof editor->line, line);
    if (editor->length > EDITOR_LINE_MAX) {
        editor->length = EDITOR_LINE_MAX;
    }
    editor->line[editor->length] = 0;
    editor->cursor = editor->length;
    editor_redraw(editor);
}

static void show_older(struct editor *editor) {
    if (editor->history_at > 0) {
        show_history(editor, editor->history_at - 1);
    }
}

static void show_newer(struct editor *editor) {
    if (editor->history_at < editor->history_count) {
        show_history(editor, editor->history_at + 1);
    }
}

// ---- completion
// ------------------------------------------------------------------------------------------------------

// Show the choices in columns.
static void show_choices(struct editor *editor, const char *list) {
    size_t widest = 0;
    for (const char *at = list; *at != 0;) {
        size_t length = 0;
        while (at[length] != 0 && at[length] != '\n') {
            length++;
        }
        widest = length > widest ? length : widest;
        at += length + (at[length] == '\n');
    }
    size_t per_line = editor->width / (widest + 2);
    put(editor, "\n");
    for (size_t i = 1; *list != 0; i++) {
        size_t length = 0;
        while (list[length] != 0 && list[length] != '\n') {
            length++;
        }
        put_bytes(editor, list, length);
        list += length + (list[length] == '\n');
        bool last = *list == 0 || per_line == 0 || i % per_line == 0;
        for (size_t pad = length; !last && pad < widest + 2; pad++) {
            put(editor, " ");
        }
        put(editor, last ? "\n" : "");
    }
    editor_redraw(editor);
}

static void complete(struct editor *editor, bool again) {
    if (editor->complete == nullptr) {
        return;
    }
    struct editor_completion completion = {};
    editor->complete(editor->context, editor->line, editor->cursor, &completion);
    if (completion.insert.length > 0) {
        insert(editor, completion.insert.bytes, completion.insert.length);
        editor_redraw(editor);
    } else if (completion.list.length > 0 && again) {
        show_choices(editor, completion.list.bytes);
    } else {
        put(editor, "\a");
    }
    text_free(&completion.insert);
    text_free(&completion.list);
}

// ---- keys
// ------------------------------------------------------------------------------------------------------------

static void move_left(struct editor *editor) {
    if (editor->cursor > 0) {
        move(editor, before(editor, editor->cursor));
    }
}

static void move_right(struct editor *editor) {
    if (editor->cursor < editor->length) {
        move(editor, behind(editor, editor->cursor));
    }
}

static void delete_here(struct editor *editor) {
    if (editor->cursor < editor->length) {
        delete_range(editor, editor->cursor, behind(editor, editor->cursor));
    }
}

static void delete_left(struct editor *editor) {
    if (editor->cursor > 0) {
        delete_range(editor, before(editor, editor->cursor), editor->cursor);
    }
}

// ESC [ A and the like; ESC [ 3 ~ and the like; ESC O H and the like.
static void feed_escape(struct editor *editor, char byte) {
    if (editor->escape == 1) {
        editor->escape = byte == '[' || byte == 'O' ? 2 : 0;
        editor->escape_number = 0;
        return;
    }
    if ((byte >= '0' && byte <= '9') || byte == ';') {
        editor->escape_number = editor->escape_number == 0 ? byte : editor->escape_number;
        return;
    }
    editor->escape = 0;
    char key = byte == '~' ? editor->escape_number : byte;
    switch (key) {
    case 'A':
        show_older(editor);
        break;
    case 'B':
        show_newer(editor);
        break;
    case 'C':
        move_right(editor);
        break;
    case 'D':
        move_left(editor);
        break;
    case 'H':
    case '1':
    case '7':
        move(editor, 0);
        break;
    case 'F':
    case '4':
    case '8':
        move(editor, editor->length);
        break;
    case '3':
        delete_here(editor);
        break;
    default:
        break;
    }
}

static enum editor_result end_line(struct editor *editor, const char *shown, enum editor_result result) {
    if (editor->cursor < editor->length) {
        move(editor, editor->length);
    }
    put(editor, shown);
    return result;
}

static enum editor_result feed_control(struct editor *editor, char byte, bool again) {
    switch (byte + CONTROL) {
    case 'A':
        move(editor, 0);
        break;
    case 'B':
        move_left(editor);
        break;
    case 'C':
        return end_line(editor, "^C\n", EDITOR_INTERRUPT);
    case 'D':
        if (editor->length == 0) {
            return end_line(editor, "\n", EDITOR_END);
        }
        delete_here(editor);
        break;
    case 'E':
        move(editor, editor->length);
        break;
    case 'F':
        move_right(editor);
        break;
    case 'H':
        delete_left(editor);
        break;
    case 'I':
        complete(editor, again);
        editor->last_was_tab = true;
        break;
    case 'J':
    case 'M':
        return end_line(editor, "\n", EDITOR_LINE);
    case 'K':
        delete_range(editor, editor->cursor, editor->length);
        break;
    case 'L':
        put(editor, "\x1b[H\x1b[2J");
        editor_redraw(editor);
        break;
    case 'N':
        show_newer(editor);
        break;
    case 'P':
        show_older(editor);
        break;
    case 'U':
        delete_range(editor, 0, editor->cursor);
        break;
    case 'W':
        delete_word(editor);
        break;
    default:
        break;
    }
    return EDITOR_MORE;
}

enum editor_result editor_feed(struct editor *editor, char byte) {
    bool again = editor->last_was_tab;
    bool second_of_pair = editor->last_was_return && byte == '\n';
    editor->last_was_tab = false;
    editor->last_was_return = byte == '\r';
    if (second_of_pair) { // a terminal that sends both for Enter
        return EDITOR_MORE;
    }
    if (editor->escape > 0) {
        feed_escape(editor, byte);
        return EDITOR_MORE;
    }
    if (byte == ESCAPE) {
        editor->escape = 1;
        return EDITOR_MORE;
    }
    if (byte == DELETE) {
        delete_left(editor);
        return EDITOR_MORE;
    }
    if ((unsigned char)byte < ' ') {
        return feed_control(editor, byte, again);
    }
    type(editor, byte);
    return EDITOR_MORE;
}
