// The kernel log: a ring of text, readable as /kern/log, mirrored to the console until boot is done or `quiet` is on the
// command line. Needs the kernel lock, except log_panic.
#pragma once

#include "kernel/console.h"

enum { LOG_SIZE = 32768 };

[[gnu::format(printf, 1, 2)]] void log_print(const char *format, ...); // one line, time stamp in front, newline added
// The same, and to the console in any case: what a person must see.
[[gnu::format(printf, 1, 2)]] void log_alert(const char *format, ...);
void log_alert_line(const char *text, size_t length); // the same for a text as it stands, without a line end
void log_mirror(bool to_console);
// Copy lines, as many whole ones as fit, of which one does at least: from *at on, which is 0 or what this has made of it, or
// the oldest if those are gone. Their length; 0: there are none yet.
size_t log_copy(uint64_t *at, char *text, size_t capacity);
uint64_t log_lines(void), log_lost(void); // ever written; overwritten
// Straight to the console, lock or not; for reports of kernel faults.
[[gnu::format(printf, 1, 2)]] void log_panic(const char *format, ...);
[[gnu::format(printf, 1, 0)]] void log_panic_args(const char *format, va_list args);
