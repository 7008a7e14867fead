#include "ipc/call.h"

#include "abi/calls.h"
#include "base/memory.h"
#include "ipc/channel_impl.h"
#include "kernel/cpu.h"
#include "kernel/panic.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/slab.h"
#include "kernel/syscall.h"
#include "kernel/thread.h"
#include "kernel/wait.h"

enum { TELL_UNITS = 5 }; // of a slice's budget: a thread wakes
enum { SERVERS_TRIED = 4, LENGTH_BITS = 12, LENGTH_MASK = (1 << LENGTH_BITS) - 1 };

static const uint64_t no_words[MESSAGE_WORDS];

struct thread call_crowd = {.base_priority = UINT8_MAX, .priority = UINT8_MAX};

status_t call_shape_read(uint32_t shape, user_ptr_t send, user_ptr_t receive, uint64_t deadline, uint32_t allowed,
                         struct call_shape *read) {
    *read = (struct call_shape){.send = send,
                                .receive = receive,
                                .length = shape & LENGTH_MASK,
                                .room = shape / CALL_RECEIVE & LENGTH_MASK,
                                .flags = shape & ~(CALL_TIMED - 1u),
                                .deadline = (shape & CALL_TIMED) != 0 ? deadline : FOREVER};
    bool fits = read->length <= MESSAGE_MAX && read->room <= MESSAGE_MAX;
    return fits && (read->flags & ~allowed) == 0 ? 0 : ERR_INVALID;
}

// ---- what the two ends have in common --------------------------------------------------------------------------------

static void hand_words(struct thread *to, const uint64_t *words) {
    memcpy(arch_frame_message(&to->frame), words, MESSAGE_WORDS * sizeof *words);
}

// Put a payload where that thread wants it, whatever space is in place. ERR_TOO_BIG, ERR_FAULT, ERR_NO_MEMORY.
static status_t hand_payload(struct thread *to, user_ptr_t where, uint32_t room, const void *payload, uint32_t length) {
    if (length > room) {
        return ERR_TOO_BIG;
    }
    if (length == 0) {
        return 0;
    }
    struct cpu *cpu = arch_cpu_current();
    struct space *before = cpu->space;
    cpu_enter_space(cpu, &to->process->space);
    status_t status = user_copy_out(where, payload, length);
    cpu_enter_space(cpu, before);
    return status;
}

// A payload of up to so many bytes is wanted, which is more than a fast path could bring.
static void give_room(struct thread *thread, const struct call_shape *shape) {
    thread->call.receive = shape->receive;
    thread->call.room = (uint16_t)shape->room;
    thread->holds |= shape->room > 0 ? HOLD_ROOM : 0;
}

static void give_no_room(struct thread *thread) {
    thread->call.room = 0;
    thread->holds &= (uint16_t)~HOLD_ROOM;
}

// A server takes a call: it is as urgent as its caller from now on.
static void serve(struct thread *server, struct thread *caller) {
    server->call.serving = caller;
    caller->call.server = server;
    uint8_t base = server->base_priority;
    sched_set_priority(server, caller->priority > base ? caller->priority : base);
}

// It serves no call any more.
static void serve_no_more(struct thread *server) {
    server->call.serving->call.server = nullptr;
    server->call.serving = nullptr;
    sched_set_priority(server, server->base_priority);
}

// ---- the caller ------------------------------------------------------------------------------------------------------

// Callers have come or gone.
static void turn_changed(struct channel *channel) {
    if (!list_empty(&channel->calls.turn)) {
        channel->calls.spot = &call_crowd;
    } else if (channel->calls.spot == &call_crowd) {
        channel->calls.spot = nullptr;
    }
}

// It waits its turn no more. May destroy the channel.
static void leave_turn(struct thread *caller) {
    struct channel *channel = channel_of(caller->call.turn_at);
    list_remove(&caller->park.link);
    turn_changed(channel);
    if (caller->call.payload != nullptr) {
        slab_free(caller->call.payload, caller->call.length);
        caller->call.payload = nullptr;
    }
    caller->call.turn_at = nullptr;
    channel->calls.in_turn--;
    object_unref(&channel->object);
}

