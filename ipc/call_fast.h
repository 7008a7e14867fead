// Steps that the fast paths of calls share, with and without a payload (call_fast.c, call_pay_fast.c).
#pragma once

#include "ipc/call.h"
#include "ipc/channel_impl.h"
#include "kernel/fast.h"

// What call and reply_wait go on to when a payload is passed or there is room for one: with the lock.
fast_path fast_call_pay, fast_reply_pay;

// The handle that self means, if it can do that (HANDLE_*); else null.
[[gnu::always_inline]] static inline const struct handle *
fast_able_handle(struct thread *self, const struct process *process, uint64_t value, uint8_t ability) {
    const struct handle *handle = fast_handle(self, process, value);
    return handle != nullptr && (handle->abilities & ability) != 0 ? handle : nullptr;
}

// ---- the caller ------------------------------------------------------------------------------------------------------

// The connection that a handle names, if calls can be made by it: it is attached to its servers and not finished, and the
// channel not removed. Else null.
[[gnu::always_inline]] static inline struct connection *fast_connection(struct thread *self,
                                                                        const struct process *process, uint64_t value) {
    const struct handle *handle = fast_able_handle(self, process, value, HANDLE_CALL);
    if (handle == nullptr) {
        return nullptr;
    }
    struct connection *connection = connection_of(handle->object);
    return connection->call_epoch == connection->channel->call_epoch ? connection : nullptr;
}

// The server in the spot takes the call that self makes, and its priority with it.
[[gnu::always_inline]] static inline void fast_serve(struct thread *self, struct process *process,
                                                     struct connection *connection, struct thread *server,
                                                     uint8_t priority) {
    struct channel *channel = connection->channel;
    channel->calls.spot = nullptr;
    channel->calls.made++;
    process->calls++;
    FAST_CPU(count[COUNT_FAST_CALL])++;
    connection->object.references++;
    self->park.kind = &call_parked;
    self->park.object = &connection->object;
    self->call.server = server;
    server->call.serving = self;
    server->priority = priority;
}

// ---- the server ------------------------------------------------------------------------------------------------------

// self has replied and stands in the spot.
[[gnu::always_inline]] static inline void fast_replied(struct thread *self, struct process *process,
                                                       struct channel *channel) {
    channel->calls.spot = self;
    channel->calls.replied++;
    process->calls++;
    FAST_CPU(count[COUNT_FAST_REPLY])++;
    self->park.kind = &call_idle;
    self->park.object = &channel->object;
    self->call.serving = nullptr;
}
