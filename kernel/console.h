// The system console: bytes in and out of the port's serial line. Input is raw, kept in a bounded buffer; when it is full
// further bytes are dropped and counted. The device file /dev/console is kfs's. Needs the kernel lock.
#pragma once

#include "kernel/object.h"

enum { CONSOLE_INPUT_MAX = 4096 };

struct console_stats {
    uint64_t received, dropped, read, written; // bytes
    uint64_t queued;
};

void console_init(void);
void console_receive(void);                       // take what the port has; wakes waiters of console_object
size_t console_take(char *text, size_t capacity); // 0: nothing there
void console_put(const char *text, size_t length);
struct object *console_source(void); // carries EVENT_READABLE | EVENT_WRITABLE for whoever waits on the console
struct console_stats console_get_stats(void);
