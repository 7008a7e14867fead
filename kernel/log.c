#include "kernel/log.h"

#include "base/format.h"
#include "base/memory.h"
#include "kernel/console.h"
#include "kernel/include/arch.h"

static char ring[LOG_SIZE];
static uint64_t written; // bytes ever; the newest LOG_SIZE of them are in ring
static uint64_t lines, lost;
static bool mirror = true;

static uint64_t line_ends(const char *text, size_t length) {
    uint64_t count = 0;
    for (size_t i = 0; i < length; i++) {
        count += text[i] == '\n';
    }
    return count;
}

static void ring_put(const char *text, size_t length) {
    while (length > 0) {
        size_t at = (size_t)(written % LOG_SIZE);
        size_t piece = length < LOG_SIZE - at ? length : LOG_SIZE - at;
        if (written >= LOG_SIZE) {
            lost += line_ends(ring + at, piece);
        }
        memcpy(ring + at, text, piece);
        written += piece;
        text += piece;
        length -= piece;
    }
}

// The time stamp that a line begins with.
static size_t begin(char line[static CONSOLE_LINE_MAX]) {
    uint64_t now = arch_time_now();
    return format(line, CONSOLE_LINE_MAX, "[%5llu.%06llu] ", (unsigned long long)(now / 1000000000),
                  (unsigned long long)(now / 1000 % 1000000));
}

// A line of that length, or what fits of it, goes where it belongs.
static void finish(bool to_console, char line[static CONSOLE_LINE_MAX], size_t length) {
    if (length > CONSOLE_LINE_MAX - 2) {
        length = CONSOLE_LINE_MAX - 2;
    }
    line[length++] = '\n';
    ring_put(line, length);
    lines++;
    if (to_console) {
        console_line(line, length);
    }
    if (mirror) {
        console_flush(); // no timer comes yet that would see to it
    }
}

static void print(bool to_console, const char *text, va_list args) {
    char line[CONSOLE_LINE_MAX];
    size_t length = begin(line);
    length += vformat(line + length, sizeof line - length, text, args);
    finish(to_console, line, length);
}

void log_print(const char *text, ...) {
    va_list args;
    va_start(args, text);
    print(mirror, text, args);
    va_end(args);
}

void log_alert(const char *text, ...) {
    va_list args;
    va_start(args, text);
    print(true, text, args);
    va_end(args);
}

void log_alert_line(const char *text, size_t length) {
    char line[CONSOLE_LINE_MAX];
    size_t stamp = begin(line);
    size_t room = sizeof line - stamp;
    memcpy(line + stamp, text, length < room ? length : room);
    finish(true, line, stamp + length);
}

void log_mirror(bool to_console) {
    mirror = to_console;
}

size_t log_copy(uint64_t *at, char *text, size_t capacity) {
    uint64_t from = *at;
    if (written > LOG_SIZE && from < written - LOG_SIZE) {
        // Overwritten. What stands first is the rest of a line.
        from = written - LOG_SIZE;
        while (ring[from++ % LOG_SIZE] != '\n') {
        }
    }
    size_t length = capacity < written - from ? capacity : (size_t)(written - from);
    size_t start = (size_t)(from % LOG_SIZE);
    size_t straight = length < LOG_SIZE - start ? length : LOG_SIZE - start;
    memcpy(text, ring + start, straight);
    memcpy(text + straight, ring, length - straight);
    while (length > 0 && text[length - 1] != '\n') {
        length--;
    }
    *at = from + length;
    return length;
}

uint64_t log_lines(void) {
    return lines;
}

uint64_t log_lost(void) {
    return lost;
}

static void straight_out(void *, const char *text, size_t length) {
    console_write_now(text, length);
}

void log_panic_args(const char *text, va_list args) {
    format_to(straight_out, nullptr, text, args);
}

void log_panic(const char *text, ...) {
    va_list args;
    va_start(args, text);
    log_panic_args(text, args);
    va_end(args);
}