// The end of a call, for the books of the channel that it was made to, if there still is one.
static void count_end(const struct thread *caller, bool replied) {
    struct channel *channel = channel_find(connection_of(caller->park.object)->channel_id);
    cpu_count(replied ? COUNT_REPLY : COUNT_CALL_LOST);
    if (channel != nullptr) {
        *(replied ? &channel->calls.replied : &channel->calls.lost) += 1;
    }
}

// It goes without a reply, unless its server has just let go of it.
static void call_withdraw(struct thread *caller) {
    struct thread *server = caller->call.server;
    if (server != nullptr) {
        serve_no_more(server);
        server->call.lost = true;
    }
    if (server != nullptr || caller->call.turn_at != nullptr) {
        count_end(caller, false);
    }
    if (caller->call.turn_at != nullptr) {
        leave_turn(caller);
    }
    caller->call.server = nullptr;
    give_no_room(caller);
    hand_words(caller, no_words);
    object_unref(caller->park.object);
}

// Who serves it; while it waits its turn, who could. If nobody serves the channel, whoever comes to.
static bool call_wakers(const struct thread *caller, bool (*visit)(void *context, struct process *process),
                        void *context) {
    if (caller->call.server != nullptr) {
        return visit(context, caller->call.server->process);
    }
    const struct channel *channel = channel_of(caller->call.turn_at);
    return channel_served(channel) && process_visit_holders(&channel->object, 0, visit, context);
}

const struct park_kind call_parked = {.operation = "call", .withdraw = call_withdraw, .wakers = call_wakers};

// Why no call can be made by this connection now; 0 if it can.
static status_t refusal(const struct connection *connection, const struct call_shape *shape) {
    const struct channel *channel = connection->channel;
    if (shape->length > channel->message_max) {
        return ERR_TOO_BIG;
    }
    if (!connection_attached(connection) || connection->finished) {
        return ERR_PEER_CLOSED;
    }
    return channel->removed ? ERR_REMOVED : 0;
}

static void park_caller(struct thread *self, struct connection *connection, const struct call_shape *shape) {
    object_ref(&connection->object);
    give_room(self, shape);
    park_thread(self, &call_parked, &connection->object, shape->deadline);
    connection->channel->calls.made++;
    cpu_count(COUNT_CALL);
}

static struct thread *idle_server(const struct channel *channel) {
    if (channel->calls.spot != nullptr && channel->calls.spot != &call_crowd) {
        return channel->calls.spot;
    }
    struct list *first = list_first(&channel->calls.idle);
    first = first != nullptr ? first : list_first(&channel->calls.listening);
    return first == nullptr ? nullptr : container_of(first, struct thread, park.link);
}

// An idle server that can take a call with that payload, which it then has. Those that cannot are told why; null: none
// is left; *tried: how many were.
static struct thread *find_server(struct channel *channel, const void *payload, uint32_t length, unsigned *tried) {
    for (*tried = 0; *tried < SERVERS_TRIED; ++*tried) {
        struct thread *server = idle_server(channel);
        if (server == nullptr) {
            return nullptr;
        }
        if (thread_doomed(server)) {
            thread_end(server);
            continue;
        }
        status_t status = hand_payload(server, server->call.receive, server->call.room, payload, length);
        if (status == 0) {
            return server;
        }
        park_complete(server, status, (const uint64_t[4]){});
    }
    return nullptr;
}

static status_t wait_turn(struct thread *self, struct connection *connection, const struct call_shape *shape,
                          const void *payload) {
    struct channel *channel = connection->channel;
    void *kept = nullptr;
    if (shape->length > 0) {
        kept = slab_alloc(shape->length);
        if (kept == nullptr) {
            return ERR_NO_MEMORY;
        }
        memcpy(kept, payload, shape->length);
    }
    self->call.server = nullptr;
    self->call.payload = kept;
    self->call.length = (uint16_t)shape->length;
    self->call.turn_at = &channel->object;
    object_ref(&channel->object);
    bool first = list_empty(&channel->calls.turn);
    list_push_back(&channel->calls.turn, &self->park.link);
    turn_changed(channel);
    park_caller(self, connection, shape);
    channel->calls.in_turn++;
    if (first) {
        object_notify(&channel->object, EVENT_CALLED);
    }
    return CALL_PENDING;
}

