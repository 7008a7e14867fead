#include "kfs/event_file.h"

#include "base/bits.h"
#include "base/format.h"
#include "base/memory.h"
#include "base/str.h"
#include "ipc/channel.h"
#include "ipc/notifier.h"
#include "kernel/panic.h"
#include "kernel/slab.h"

enum { LINE_MAX = 160, LINES_TOGETHER = 4 };

static constexpr uint32_t CHANNEL_EVENTS =
    EVENT_READABLE | EVENT_WRITABLE | EVENT_OPENED | EVENT_CLOSED | EVENT_PEER_LOST | EVENT_REMOVED | EVENT_ATTRIBUTE;

struct event_file {
    struct object object;
    struct channel *channel;   // referenced
    struct notifier *notifier; // referenced
    bool begun;                // the header line has been read
};

static const char header[] = "sequence time_ns event pid value count\n";

// By the number of the event's bit.
static const char *const names[] = {
    "readable", "writable", "peer_lost", "exited",    "removed",  "opened",
    "closed",   "created",  "deleted",   "attribute", "overflow",
};
static_assert(EVENT_OVERFLOW == 1u << (sizeof names / sizeof names[0] - 1), "every event has a name");

const char *event_name(uint32_t event) {
    KASSERT(event != 0 && event <= EVENT_OVERFLOW);
    return names[bits_highest(event)];
}

static struct event_file *event_file_of(const struct object *object) {
    return container_of(object, struct event_file, object);
}

static size_t write_line(const struct abi_event_record *record, char *line) {
    return format(line, LINE_MAX, "%-8llu %-12llu %-9s %-5u %-8llu %u\n", (unsigned long long)record->sequence,
                  (unsigned long long)record->time, event_name(record->event), record->pid,
                  (unsigned long long)record->value, record->count);
}

// Copy out the next line, if there is one and it fits. Returns its length, ERR_EMPTY, ERR_TOO_BIG, or why it failed.
static long read_line(struct event_file *file, user_ptr_t buffer, uint64_t length) {
    char line[LINE_MAX];
    size_t size = sizeof header - 1;
    if (!file->begun) {
        memcpy(line, header, size);
    } else {
        struct abi_event_record record;
        if (!notifier_peek(file->notifier, &record)) {
            return ERR_EMPTY;
        }
        size = write_line(&record, line);
    }
    if (size > length) {
        return ERR_TOO_BIG;
    }
    status_t status = user_copy_out(buffer, line, size);
    if (status < 0) {
        return status;
    }
    if (file->begun) {
        notifier_drop(file->notifier);
    }
    file->begun = true;
    return (long)size;
}

static long event_file_read(struct object *object, struct thread *, user_ptr_t buffer, uint64_t length, uint64_t) {
    struct event_file *file = event_file_of(object);
    uint64_t moved = 0;
    long got = 0;
    for (unsigned i = 0; i < LINES_TOGETHER; i++) {
        got = read_line(file, (user_ptr_t){buffer.va + moved}, length - moved);
        if (got < 0) {
            break;
        }
        moved += (uint64_t)got;
    }
    if (moved > 0) {
        return (long)moved;
    }
    return got == ERR_EMPTY && channel_removed(file->channel) ? 0 : got;
}

// Without a look at the records there is the header to read, or after the channel's removal the end.
static bool is_readable(const struct event_file *file) {
    return !file->begun || channel_removed(file->channel);
}

static uint32_t event_file_events(const struct object *object) {
    KASSERT(is_readable(event_file_of(object)));
    return EVENT_READABLE;
}

// Who has to wait finds the header read and the channel there: then the notifier alone decides. The removal of the
// channel comes by it too.
static struct object *event_file_source(struct object *object) {
    struct event_file *file = event_file_of(object);
    return is_readable(file) ? object : notifier_object(file->notifier);
}

static void event_file_unhandled(struct object *object) {
    notifier_silence(event_file_of(object)->notifier);
}

static void event_file_destroy(struct object *object) {
    struct event_file *file = event_file_of(object);
    object_unref(notifier_object(file->notifier));
    object_unref(channel_object(file->channel));
    slab_free(file, sizeof *file);
}

static void event_file_describe(const struct object *object, char *text, size_t capacity) {
    struct channel_info info;
    channel_get_info(event_file_of(object)->channel, &info);
    format(text, capacity, "events of %llu %s", (unsigned long long)info.id, info.path);
}

static const struct object_ops event_file_ops = {
    .kind = OBJECT_EVENTS,
    .name = "events",
    .destroy = event_file_destroy,
    .unhandled = event_file_unhandled,
    .events = event_file_events,
    .source = event_file_source,
    .read = event_file_read,
    .describe = event_file_describe,
};

status_t event_file_new(struct channel *channel, uint32_t reader_pid, struct object **object) {
    struct notifier *notifier;
    status_t status = notifier_new(NOTIFIER_DEPTH, reader_pid, &notifier);
    if (status < 0) {
        return status;
    }
    const struct abi_watch_spec spec = {.events = CHANNEL_EVENTS};
    struct event_file *new = slab_alloc(sizeof *new);
    uint64_t id;
    status = new == nullptr ? ERR_NO_MEMORY : notifier_watch(notifier, &channel_object(channel)->watched, &spec, &id);
    if (status < 0) {
        slab_free(new, sizeof *new);
        object_unref(notifier_object(notifier));
        return status;
    }
    object_init(&new->object, &event_file_ops);
    object_ref(channel_object(channel));
    new->channel = channel;
    new->notifier = notifier;
    *object = &new->object;
    return 0;
}
