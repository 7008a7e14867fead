#include "kernel/console.h"

#include "base/memory.h"
#include "base/str.h"
#include "kernel/cpu.h"
#include "kernel/panic.h"
#include "kernel/slice.h"
#include "kernel/wait.h"

enum { RECEIVE_MAX = 128 }; // bytes taken from the line in one go

static struct object source;
static char input[CONSOLE_INPUT_MAX];
static uint64_t head, tail;     // bytes ever taken out and put in
static struct timer_entry more; // there may be more to receive
static struct console_stats stats;

static bool writable(void);

static void source_destroy(struct object *) {
    panic("the console was released");
}

static uint32_t source_events(const struct object *) {
    return (writable() ? EVENT_WRITABLE : 0) | (tail != head ? EVENT_READABLE : 0);
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

// ---- output -----------------------------------------------------------------------------------------------------------

enum {
    OUTPUT_MAX = 16384,
    WRITE_ROOM = 2 * CONSOLE_WRITE_MAX, // each byte may be a line end
    LINE_ROOM = CONSOLE_LINE_MAX + 3,   // one that is to be ended first, and a carriage return
    SEND_MAX = 512,                     // bytes handed over in one go
    PATIENCE = 1000000,                 // polls in vain, where the kernel waits for the line
    PATIENCE_LAST = 30 * PATIENCE,      // at the very end: somebody may be holding the line up
};
// At 115,200 baud a FIFO of 16 bytes is empty after 1.4 ms.
static constexpr uint64_t PAUSE = 500000, PAUSE_STUCK = 50000000; // nanoseconds between looks
static constexpr unsigned LOOKS_MAX = 4000;                       // in vain, before the line counts as stuck

static char output[OUTPUT_MAX];
static uint64_t sent, put_in; // bytes ever handed to the line and put into the queue
static uint64_t lost;
static char last = '\n'; // byte put in
static bool claimed;
static unsigned looks; // in vain, since the line last took anything
static bool stuck;     // until it takes something
static struct timer_entry look;
static struct slice *waiting;
static bool (*waiting_step)(struct slice *slice, unsigned *budget);

static size_t room(void) {
    return OUTPUT_MAX - (size_t)(put_in - sent);
}

static bool writable(void) {
    return !claimed && room() >= WRITE_ROOM;
}

bool console_roomy(void) {
    return stuck || room() >= LINE_ROOM;
}

static void announce(bool was_writable) {
    if (!was_writable && writable()) {
        object_notify(&source, EVENT_WRITABLE);
        watch_raise(&source.watched, &(struct event){.kind = EVENT_WRITABLE, .value = room()});
    }
    if (waiting != nullptr && console_roomy()) {
        struct slice *slice = waiting;
        waiting = nullptr;
        slice_queue(slice, waiting_step);
    }
}

// What is queued up to the end of the buffer.
static size_t stretch(void) {
    size_t queued = (size_t)(put_in - sent);
    size_t at = (size_t)(sent % OUTPUT_MAX);
    return queued < OUTPUT_MAX - at ? queued : OUTPUT_MAX - at;
}

// Hand over what the line takes now: whether that was anything.
static bool send(void) {
    bool was_writable = writable();
    size_t taken = 0;
    while (taken < SEND_MAX && put_in != sent) {
        size_t piece = stretch() < SEND_MAX - taken ? stretch() : SEND_MAX - taken;
        size_t count = arch_console_put(output + sent % OUTPUT_MAX, piece);
        sent += count;
        taken += count;
        if (count < piece) {
            break;
        }
    }
    if (taken > 0) {
        looks = 0;
        stuck = false;
    }
    if (put_in == sent) {
        timer_remove(&look);
    } else if (!timer_pending(&look)) {
        struct cpu *cpu = arch_cpu_current();
        uint64_t when = arch_time_now() + (stuck ? PAUSE_STUCK : PAUSE);
        timer_add(cpu, &look, when);
        cpu_arm(cpu, timer_due(when));
    }
    announce(was_writable);
    return taken > 0;
}

static void look_again(struct timer_entry *) {
    if (!send() && ++looks == LOOKS_MAX) {
        stuck = true;
        announce(writable());
    }
}

// As it stands.
static void put_bytes(const char *text, size_t length) {
    size_t at = (size_t)(put_in % OUTPUT_MAX);
    size_t straight = length < OUTPUT_MAX - at ? length : OUTPUT_MAX - at;
    memcpy(output + at, text, straight);
    memcpy(output, text + straight, length - straight);
    put_in += length;
    last = text[length - 1];
}

static void end_line(void) {
    put_bytes("\r\n", 2);
}

bool console_put(const char *text, size_t length) {
    KASSERT(length > 0 && length <= CONSOLE_WRITE_MAX);
    if (!writable()) {
        return false;
    }
    for (size_t done = 0; done < length;) {
        const char *rest = text + done;
        size_t plain = 0;
        while (done + plain < length && rest[plain] != '\n') {
            plain++;
        }
        if (plain > 0) {
            put_bytes(rest, plain);
        } else {
            end_line();
            plain = 1;
        }
        done += plain;
    }
    stats.written += length;
    send();
    return true;
}

void console_line(const char *text, size_t length) {
    KASSERT(length > 0 && length <= CONSOLE_LINE_MAX && text[length - 1] == '\n');
    if (!console_roomy()) {
        console_flush();
    }
    if (room() < LINE_ROOM) {
        lost += length;
        return;
    }
    if (last != '\n') {
        end_line();
    }
    if (length > 1) {
        put_bytes(text, length - 1);
    }
    end_line();
    send();
}

void console_await(struct slice *slice, bool (*step)(struct slice *slice, unsigned *budget)) {
    KASSERT(waiting == nullptr && !console_roomy());
    waiting = slice;
    waiting_step = step;
}

void console_claim(bool claim) {
    bool was_writable = writable();
    claimed = claim;
    announce(was_writable);
}

// Wait for the line until it has taken all of them, or nothing for so many polls: how many it took.
static size_t push(const char *text, size_t length, unsigned patience) {
    size_t taken = 0;
    for (unsigned polls = 0; taken < length; polls++) {
        size_t count = arch_console_put(text + taken, length - taken);
        if (count > 0) {
            stuck = false;
            polls = 0;
        } else if (stuck || polls == patience) {
            stuck = true;
            break;
        } else {
            arch_cpu_relax();
        }
        taken += count;
    }
    return taken;
}

// What is queued now. What the line does not take is lost.
static void push_all(unsigned patience) {
    uint64_t end = put_in;
    while (sent < end) {
        size_t piece = stretch();
        size_t taken = push(output + sent % OUTPUT_MAX, piece, patience);
        sent += taken;
        if (taken < piece) {
            lost += end - sent;
            sent = end;
        }
    }
}

void console_flush(void) {
    bool was_writable = writable();
    push_all(PATIENCE);
    timer_remove(&look);
    announce(was_writable);
}

void console_finish(void) {
    stuck = false;
    push_all(PATIENCE_LAST);
    for (unsigned polls = 0; !stuck && !arch_console_sent() && polls < PATIENCE_LAST; polls++) {
        arch_cpu_relax();
    }
}

void console_write_now(const char *text, size_t length) {
    while (length > 0) {
        size_t plain = 0;
        while (plain < length && text[plain] != '\n') {
            plain++;
        }
        (void)push(text, plain, PATIENCE);
        if (plain < length) {
            (void)push("\r\n", 2, PATIENCE);
            plain++;
        }
        text += plain;
        length -= plain;
    }
}

// ---- input and the source of both -------------------------------------------------------------------------------------

static void receive_again(struct timer_entry *) {
    console_receive();
}

static void receive_soon(void) {
    if (!timer_pending(&more)) {
        timer_add(arch_cpu_current(), &more, 0);
        cpu_arm(arch_cpu_current(), timer_due(0));
    }
}

void console_init(void) {
    object_init(&source, &source_ops);
    head = tail = 0;
    stats = (struct console_stats){};
    list_init(&look.link);
    look.expired = look_again;
    list_init(&more.link);
    more.expired = receive_again;
}

void console_receive(void) {
    // Bounded. A line that does not fall silent may not interrupt again before it has: a timer goes on with it.
    for (unsigned i = 0;; i++) {
        if (i == RECEIVE_MAX) {
            receive_soon();
            break;
        }
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

struct object *console_source(void) {
    return &source;
}

struct console_stats console_get_stats(void) {
    stats.queued = tail - head;
    stats.sending = put_in - sent;
    stats.lost = lost;
    return stats;
}