long call_make_by(struct thread *self, struct connection *connection, const struct call_shape *shape) {
    uint8_t payload[MESSAGE_MAX];
    status_t status = refusal(connection, shape);
    if (status == 0) {
        status = user_copy_in(payload, shape->send, shape->length);
    }
    if (status != 0) {
        return status;
    }
    if (shape->deadline <= arch_time_now()) {
        return ERR_TIMED_OUT;
    }
    unsigned tried;
    struct thread *server = find_server(connection->channel, payload, shape->length, &tried);
    if (server == nullptr) {
        return tried == SERVERS_TRIED ? ERR_BUSY : wait_turn(self, connection, shape, payload);
    }
    park_caller(self, connection, shape);
    serve(server, self);
    park_complete_next(server, self->process->pid, (const uint64_t[4]){connection->node.id, shape->length});
    hand_words(server, arch_frame_message(&self->frame));
    return CALL_PENDING;
}

// ---- the server ------------------------------------------------------------------------------------------------------

static void idle_withdraw(struct thread *server) {
    struct channel *channel = channel_of(server->park.object);
    if (channel->calls.spot == server) {
        channel->calls.spot = nullptr;
    } else {
        list_remove(&server->park.link);
    }
    give_no_room(server);
    if (server->call.serving == nullptr) {
        server->priority = server->base_priority; // a fast path has left it as it was
    }
    hand_words(server, no_words);
}

const struct park_kind call_idle = {.operation = "reply_wait", .withdraw = idle_withdraw};

// The reply to the call that self serves. Returns the caller, still parked, and what it is to be told; null and why the
// reply cannot be made.
static struct thread *reply(struct thread *self, const struct call_shape *shape, status_t *status) {
    uint8_t payload[MESSAGE_MAX];
    *status = user_copy_in(payload, shape->send, shape->length);
    if (*status != 0) {
        return nullptr;
    }
    struct thread *caller = self->call.serving;
    *status = hand_payload(caller, caller->call.receive, caller->call.room, payload, shape->length);
    count_end(caller, true);
    serve_no_more(self);
    return caller;
}

// Tell the caller, by one of the ways to complete what it is parked in.
static void tell_caller(struct thread *caller, status_t status, uint32_t length, const uint64_t *words,
                        void (*complete)(struct thread *thread, int64_t status, const uint64_t word[4])) {
    complete(caller, status, (const uint64_t[4]){status == 0 ? length : 0});
    hand_words(caller, status == 0 ? words : no_words);
}

long call_reply(struct thread *self, const struct call_shape *shape) {
    if (self->call.serving == nullptr) {
        self->call.lost = false;
        return ERR_PEER_CLOSED;
    }
    status_t status;
    struct thread *caller = reply(self, shape, &status);
    if (caller == nullptr) {
        return status;
    }
    tell_caller(caller, status, shape->length, arch_frame_message(&self->frame), park_complete);
    hand_words(self, no_words);
    return 0;
}

// The call whose turn it is. ERR_TOO_BIG, ERR_FAULT, ERR_NO_MEMORY: it waits on.
static long take_call(struct thread *self, struct channel *channel, const struct call_shape *shape,
                      struct call_results *out) {
    struct thread *caller = container_of(list_first(&channel->calls.turn), struct thread, park.link);
    uint32_t length = caller->call.length;
    status_t status = hand_payload(self, shape->receive, shape->room, caller->call.payload, length);
    if (status != 0) {
        return status;
    }
    leave_turn(caller);
    serve(self, caller);
    hand_words(self, arch_frame_message(&caller->frame));
    out->word[0] = connection_of(caller->park.object)->node.id;
    out->word[1] = length;
    return caller->process->pid;
}

