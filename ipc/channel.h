// A channel: where clients and servers meet (IPC-1, 4, 5). It has one inbound queue, into which all its clients send and
// from which its servers receive: that queue is the channel's one total order, and every message goes to exactly one
// receiver. Each client has a connection, with a queue of its own for what servers send to it.
//
//   client --send--> [ inbound queue of the channel ] --recv--> server
//   client <--recv-- [ queue of the connection      ] <--send-- server (names the connection)
//
// Two kinds of handle: a server's names the channel itself (OBJECT_CHANNEL), a client's names a connection
// (OBJECT_CONNECTION).
//
// Hang-up: when the last handle of a connection closes, what it sent stays queued, what was queued for it is discarded and
// counted, and behind everything it sent the servers receive one MESSAGE_HANGUP for it, which needs no slot (none if at
// that moment nobody serves and nothing of it is queued: no server knows of it). When the last server handle closes,
// every connection of that time has lost its peer for good (recv first hands out what is queued, then ERR_PEER_CLOSED);
// what was queued inbound stays for the next server, unless the channel is temporary: then it is removed. A channel made
// by path without a server (mkchan) is a mailbox: clients may send before anyone serves. A removed channel refuses opens
// and sends; servers may still receive what is queued, and without a server it is discarded.
//
// Events are levels, defined by what they announce: READABLE, recv would not answer ERR_EMPTY; WRITABLE, send would not
// answer ERR_FULL (on a channel: no client's queue is full); PEER_LOST on a connection, its servers are gone, on a
// channel, a hang-up is queued; REMOVED.
//
// References: a channel lives while a server's handle, its node or an open connection refers to it.
//
// Books (IPC-6.4), always true under the lock, per channel and in total over both directions:
//   sent = received + queued + discarded,  and a refused send counts only as rejected.
//
// Mapped (CHANNEL_MAPPED): a connection also has a memory object with a ring for each direction (struct abi_ring_pair),
// which its client maps through the connection and its server through what attach gives. The kernel owns it and never
// reads it but to show the indices, of which it believes nothing. Its doorbell is the queue: whoever waits for the ring
// waits for a message there, and so wakes at the peer's end too.
//
// Needs the kernel lock.
#pragma once

#include "ipc/latency.h"
#include "ipc/ring.h"
#include "kernel/object.h"

struct process;

struct message_counts {
    uint64_t sent, received, queued, discarded, rejected; // messages
    uint64_t bytes_sent, bytes_received;
    uint64_t high_water; // most ever queued at once
};

// How they are kept. What is not here follows: queued = high_water - below_high, received = sent - queued - discarded. So
// a fast path has little to enter.
struct book {
    uint64_t sent, bytes_sent, below_high, bytes_received; // in the order in which fast paths take them by pairs
    uint64_t high_water, discarded, rejected;
};

struct channel; // complete in channel.c's reach: channel_impl.h
struct connection;

extern const struct object_ops channel_ops, connection_ops;

// Make a channel with no server. The caller gets one reference. owner is for show. ERR_INVALID, ERR_NO_MEMORY.
[[nodiscard]] status_t channel_new(const struct abi_channel_config *config, uint32_t owner_pid,
                                   struct channel **channel);
struct object *channel_object(struct channel *channel);
struct channel *channel_of(struct object *object); // of an OBJECT_CHANNEL
// Make a connection; one reference for the caller, who makes a handle of it. ERR_REMOVED, ERR_NO_MEMORY.
[[nodiscard]] status_t channel_connect(struct channel *channel, uint32_t client_pid, struct object **connection);
bool channel_removed(const struct channel *channel); // who would serve it: ERR_REMOVED
void channel_remove(struct channel *channel);        // its node is gone, or it is temporary and lost its server
// Called once when a temporary channel loses its last server, so that the namespace can take the node away (set by kfs;
// null takes it back). That can be whenever a handle closes.
void channel_set_removal(struct channel *channel, void (*removal)(void *context), void *context);

// For people: the path it was created at ("" if it has none), set by kfs; copied, truncated to PATH_LEN_MAX.
void channel_set_path(struct channel *channel, const char *path);
void channel_set_mode(struct channel *channel, uint32_t mode); // likewise, the mode of its node

struct channel_info {
    uint64_t id, created;
    uint32_t owner_pid, mode;
    uint32_t depth, message_max, flags;
    uint32_t servers, connections; // handles serving; connections alive
    bool removed;
    struct message_counts inbound, outbound; // outbound: sum over all connections there ever were
    struct {
        uint64_t made, replied, lost;
        uint32_t waiting; // for their turn; made - replied - lost - waiting are being served
    } calls;
    const char *path;
};

// How long its messages took, both directions. Stays where it is while the channel does.
const struct latency *channel_latency(const struct channel *channel);
void channel_get_info(const struct channel *channel, struct channel_info *info);
// The registry (IPC-4.2): the channel with the next higher id, or null: a resumable listing. Not a new reference.
struct channel *channel_after(uint64_t id);
// Connections of a channel, likewise by id.
struct connection *connection_after(struct channel *channel, uint64_t id);
// What a ring in shared memory says of itself.
struct ring_counts {
    uint64_t sent, received;
    uint64_t queued; // sent - received, one looked at after the other; beyond all bounds: a side writes nonsense
};
struct connection_info {
    uint64_t id, opened;
    uint32_t client_pid;
    bool hung_up, peer_lost;
    struct message_counts inbound, outbound; // from this client; to this client
    bool mapped;
    struct ring_counts ring_in, ring_out; // likewise
};
void connection_get_info(const struct connection *connection, struct connection_info *info);

// The memory that a connection shares with its servers; null if the channel is not mapped or knows no such connection.
struct pages *channel_rings(struct channel *channel, uint64_t connection);

struct ipc_totals {
    struct message_counts messages; // both directions, all channels there ever were
    uint64_t channels_active, channels_created, channels_destroyed;
    uint64_t connections_active, connections_created, connections_destroyed;
    struct latency latency;
};
void ipc_get_totals(struct ipc_totals *totals);
