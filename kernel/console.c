#include "kernel/console.h"

#include "base/str.h"
#include "kernel/include/arch.h"
#include "kernel/panic.h"
#include "kernel/wait.h"

static struct object source;
static char input[CONSOLE_INPUT_MAX];
static uint64_t head, tail; // bytes ever taken out and put in
static struct console_stats stats;

static void source_destroy(struct object *) {
    panic("the console was released");
}

static uint32_t source_events(const struct object *) {
    return EVENT_WRITABLE | (tail != head ? EVENT_READABLE : 0);
}

static void source_describe(const struct object *, char *text, size_t capacity) {
    str_copy(text, capacity, "input");
}

static const struct object_ops source_ops = {
    .kind = OBJECT_FILE,
    .name = "console",
    .destroy = source_destroy,
    .events = source_events,
    .describe = source_describe,
};

void console_init(void) {
    object_init(&source, &source_ops);
    head = tail = 0;
    stats = (struct console_stats){};
}

void console_receive(void) {
    // Bounded: a line that never falls silent is served again by its next interrupt.
    for (unsigned i = 0; i < CONSOLE_INPUT_MAX; i++) {
        int byte = arch_console_read();
        if (byte < 0) {
            break;
        }
        stats.received++;
        if (tail - head == CONSOLE_INPUT_MAX) {
            stats.dropped++;
        } else {
            input[tail++ % CONSOLE_INPUT_MAX] = (char)byte;
        }
    }
    if (tail != head) {
        object_notify(&source, EVENT_READABLE);
        watch_raise(&source.watched, &(struct event){.kind = EVENT_READABLE, .value = tail - head});
    }
}

size_t console_take(char *text, size_t capacity) {
    size_t length = 0;
    while (length < capacity && head != tail) {
        text[length++] = input[head++ % CONSOLE_INPUT_MAX];
    }
    stats.read += length;
    return length;
}

void console_put(const char *text, size_t length) {
    arch_console_write(text, length);
    stats.written += length;
}

struct object *console_source(void) {
    return &source;
}

struct console_stats console_get_stats(void) {
    stats.queued = tail - head;
    return stats;
}