long call_wait(struct thread *self, struct channel *channel, const struct call_shape *shape, struct call_results *out) {
    if (self->call.lost) {
        self->call.lost = false;
        return ERR_PEER_CLOSED;
    }
    struct thread *caller = nullptr;
    uint64_t words[MESSAGE_WORDS];
    status_t told = 0;
    if (self->call.serving != nullptr) {
        caller = reply(self, shape, &told);
        if (caller == nullptr) {
            return told;
        }
    }
    memcpy(words, arch_frame_message(&self->frame), sizeof words);
    long status = CALL_PENDING;
    if (!list_empty(&channel->calls.turn)) {
        status = take_call(self, channel, shape, out);
    } else if ((shape->flags & CALL_MESSAGES) != 0 && channel_has_message(channel)) {
        status = ERR_EMPTY;
    } else if (channel->removed) {
        status = ERR_REMOVED;
    } else if (shape->deadline <= arch_time_now()) {
        status = ERR_TIMED_OUT;
    }
    if (status != CALL_PENDING) {
        if (caller != nullptr) {
            tell_caller(caller, told, shape->length, words, park_complete);
        }
        return status;
    }
    give_room(self, shape);
    if ((shape->flags & CALL_MESSAGES) != 0) {
        list_push_front(&channel->calls.listening, &self->park.link);
        channel_unsettle(channel);
    } else if (channel->calls.spot == nullptr) {
        channel->calls.spot = self;
    } else {
        list_push_front(&channel->calls.idle, &self->park.link);
    }
    park_thread(self, &call_idle, &channel->object, shape->deadline);
    if (caller != nullptr) {
        tell_caller(caller, told, shape->length, words, park_complete_next);
    }
    return CALL_PENDING;
}

// ---- when something else happens to the channel ----------------------------------------------------------------------

void call_abandon(struct channel *channel) {
    if (channel->calls.spot != nullptr && channel->calls.spot != &call_crowd) {
        list_push_back(&channel->calls.lost_servers, &channel->calls.spot->park.link);
        channel->calls.spot = nullptr;
    }
    list_append(&channel->calls.lost_servers, &channel->calls.idle);
    list_append(&channel->calls.lost_servers, &channel->calls.listening);
    if (!channel_served(channel)) {
        list_append(&channel->calls.lost_callers, &channel->calls.turn);
        turn_changed(channel);
    }
}

// Why a caller that waits its turn will not be served: as refusal has it for a new call.
static status_t caller_lost(const struct thread *caller) {
    const struct connection *connection = connection_of(caller->park.object);
    return connection->epoch != channel_of(caller->call.turn_at)->epoch ? ERR_PEER_CLOSED : ERR_REMOVED;
}

static status_t server_lost(const struct thread *) {
    return ERR_REMOVED;
}

static status_t server_sought(const struct thread *) {
    return ERR_EMPTY;
}

bool call_tell(struct channel *channel, unsigned *budget) {
    const struct {
        struct list *who;
        status_t (*why)(const struct thread *);
    } told[] = {{&channel->calls.lost_servers, server_lost},
                {&channel->calls.lost_callers, caller_lost},
                {&channel->calls.sought_servers, server_sought}};
    for (unsigned i = 0; i < sizeof told / sizeof told[0]; i++) {
        for (struct list *link; (link = list_first(told[i].who)) != nullptr; slice_spend(budget, TELL_UNITS)) {
            if (*budget == 0) {
                return false;
            }
            struct thread *thread = container_of(link, struct thread, park.link);
            park_complete(thread, told[i].why(thread), (const uint64_t[4]){});
        }
    }
    return true;
}

void call_message_came(struct channel *channel) {
    if (!list_empty(&channel->calls.listening)) {
        list_append(&channel->calls.sought_servers, &channel->calls.listening);
        channel_sweep(channel);
    }
}
