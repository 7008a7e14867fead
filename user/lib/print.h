// Text output. Standard output is buffered and written out when the buffer is full, at print_flush, before anything
// goes to standard error, before program_exit, and when the program reads lines. Formats are those of base/format.h.
#pragma once

#include <stdarg.h>

#include "base/types.h"

[[gnu::format(printf, 1, 2)]] void print(const char *format, ...);

// Raw bytes, through the same buffer.
void print_bytes(const void *bytes, size_t length);
void print_char(char byte);

// Write out what is buffered. Once the output fails (its reader has gone, say), a program that keeps on printing is
// pointless: it is ended with EXIT_OUTPUT, quietly when the reader has gone and with a message otherwise.
void print_flush(void);

enum { EXIT_OUTPUT = 141 };

// To standard error, at once. Cut at 512 bytes.
[[gnu::format(printf, 1, 2)]] void print_error(const char *format, ...);

// The same after "PROGRAM: ", with a newline behind: the body of error_say.
[[gnu::format(printf, 1, 0)]] void print_error_args(const char *format, va_list args);

// Write out what is buffered and end the program.
[[noreturn]] void program_exit(int status);
