// Notifiers on top of their calls.
#include "lib/notify.h"

#include "base/str.h"
#include "isthmus/calls.h"
#include "lib/file.h"
#include "lib/wait.h"

long notify_create(uint32_t depth) {
    return sys_notifier_create(depth);
}

long notify_signal(handle_t notifier, uint64_t bits) {
    return sys_signal(notifier, bits);
}

long notify_take(handle_t notifier, uint64_t mask, uint64_t deadline, uint64_t *bits) {
    return sys_take(notifier, mask, deadline, bits);
}

long notify_watch(handle_t notifier, handle_t object, const struct abi_watch_spec *spec, uint64_t *id) {
    return sys_watch(notifier, object, spec, id);
}

long notify_watch_path(handle_t notifier, const char *path, const struct abi_watch_spec *spec) {
    long node = file_open(path, OPEN_READ, 0);
    if (node < 0) {
        return node;
    }
    long status = notify_watch(notifier, (handle_t)node, spec, nullptr);
    if (status < 0) {
        file_close((handle_t)node);
        return status;
    }
    return node;
}

long notify_unwatch(handle_t notifier, uint64_t id) {
    return sys_unwatch(notifier, id);
}

long notify_read(handle_t notifier, struct abi_event_record *records, unsigned capacity, uint64_t deadline) {
    for (unsigned round = 0;; round++) {
        long length = sys_read(notifier, records, capacity * sizeof *records, OFFSET_CURRENT);
        if (length != ERR_EMPTY) {
            return length < 0 ? length : length / (long)sizeof *records;
        }
        if (round > 0) {
            return 0; // it was readable, and not for a record
        }
        long status = wait_for(notifier, EVENT_READABLE, deadline);
        if (status < 0) {
            return status;
        }
    }
}

static const struct {
    const char *name;
    uint32_t event;
} names[] = {
    {"readable", EVENT_READABLE},   {"writable", EVENT_WRITABLE}, {"peer_lost", EVENT_PEER_LOST},
    {"exited", EVENT_EXITED},       {"removed", EVENT_REMOVED},   {"opened", EVENT_OPENED},
    {"closed", EVENT_CLOSED},       {"created", EVENT_CREATED},   {"deleted", EVENT_DELETED},
    {"attribute", EVENT_ATTRIBUTE}, {"overflow", EVENT_OVERFLOW},
};
enum { NAMES = sizeof names / sizeof names[0] };

const char *notify_event_name(uint32_t event) {
    for (size_t i = 0; i < NAMES; i++) {
        if (names[i].event == event) {
            return names[i].name;
        }
    }
    return "-";
}

// The event that the first `length` bytes name; 0 if none.
static uint32_t event_named(const char *name, size_t length) {
    if (length == 3 && strncmp(name, "all", 3) == 0) {
        return NOTIFY_EVENTS_ALL;
    }
    for (size_t i = 0; i < NAMES; i++) {
        if (strlen(names[i].name) == length && strncmp(names[i].name, name, length) == 0) {
            return names[i].event & NOTIFY_EVENTS_ALL;
        }
    }
    return 0;
}

bool notify_parse_events(const char *text, uint32_t *events) {
    uint32_t found = 0;
    for (;;) {
        size_t length = 0;
        while (text[length] != 0 && text[length] != ',') {
            length++;
        }
        uint32_t event = event_named(text, length);
        if (event == 0) {
            return false;
        }
        found |= event;
        if (text[length] == 0) {
            *events = found;
            return true;
        }
        text += length + 1;
    }
}
