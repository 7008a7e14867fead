// The console of an interactive shell.
#include "terminal.h"

#include "base/memory.h"
#include "complete.h"
#include "editor.h"
#include "isthmus/calls.h"
#include "lib/channel.h"
#include "lib/file.h"
#include "lib/self.h"
#include "lib/wait.h"

enum { INTERRUPT = 3, END = 4, ERASE_LINE = 21, BACKSPACE = 8, DELETE = 127, WIDTH = 80, KILL_STATUS = 2 };

static handle_t console;
static struct editor editor;
static struct text typed; // not yet used by anybody
static size_t typed_start;

// A line being typed for a job in the foreground, and whole lines that did not fit its queue yet.
static struct text cooked;
static struct text pending;
static bool pending_end;

void terminal_init(struct shell *shell, handle_t handle) {
    console = handle;
    editor.width = WIDTH;
    editor.complete = complete_word;
    editor.context = shell;
}

bool terminal_is(handle_t handle) {
    return console != 0 && handle == console;
}
bool terminal_shows(handle_t handle) {
    return console != 0 && (handle == console || handle == self_output());
}
unsigned terminal_width(void) {
    return WIDTH;
}
void terminal_remember(const char *line) {
    editor_remember(&editor, line);
}

static void show(const char *bytes, size_t length) {
    (void)file_write(self_output(), bytes, length);
}

// Fetch whatever has been typed. False if there was nothing.
static bool fetch(void) {
    char buffer[256];
    long length = console == 0 ? 0 : sys_read(console, buffer, sizeof buffer, OFFSET_CURRENT);
    return length > 0 && text_add(&typed, buffer, (size_t)length);
}

// The next typed byte; -1 if there is none.
static int next_byte(void) {
    if (typed_start == typed.length) {
        typed_start = 0;
        text_clear(&typed);
        if (!fetch()) {
            return -1;
        }
    }
    return (unsigned char)typed.bytes[typed_start++];
}

enum terminal_input terminal_read(const char *prompt, struct text *line) {
    editor_begin(&editor, prompt);
    for (;;) {
        show(text_string(&editor.output), editor.output.length);
        text_clear(&editor.output);
        int byte = next_byte();
        if (byte < 0) {
            (void)wait_for(console, EVENT_READABLE, FOREVER);
            continue;
        }
        enum editor_result result = editor_feed(&editor, (char)byte);
        if (result == EDITOR_MORE) {
            continue;
        }
        show(text_string(&editor.output), editor.output.length);
        text_clear(&editor.output);
        text_clear(line);
        (void)!text_add(line, editor.line, editor.length);
        return result == EDITOR_LINE ? TERMINAL_LINE : result == EDITOR_END ? TERMINAL_END : TERMINAL_INTERRUPT;
    }
}

long terminal_feed_open(struct terminal_feed *feed) {
    long reader = sys_channel_create(0, "", 0, nullptr);
    if (reader < 0) {
        return reader;
    }
    long writer = sys_connect((handle_t)reader, RIGHT_WRITE | RIGHT_WATCH);
    if (writer < 0) {
        file_close((handle_t)reader);
        return writer;
    }
    *feed = (struct terminal_feed){.reader = (handle_t)reader, .writer = (handle_t)writer};
    return 0;
}

// Put bytes before everything that is waiting to be used.
static void untype(const char *bytes, size_t length) {
    struct text fresh = {};
    if (text_add(&fresh, bytes, length) &&
        text_add(&fresh, text_string(&typed) + typed_start, typed.length - typed_start)) {
        text_free(&typed);
        typed = fresh;
        typed_start = 0;
    } else {
        text_free(&fresh);
    }
}

