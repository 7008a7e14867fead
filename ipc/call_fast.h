// Steps that the fast paths of calls share, with and without a payload (call_fast.c, call_pay_fast.c).
#pragma once

#include "ipc/call.h"
#include "ipc/channel_impl.h"
#include "kernel/fast.h"

// What call and reply_wait go on to when a payload is passed or there is room for one: with the lock, if there is one.
fast_path FAST_PATH(call_pay), FAST_PATH(reply_pay);

// ---- the caller ------------------------------------------------------------------------------------------------------

// The connection that a handle names, and an idle server that takes a call made by it: so it is attached to its servers and
// not finished, and the channel not removed. Else null.
[[gnu::always_inline]] static inline struct connection *
fast_connection(struct thread *self, const struct process *process, uint64_t value, struct thread **server) {
    struct object *object = fast_object(self, process, value, HANDLE_CALL);
    if (FAST_RARE(object == nullptr)) {
        return nullptr;
    }
    struct connection *connection = connection_of(object);
    struct channel *channel = connection->channel;
    uint64_t epoch = channel->call_epoch;
    *server = channel->calls.spot;
    return FAST_RARE(connection->call_epoch != epoch) || FAST_RARE(*server == nullptr) ? nullptr : connection;
}

// The server in the spot, which is as urgent as self, takes the call that self makes.
[[gnu::always_inline]] static inline void fast_serve(struct thread *self, struct connection *connection,
                                                     struct thread *server) {
    struct channel *channel = connection->channel;
    channel->calls.spot = nullptr;
    channel->calls.made++;
    FAST_CPU(count[COUNT_FAST_CALL])++;
    connection->object.references++;
    self->park.kind = &call_parked;
    self->park.object = &connection->object;
    self->call.server = server;
    server->call.serving = self;
}

// ---- the server ------------------------------------------------------------------------------------------------------

// self has replied and stands in the spot.
[[gnu::always_inline]] static inline void fast_replied(struct thread *self, struct channel *channel) {
    channel->calls.spot = self;
    channel->calls.replied++;
    FAST_CPU(count[COUNT_FAST_REPLY])++;
    self->park.kind = &call_idle;
    self->park.object = &channel->object;
    self->call.serving = nullptr;
}
