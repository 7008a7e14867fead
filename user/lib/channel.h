// Channels: conversations found by path. A server makes the channel and receives what all clients send; a client opens
// it and has a connection of its own. Every function that waits takes a deadline in nanoseconds since boot: 0 tries
// once, FOREVER never gives up. Negative results are errors of the ABI table.
#pragma once

#include "abi/abi.h"
#include "base/types.h"

// One received message.
struct message {
    size_t length;
    uint32_t sender;     // pid, stamped by the kernel
    uint32_t kind;       // MESSAGE_DATA or MESSAGE_HANGUP
    uint64_t id;         // as the sender chose
    uint64_t connection; // for a server: which client; pass it to channel_reply
    uint64_t sequence;   // place in the queue's total order
    char payload[MESSAGE_MAX];
};

// Make a channel at `path` and serve it. config may be null for all defaults. The server's handle.
[[nodiscard]] long channel_serve(const char *path, const struct abi_channel_config *config);

// Connect to the channel at `path` (with or without "/data" behind), waiting for it to appear if it is not there yet: the
// kernel tells when the path may lead to something new, so waiting makes no calls. The connection's handle; ERR_NOT_FOUND
// if nothing appeared by the deadline.
[[nodiscard]] long channel_connect(const char *path, uint64_t deadline);

// Send from a client, waiting while the queue is full. The message's sequence number, or ERR_TIMED_OUT and the others.
[[nodiscard]] long channel_send(handle_t connection, const void *payload, size_t length, uint64_t id,
                                uint64_t deadline);

// Send from a server to one client. A server must not wait for a client that does not read, so while the client's queue
// is full this only yields and tries again, up to `tries` times, then gives ERR_FULL.
[[nodiscard]] long channel_reply(handle_t server, uint64_t connection, const void *payload, size_t length, uint64_t id,
                                 unsigned tries);

// Receive the oldest message, on either side. 0, ERR_TIMED_OUT, ERR_PEER_CLOSED and the others.
[[nodiscard]] long channel_recv(handle_t handle, struct message *message, uint64_t deadline);

// From a client: send one message and receive the answer, the first message with the same id; others are dropped on the
// way. 0, and the errors of channel_send and channel_recv.
[[nodiscard]] long channel_call(handle_t connection, const void *payload, size_t length, uint64_t id,
                                struct message *answer, uint64_t deadline);

// From a client: send nothing more. The servers see it hang up behind its last message and may still answer; it may
// still receive. 0, also when it has finished before.
[[nodiscard]] long channel_finish(handle_t connection);
