// Channels on top of channel_create, open, send, recv and wait.
#include "lib/channel.h"

#include "base/str.h"
#include "isthmus/calls.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/path.h"
#include "lib/self.h"
#include "lib/wait.h"

long channel_serve(const char *path, const struct abi_channel_config *config) {
    char whole[PATH_LEN_MAX + 1];
    long status = path_normalise(self_cwd(), path, whole);
    return status < 0 ? status : sys_channel_create(self_root(), whole, strlen(whole), config);
}

enum { CHANGED = 1 }; // the bit by which a watched path tells
static constexpr uint64_t LOOK_AGAIN = 50 * MILLISECOND;

static long open_data(const char *path) {
    struct abi_stat stat;
    long status = file_stat(path, &stat);
    if (status < 0) {
        return status;
    }
    // Anything but a bare channel node is opened as it stands: data files, links to channels, devices.
    char data[PATH_LEN_MAX + 1];
    if (stat.kind != NODE_CHANNEL) {
        status = file_open(path, OPEN_READ | OPEN_WRITE, 0);
        if (status != ERR_IS_DIR) {
            return status;
        }
    }
    status = path_join(path, "data", data);
    return status < 0 ? status : file_open(data, OPEN_READ | OPEN_WRITE, 0);
}

// Until what the path leads to may have changed, or the deadline: false then. What cannot be watched (where as many watch
// as there may be, say) is looked at again after a while.
static bool await_change(handle_t notifier, long watched, uint64_t deadline) {
    if (watched == 0) {
        return sys_take(notifier, CHANGED, deadline, nullptr) == 0;
    }
    uint64_t now = clock_now(), left = deadline > now ? deadline - now : 0;
    clock_sleep(left < LOOK_AGAIN ? left : LOOK_AGAIN);
    return clock_now() < deadline;
}

// Watch first, then look: what appears in between has been signalled.
static long connect_later(handle_t notifier, const char *data, const char *path, uint64_t deadline) {
    long status;
    bool again;
    do {
        uint64_t id;
        long watched = sys_watch_path(notifier, self_root(), data, strlen(data), CHANGED, &id);
        status = open_data(path);
        again = status == ERR_NOT_FOUND && await_change(notifier, watched, deadline);
        if (watched == 0) {
            (void)sys_unwatch(notifier, id);
        }
    } while (again);
    return status;
}

long channel_connect(const char *path, uint64_t deadline) {
    long status = open_data(path);
    if (status != ERR_NOT_FOUND || clock_now() >= deadline) {
        return status;
    }
    // A directory becomes a channel's by what is in it, so it is the path with "/data" that has to lead somewhere.
    char whole[PATH_LEN_MAX + 1], data[PATH_LEN_MAX + 1];
    status = path_normalise(self_cwd(), path, whole);
    if (status >= 0) {
        status = path_join(whole, "data", data);
    }
    if (status < 0) {
        return status;
    }
    long notifier = sys_notifier_create(1);
    if (notifier < 0) {
        return notifier;
    }
    status = connect_later((handle_t)notifier, data, path, deadline);
    (void)sys_close((handle_t)notifier);
    return status;
}

long channel_send(handle_t connection, const void *payload, size_t length, uint64_t id, uint64_t deadline) {
    uint64_t sequence = 0;
    long status;
    do {
        status = sys_send(connection, payload, length, id, 0, &sequence);
    } while (wait_retry(connection, &status, deadline));
    return status < 0 ? status : (long)sequence;
}

long channel_reply(handle_t server, uint64_t connection, const void *payload, size_t length, uint64_t id,
                   unsigned tries) {
    long status = ERR_FULL;
    for (unsigned i = 0; i <= tries && status == ERR_FULL; i++) {
        if (i > 0) {
            (void)sys_yield();
        }
        status = sys_send(server, payload, length, id, connection, nullptr);
    }
    return status;
}

long channel_recv(handle_t handle, struct message *message, uint64_t deadline) {
    uint64_t sender = 0;
    long status;
    do {
        status = sys_recv(handle, message->payload, sizeof message->payload, &sender, &message->id,
                          &message->connection, &message->sequence);
    } while (wait_retry(handle, &status, deadline));
    if (status < 0) {
        return status;
    }
    message->length = (size_t)status;
    message->sender = (uint32_t)sender;
    message->kind = (uint32_t)(sender >> 32);
    return 0;
}

long channel_call(handle_t connection, const void *payload, size_t length, uint64_t id, struct message *answer,
                  uint64_t deadline) {
    long status = channel_send(connection, payload, length, id, deadline);
    do {
        if (status >= 0) {
            status = channel_recv(connection, answer, deadline);
        }
    } while (status >= 0 && answer->id != id);
    return status;
}

long channel_finish(handle_t connection) {
    return sys_finish(connection);
}
