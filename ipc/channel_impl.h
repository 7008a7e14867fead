// What the files of ipc/ share about channels and connections; nobody else looks inside. The states and the races are
// drawn in README.md.
#pragma once

#include "ipc/channel.h"
#include "ipc/queue.h"
#include "kernel/id_tree.h"
#include "kernel/slice.h"
#include "kernel/timer.h"

// Which way a message goes.
enum direction {
    INBOUND,  // from a client to the servers
    OUTBOUND, // from a server to a client
    DIRECTIONS
};

struct channel {
    struct object object; // its handles are the servers'
    struct id_node node;  // in the registry; node.id is the channel's

    // What a connection must have to call: never the same again after a loss of servers or a removal, and no other
    // channel's. It and the next are neighbours for the fast paths.
    uint64_t call_epoch;
    struct {
        struct thread *spot; // a server that waits for a call: the last that came, if the spot was free; or call_crowd
                             // while there is a caller on turn
        uint64_t made, replied, lost;
        struct list turn;                       // callers that wait for a server, longest ago first
        struct list idle, listening;            // other servers that wait; listening: and for messages (CALL_MESSAGES)
        struct list lost_callers, lost_servers; // to be told that it is over
        struct list sought_servers;             // were listening; to be told that recv has something
        uint32_t in_turn;                       // callers on turn and lost_callers
    } calls;

    uint64_t created;
    uint32_t owner_pid, mode, depth, message_max, flags;
    bool removed;
    bool drained;    // nobody can ever receive again: inbound is discarded, hang-ups are dropped
    bool destroying; // no reference is left: freed when the sweep is done
    bool sweeping;   // the sweep is queued or running

    // Counts the times that the last server left. A connection of an earlier epoch has lost its peer: so all of them
    // lose it at once, whenever the sweep comes to tell them.
    uint64_t epoch;

    // call_epoch while sends and receives by connections of that epoch concern nobody but those who make them: no list of
    // those who are to hear of messages or of room has anybody on it, no hang-up is queued. Else 0. Set to 0 by who comes,
    // and only reconsidered by the next message of the general path (channel_settle).
    uint64_t fast_epoch;

    struct queue inbound;
    struct book answers; // what servers sent to all clients there ever were; of inbound messages the queue is the book
    struct latency latency; // of both directions

    struct id_tree connections; // all whose hang-up the servers have not received
    uint32_t open;              // of those: not hung up
    uint32_t full;              // of those: attached, and the queue to the client is full

    // Every open connection is on quiet or untold. The sweep tells the waiters of those on untold what has changed.
    struct list quiet, untold;
    struct list hang_ups; // connections, finished or hung up, whose hang-up is to be received, in order; references

    // Room in the inbound queue (room.c).
    struct list starved; // connections that somebody found not writable, longest ago first
    uint32_t invited;    // waiters woken for room that have not sent since
    uint64_t round;      // of invitations; those of former rounds are over
    uint64_t lapses;     // when those of this round are over; while there are any
    struct timer_entry lapse;

    struct slice sweep;
    void (*removal)(void *context);
    void *removal_context;
    char path[PATH_LEN_MAX + 1];
};

struct connection {
    struct object object;    // its handles are the client's
    struct id_node node;     // in channel->connections while channel is not null
    struct channel *channel; // referenced until hung up; null when the servers have received the hang-up, or never will
    uint64_t call_epoch;     // no channel's once it is finished
    uint64_t epoch, opened;
    uint64_t channel_id; // stays when the channel does not
    uint32_t client_pid;
    bool hung_up;
    bool finished;  // the client sends nothing more; its hang-up is queued, received, or was not owed
    bool dying;     // no reference is left: freed when the release is done
    bool releasing; // the release of the queue's memory is queued
    uint64_t after; // finished or hung up: the last inbound sequence before it
    struct queue outbound;
    struct book sent;    // by this client; of messages to it the queue is the book
    struct pages *rings; // of a mapped channel: what client and server map; referenced to the connection's end
    struct list told;    // in channel->quiet or untold
    struct list starved; // in channel->starved or alone
    uint32_t invited;    // of channel->invited, if round is the channel's
    uint64_t round;
    struct list hang_up; // in channel->hang_ups or alone
    struct slice release;
};

static inline struct connection *connection_of(struct object *object) {
    return (struct connection *)object;
}

// Whether messages can still go both ways: not hung up, and the servers of its time are not gone.
static inline bool connection_attached(const struct connection *connection) {
    return !connection->hung_up && connection->epoch == connection->channel->epoch;
}

// Whether somebody serves.
static inline bool channel_served(const struct channel *channel) {
    return channel->object.handles > 0;
}

// Whether its connections have rings in shared memory.
static inline bool channel_mapped(const struct channel *channel) {
    return (channel->flags & CHANNEL_MAPPED) != 0;
}

// Tell the watchers of a channel or connection. pid is who caused it.
static inline void channel_raise(struct object *object, uint32_t kind, uint32_t pid, uint64_t value) {
    watch_raise(&object->watched, &(struct event){.kind = kind, .pid = pid, .value = value});
}

// The next thing a server receives: a hang-up, if every message that came before it has been received.
struct connection *channel_hang_up_due(const struct channel *channel);
// The servers have received a queued hang-up, or never will: a connection that is hung up leaves the channel. May free
// it.
void channel_forget(struct channel *channel, struct connection *connection);
// The client sends nothing more; idempotent.
void connection_finish(struct connection *connection);
// A little of the sweep now, the rest in slices. May free a channel that is being destroyed.
void channel_sweep(struct channel *channel);

// Room in the inbound queue of a channel (room.c).
void room_init(struct channel *channel);
void room_await(struct connection *connection);        // somebody found it not writable
void room_taken(struct connection *connection);        // it has sent
void room_leave(struct connection *connection);        // it will not send: others may
void room_forget_invitations(struct channel *channel); // whoever has them is told otherwise, or their time is over
// Tell those in line as far as there is room; a unit of *budget for each connection. True: no more to tell now.
[[nodiscard]] bool room_tell(struct channel *channel, unsigned *budget);
uint64_t channel_next_call_epoch(void);
// Somebody came who is to hear of messages or room; and whether that is over.
static inline void channel_unsettle(struct channel *channel) {
    channel->fast_epoch = 0;
}
void channel_settle(struct channel *channel);
struct channel *channel_find(uint64_t id);               // null: it is no more
bool channel_has_message(const struct channel *channel); // a message or a hang-up that recv would give

// Books (books.c). A queue keeps its own; these enter the others. A rejected answer may have no connection: null.
void books_sent(struct connection *connection, struct channel *channel, enum direction direction, uint32_t length);
void books_received(struct connection *connection, struct channel *channel, enum direction direction, uint32_t length,
                    uint64_t sent_at);
void books_discarded(struct channel *channel, enum direction direction, uint32_t number);
void books_rejected(struct connection *connection, struct channel *channel, enum direction direction);
struct message_counts book_counts(const struct book *book);
struct message_counts queue_counts(const struct queue *queue);
extern struct ipc_totals books_totals; // but for these:
// One thing, so that a fast path finds all of it by one address.
extern struct system_books {
    struct book messages; // but for what fast paths sent
    struct latency latency;
} books_system;
