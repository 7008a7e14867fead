// The two output streams.
#include "lib/print.h"

#include "abi/abi.h"
#include "base/format.h"
#include "base/memory.h"
#include "isthmus/calls.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/self.h"

static char buffer[1024];
static size_t used;

void print_flush(void) {
    size_t length = used;
    used = 0;
    if (length == 0) {
        return;
    }
    long status = file_write(self_output(), buffer, length);
    if (status < 0) {
        if (status != ERR_PEER_CLOSED) {
            error_report("standard output", status);
        }
        (void)sys_exit(EXIT_OUTPUT);
    }
}

void print_bytes(const void *bytes, size_t length) {
    const char *at = bytes;
    while (length > 0) {
        if (used == sizeof buffer) {
            print_flush();
        }
        size_t piece = sizeof buffer - used;
        if (piece > length) {
            piece = length;
        }
        memcpy(buffer + used, at, piece);
        used += piece;
        at += piece;
        length -= piece;
    }
}

void print_char(char byte) {
    print_bytes(&byte, 1);
}

static void emit(void *context, const char *text, size_t length) {
    (void)context;
    print_bytes(text, length);
}

void print(const char *format, ...) {
    va_list args;
    va_start(args, format);
    (void)format_to(emit, nullptr, format, args);
    va_end(args);
}

static void write_error(const char *text, size_t length, size_t capacity) {
    print_flush();
    (void)file_write(self_error(), text, length < capacity ? length : capacity - 1);
}

void print_error(const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    size_t length = vformat(text, sizeof text, format, args);
    va_end(args);
    write_error(text, length, sizeof text);
}

void print_error_args(const char *form, va_list args) {
    char text[512];
    size_t start = format(text, sizeof text, "%s: ", self_name());
    if (start >= sizeof text / 2) {
        start = 0;
    }
    size_t length = start + vformat(text + start, sizeof text - start - 1, form, args);
    if (length > sizeof text - 2) {
        length = sizeof text - 2;
    }
    text[length++] = '\n';
    write_error(text, length, sizeof text);
}

void program_exit(int status) {
    print_flush();
    (void)sys_exit(status);
    for (;;) {
    }
}