void terminal_feed_close(struct terminal_feed *feed) {
    struct text left = {};
    char message[MESSAGE_MAX];
    long length;
    file_close(feed->writer);
    while ((length = sys_read(feed->reader, message, sizeof message, OFFSET_CURRENT)) > 0) {
        (void)!text_add(&left, message, (size_t)length);
    }
    file_close(feed->reader);
    (void)!(text_add(&left, text_string(&pending), pending.length) &&
            text_add(&left, text_string(&cooked), cooked.length));
    untype(text_string(&left), left.length);
    text_free(&left);
    text_clear(&cooked);
    text_clear(&pending);
    pending_end = false;
    *feed = (struct terminal_feed){};
}

// Send what is pending, as far as the queue takes it.
static void send_pending(struct terminal_feed *feed) {
    size_t sent = 0;
    while (feed->writer != 0 && sent < pending.length) {
        size_t piece = pending.length - sent < MESSAGE_MAX ? pending.length - sent : MESSAGE_MAX;
        if (sys_write(feed->writer, pending.bytes + sent, piece, OFFSET_CURRENT) < 0) {
            break;
        }
        sent += piece;
    }
    if (sent > 0) {
        memmove(pending.bytes, pending.bytes + sent, pending.length - sent);
        pending.length -= sent;
    }
    if (pending_end && pending.length == 0) {
        file_close(feed->writer);
        feed->writer = 0;
        pending_end = false;
    }
}

static void erase_typed(void) {
    if (cooked.length == 0) {
        return;
    }
    do {
        cooked.length--;
    } while (cooked.length > 0 && ((unsigned char)cooked.bytes[cooked.length] & 0xc0) == 0x80);
    show("\b \b", 3);
}

// A byte typed for the job in the foreground; echoed here, because the kernel does not.
static void cook(char byte) {
    if (byte == '\r' || byte == '\n') {
        show("\n", 1);
        (void)!(text_add_char(&cooked, '\n') && text_add(&pending, cooked.bytes, cooked.length));
        text_clear(&cooked);
    } else if (byte == DELETE || byte == BACKSPACE) {
        erase_typed();
    } else if (byte == ERASE_LINE) {
        while (cooked.length > 0) {
            erase_typed();
        }
    } else if (byte == END) {
        pending_end = cooked.length == 0;
        (void)!text_add(&pending, text_string(&cooked), cooked.length);
        text_clear(&cooked);
    } else if ((unsigned char)byte >= ' ' || byte == '\t') {
        show(&byte, 1);
        (void)!text_add_char(&cooked, byte);
    }
}

// Look for Ctrl-C among what has been typed and not used; everything typed before it is forgotten.
static bool take_interrupt(void) {
    for (size_t i = typed.length; i > typed_start; i--) {
        if (typed.bytes[i - 1] == INTERRUPT) {
            typed_start = i;
            show("^C\n", 3);
            return true;
        }
    }
    return false;
}

bool terminal_interrupted(void) {
    while (fetch()) {
    }
    return take_interrupt();
}

bool terminal_follow(struct job *job, struct terminal_feed *feed, bool kill) {
    while (!job_ended(job)) {
        if (terminal_interrupted()) {
            if (kill) {
                job_kill(job, KILL_STATUS);
                while (!job_ended(job)) {
                    job_wait(job, 0, 0);
                }
            }
            return true;
        }
        int byte;
        while (feed != nullptr && !pending_end && (byte = next_byte()) >= 0) {
            cook((char)byte);
        }
        if (feed != nullptr) {
            send_pending(feed);
        }
        // A full queue is looked at again when something is typed or the job ends: whoever types faster than a job
        // reads 64 KiB can wait.
        job_wait(job, console, EVENT_READABLE);
    }
    return false;
}

bool terminal_wait(handle_t handle, uint32_t events) {
    struct abi_wait_item items[2] = {{.handle = handle, .events = events},
                                     {.handle = console, .events = EVENT_READABLE}};
    for (;;) {
        uint64_t ready = 0;
        long status = sys_wait(items, console != 0 ? 2 : 1, FOREVER, &ready);
        if (terminal_interrupted()) {
            return true;
        }
        if (status < 0 || (ready & 1)) {
            return false;
        }
    }
}
