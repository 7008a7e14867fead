// The system console: bytes in and out of the port's serial line. Input is raw, kept in a bounded buffer; when it is full
// further bytes are dropped and counted.
//
// Output goes through one queue, in order: what the line takes at once it gets at once, the rest as it takes it, which a
// timer looks at. So nobody waits for the line inside the kernel, and no interrupt of the line is needed. What is handed
// over in one piece stays in one piece. Programs wait for room, however long the line takes nothing; what the kernel has
// to say waits for a while, then it is lost and counted: nobody else's business may hang on the line.
//
// The device file /dev/console is kfs's. Needs the kernel lock but where a line says otherwise.
#pragma once

#include "kernel/object.h"

enum { CONSOLE_INPUT_MAX = 4096, CONSOLE_WRITE_MAX = 256, CONSOLE_LINE_MAX = 320 };

struct console_stats {
    uint64_t received, dropped, read, written; // bytes; written: by programs
    uint64_t queued;                           // of input
    uint64_t sending, lost;                    // bytes of output: in the queue; that the line has not taken
};

struct slice;

void console_init(void);
void console_receive(void);                       // take what the port has; wakes waiters of console_source
size_t console_take(char *text, size_t capacity); // 0: nothing there
struct object *console_source(void); // carries EVENT_READABLE | EVENT_WRITABLE for whoever waits on the console
struct console_stats console_get_stats(void);

// ---- output: "\n" goes out as "\r\n" ----------------------------------------------------------------------------------

// A piece of a program's, of up to CONSOLE_WRITE_MAX bytes; false: not now, EVENT_WRITABLE comes when there is room.
[[nodiscard]] bool console_put(const char *text, size_t length);
// A line of the kernel's, of up to CONSOLE_LINE_MAX bytes with its "\n". It begins a line. Without room (console_roomy) it
// waits for the line itself.
void console_line(const char *text, size_t length);
bool console_roomy(void); // a line finds room, or is lost at once because the line takes nothing
// Queue that slice as soon as console_roomy; one slice at a time.
void console_await(struct slice *slice, bool (*step)(struct slice *slice, unsigned *budget));
// While the kernel writes several lines that belong together, programs wait.
void console_claim(bool claimed);
// Wait until the line has taken all that is queued, unless it takes nothing for long.
void console_flush(void);
// The same, and until it has left the machine: before the power goes. Also without the lock.
void console_finish(void);
// Past the queue, waiting for the line; behind console_finish. Also without the lock.
void console_write_now(const char *text, size_t length);
