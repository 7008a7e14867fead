#include "prepare.h"

#include "base/memory.h"
#include "base/str.h"
#include "isthmus/calls.h"
#include "lib/channel.h"
#include "lib/file.h"
#include "lib/mapped.h"
#include "lib/notify.h"
#include "lib/self.h"

static _Alignas(PAGE_SIZE) char buffer[PAGE_SIZE];

void prepare_words(struct prepared *prepared) {
    *prepared = (struct prepared){};
    memset(buffer, 'i', sizeof buffer); // so that no page of it is touched for the first time in a loop
    prepared->words[WORD_BUFFER] = (uintptr_t)buffer;
}

// Keep a handle that was made, to be closed later: the handle, or the error.
static long own(struct prepared *prepared, long handle) {
    if (handle > 0) {
        prepared->owned[prepared->owned_count++] = (handle_t)handle;
    }
    return handle;
}

static long make_notifier(struct prepared *prepared, unsigned word) {
    long notifier = own(prepared, notify_create(0));
    prepared->words[word] = (uint64_t)notifier;
    return notifier;
}

static long one_notifier(struct prepared *prepared) {
    return make_notifier(prepared, WORD_H0);
}

// A notifier for each way. The partner has the same two in the same order.
static long two_notifiers(struct prepared *prepared) {
    long first = make_notifier(prepared, WORD_H0);
    long second = make_notifier(prepared, WORD_H1);
    prepared->partner[0] = (handle_t)first;
    prepared->partner[1] = (handle_t)second;
    return first < 0 ? first : second;
}

// A channel without a name, and a connection to it.
static long queue(struct prepared *prepared) {
    long server = own(prepared, sys_channel_create(0, "", 0, nullptr));
    if (server < 0) {
        return server;
    }
    long connection = own(prepared, sys_connect((handle_t)server, RIGHT_READ | RIGHT_WRITE));
    prepared->words[WORD_H0] = (uint64_t)connection;
    prepared->words[WORD_H1] = (uint64_t)server;
    return connection;
}

// A mapped channel, and both ends of a connection to it.
static long ring(struct prepared *prepared) {
    static const char path[] = "/tmp/bench-ring";
    static struct mapped client;
    static struct mapped_server server;
    static struct mapped_client *from;
    struct abi_channel_config config = {.flags = CHANNEL_MAPPED | CHANNEL_TEMPORARY};
    client = (struct mapped){};
    long channel = own(prepared, channel_serve(path, &config));
    if (channel < 0) {
        return channel;
    }
    server = (struct mapped_server){.channel = (handle_t)channel};
    long status = mapped_connect(&client, path, FOREVER);
    status = status < 0 ? status : mapped_send(&client, buffer, 1, 0, FOREVER);
    status = status < 0 ? status : mapped_serve(&server, &from, buffer, MESSAGE_MAX, nullptr, FOREVER);
    if (status >= 0) {
        prepared->words[WORD_T0] = (uintptr_t)&client;
        prepared->words[WORD_T1] = (uintptr_t)&from->mapped;
    }
    return status;
}

// The partner serves a channel without a name, the client has a connection to it.
static long service(struct prepared *prepared) {
    long server = own(prepared, sys_channel_create(0, "", 0, nullptr));
    if (server < 0) {
        return server;
    }
    long connection = own(prepared, sys_connect((handle_t)server, RIGHT_CALL));
    prepared->words[WORD_H0] = (uint64_t)connection;
    prepared->partner[0] = (handle_t)server;
    prepared->partner[1] = (handle_t)server;
    return connection;
}

// A file of one line of numbers, found by its absolute path.
static long statistics(struct prepared *prepared) {
    static const char path[] = "/kern/sched/stats/lock";
    prepared->words[WORD_H0] = self_root();
    prepared->words[WORD_PATH] = (uintptr_t)path;
    prepared->words[WORD_PATH_LEN] = sizeof path - 1;
    return 0;
}

// A file whose changes set bit 0 of a notifier and leave a record in it.
static long watched_file(struct prepared *prepared, const char *path, handle_t *file, handle_t *notifier) {
    struct abi_watch_spec spec = {.bits = 1, .events = EVENT_READABLE};
    long made = own(prepared, file_open(path, OPEN_READ | OPEN_WRITE | OPEN_CREATE, 0644));
    if (made < 0) {
        return made;
    }
    long told = own(prepared, notify_create(0));
    if (told < 0) {
        return told;
    }
    *file = (handle_t)made;
    *notifier = (handle_t)told;
    return notify_watch(*notifier, *file, &spec, nullptr);
}

// Each side writes to a file that the other watches.
static long event(struct prepared *prepared) {
    handle_t client_file;
    handle_t client_notifier;
    handle_t partner_file;
    handle_t partner_notifier;
    long status = watched_file(prepared, "/tmp/bench-client", &client_file, &partner_notifier);
    if (status >= 0) {
        status = watched_file(prepared, "/tmp/bench-partner", &partner_file, &client_notifier);
    }
    if (status >= 0) {
        prepared->words[WORD_H0] = client_file;
        prepared->words[WORD_H1] = client_notifier;
        prepared->partner[0] = partner_file;
        prepared->partner[1] = partner_notifier;
    }
    return status;
}

// The partner gets two handles in any case.
static long nothing(struct prepared *prepared) {
    prepared->partner[0] = self_root();
    prepared->partner[1] = self_root();
    return 0;
}

static const struct {
    const char *operation;
    long (*make)(struct prepared *prepared);
} makers[] = {
    {"poll", one_notifier}, {"signal", one_notifier}, {"signal-take", two_notifiers}, {"queue", queue},
    {"queue-256", queue},   {"ring", ring},           {"statistics", statistics},     {"event", event},
    {"call", service},      {"call-4", service},      {"call-256", service},
};

long prepare(const char *operation, struct prepared *prepared) {
    prepare_words(prepared);
    for (unsigned i = 0; i < sizeof makers / sizeof *makers; i++) {
        if (str_equal(makers[i].operation, operation)) {
            return makers[i].make(prepared);
        }
    }
    return nothing(prepared);
}

void prepare_undo(struct prepared *prepared) {
    while (prepared->owned_count > 0) {
        file_close(prepared->owned[--prepared->owned_count]);
    }
}
