#include "kernel/log.h"

#include "base/format.h"
#include "base/memory.h"
#include "kernel/console.h"
#include "kernel/include/arch.h"

enum { LINE_MAX_LENGTH = 320 };

static char ring[LOG_SIZE];
static uint64_t written; // bytes ever; the newest LOG_SIZE of them are in ring
static uint64_t lines, lost;
static bool mirror = true;

static void ring_put(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        char *at = &ring[written % LOG_SIZE];
        if (written >= LOG_SIZE && *at == '\n') {
            lost++;
        }
        *at = text[i];
        written++;
    }
}

static void print(bool to_console, const char *text, va_list args) {
    char line[LINE_MAX_LENGTH];
    uint64_t now = arch_time_now();
    size_t length = format(line, sizeof line, "[%5llu.%06llu] ", (unsigned long long)(now / 1000000000),
                           (unsigned long long)(now / 1000 % 1000000));
    length += vformat(line + length, sizeof line - length, text, args);
    if (length > sizeof line - 2) {
        length = sizeof line - 2;
    }
    line[length++] = '\n';
    ring_put(line, length);
    lines++;
    if (to_console) {
        console_put(line, length);
    }
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

void log_mirror(bool to_console) {
    mirror = to_console;
}

size_t log_copy(char *text, size_t capacity) {
    uint64_t first = written > LOG_SIZE ? written - LOG_SIZE : 0;
    bool cut = first > 0;
    if (written - first > capacity) {
        first = written - capacity;
        cut = true;
    }
    // Begin behind the first line end, unless the text happens to begin right there.
    if (cut && ring[(first + LOG_SIZE - 1) % LOG_SIZE] != '\n') {
        while (first < written && ring[first % LOG_SIZE] != '\n') {
            first++;
        }
        first += first < written ? 1 : 0;
    }
    size_t length = (size_t)(written - first);
    size_t start = (size_t)(first % LOG_SIZE);
    size_t straight = length < LOG_SIZE - start ? length : LOG_SIZE - start;
    memcpy(text, ring + start, straight);
    memcpy(text + straight, ring, length - straight);
    return length;
}

uint64_t log_lines(void) {
    return lines;
}

uint64_t log_lost(void) {
    return lost;
}

static void straight_out(void *, const char *text, size_t length) {
    arch_console_write(text, length);
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
