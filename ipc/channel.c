// The channel: its life, the registry, and the sweep that tells many connections of a change in bounded steps.
#include "ipc/channel_impl.h"

#include "base/format.h"
#include "base/memory.h"
#include "base/str.h"
#include "ipc/call.h"
#include "ipc/message.h"
#include "kernel/include/arch.h"
#include "kernel/panic.h"
#include "kernel/process.h"
#include "kernel/slab.h"
#include "kernel/thread.h"
#include "kernel/wait.h"

enum {
    WAKERS_MAX = 64, // connections whose holders are named
    SWEEP_NOW = 48, // units of the sweep done by the call that causes it, so that a small channel's peers learn at once
    TELL_UNITS = 6, // of a slice's budget: a connection's waiters and watchers learn of something, or it is forgotten
};

static struct id_tree registry;
static uint64_t last_id;

// ---- life ------------------------------------------------------------------------------------------------------------

status_t channel_new(const struct abi_channel_config *config, uint32_t owner_pid, struct channel **channel) {
    struct abi_channel_config chosen = config == nullptr ? (struct abi_channel_config){} : *config;
    if (chosen.depth > CHANNEL_DEPTH_MAX || chosen.message_max > MESSAGE_MAX || chosen.mode > 0777 ||
        (chosen.flags & ~(CHANNEL_TEMPORARY | CHANNEL_MAPPED)) != 0) {
        return ERR_INVALID;
    }
    struct channel *new = slab_alloc(sizeof *new);
    if (new == nullptr) {
        return ERR_NO_MEMORY;
    }
    object_init(&new->object, &channel_ops);
    new->created = arch_time_now();
    new->owner_pid = owner_pid;
    new->mode = chosen.mode != 0 ? chosen.mode : 0766;
    new->depth = chosen.depth != 0 ? chosen.depth : CHANNEL_DEPTH;
    new->message_max = chosen.message_max != 0 ? chosen.message_max : MESSAGE_MAX;
    new->flags = chosen.flags;
    queue_init(&new->inbound, new->depth, new->message_max);
    list_init(&new->quiet);
    list_init(&new->untold);
    room_init(new);
    list_init(&new->hang_ups);
    new->call_epoch = channel_next_call_epoch();
    list_init(&new->calls.turn);
    list_init(&new->calls.idle);
    list_init(&new->calls.listening);
    list_init(&new->calls.lost_callers);
    list_init(&new->calls.lost_servers);
    list_init(&new->calls.sought_servers);
    new->node.id = ++last_id;
    id_tree_insert(&registry, &new->node);
    books_totals.channels_active++;
    books_totals.channels_created++;
    *channel = new;
    return 0;
}

uint64_t channel_next_call_epoch(void) {
    static uint64_t last;
    return ++last;
}

// Invitations whose time is over bind nobody, unless somebody is in line for what they left.
void channel_settle(struct channel *channel) {
    KASSERT(list_empty(&channel->calls.listening)); // while there are messages, nobody listens for one
    bool quiet = list_empty(&channel->starved) && list_empty(&channel->hang_ups);
    if (quiet && channel->invited > 0 && arch_time_now() >= channel->lapses) {
        room_forget_invitations(channel);
    }
    channel->fast_epoch = quiet && channel->invited == 0 ? channel->call_epoch : 0;
}

struct object *channel_object(struct channel *channel) {
    return &channel->object;
}

struct channel *channel_of(struct object *object) {
    KASSERT(object->ops == &channel_ops);
    return (struct channel *)object;
}

bool channel_removed(const struct channel *channel) {
    return channel->removed;
}

void channel_set_removal(struct channel *channel, void (*removal)(void *context), void *context) {
    channel->removal = removal;
    channel->removal_context = context;
}

void channel_set_path(struct channel *channel, const char *path) {
    str_copy(channel->path, sizeof channel->path, path);
}

void channel_set_mode(struct channel *channel, uint32_t mode) {
    channel->mode = mode;
}

// Nobody serves and nobody ever will: what is queued inbound will not be received.
static void channel_drain(struct channel *channel) {
    if (!channel->drained) {
        channel->drained = true;
        books_discarded(channel, INBOUND, queue_discard(&channel->inbound));
    }
}

void channel_remove(struct channel *channel) {
    if (channel->removed) {
        return;
    }
    channel->removed = true;
    channel->call_epoch = channel_next_call_epoch();
    channel_unsettle(channel);
    if (!channel_served(channel)) {
        channel_drain(channel);
    }
    list_append(&channel->untold, &channel->quiet);
    call_abandon(channel);
    object_notify(&channel->object, channel_ops.events(&channel->object));
    channel_raise(&channel->object, EVENT_REMOVED, thread_current_pid(), 0);
    channel_sweep(channel);
}

// The last server left.
static void channel_unhandled(struct object *object) {
    struct channel *channel = channel_of(object);
    channel->epoch++;
    channel->call_epoch = channel_next_call_epoch();
    channel_unsettle(channel);
    channel->full = 0; // counts attached connections, of which there are none now
    room_forget_invitations(channel);
    list_append(&channel->untold, &channel->quiet);
    call_abandon(channel);
    bool temporary = (channel->flags & CHANNEL_TEMPORARY) != 0 && !channel->removed;
    if (temporary) {
        channel->removed = true;
    }
    if (channel->removed) {
        channel_drain(channel);
    }
    // The channel's events have become those of one without a server: who waits on it through a handle of old learns it.
    object_notify(object, channel_ops.events(object));
    channel_raise(object, EVENT_PEER_LOST, thread_current_pid(), 0);
    if (temporary) {
        channel_raise(object, EVENT_REMOVED, thread_current_pid(), 0);
    }
    channel_sweep(channel);
    if (temporary && channel->removal != nullptr) {
        void (*removal)(void *context) = channel->removal;
        channel->removal = nullptr;
        removal(channel->removal_context);
    }
}

// No server, no open connection and no node refers to it: what is left are messages and hang-ups that nobody will
// receive.
static void channel_destroy(struct object *object) {
    struct channel *channel = channel_of(object);
    KASSERT(channel->open == 0 && list_empty(&channel->quiet) && list_empty(&channel->untold) &&
            list_empty(&channel->starved));
    channel_drain(channel);
    timer_remove(&channel->lapse);
    id_tree_remove(&registry, &channel->node);
    books_totals.channels_active--;
    books_totals.channels_destroyed++;
    channel->destroying = true;
    channel_sweep(channel);
}

// ---- the sweep -------------------------------------------------------------------------------------------------------

// A connection's waiters and watchers learn how things stand.
static void tell(struct connection *connection) {
    list_remove(&connection->starved);
    uint32_t events = connection_ops.events(&connection->object);
    object_notify(&connection->object, events);
    for (uint32_t kind = EVENT_WRITABLE; kind <= EVENT_REMOVED; kind <<= 1) {
        if ((events & kind) != 0) {
            channel_raise(&connection->object, kind, 0, 0);
        }
    }
}

// True when there is nothing left to do.
static bool sweep_some(struct channel *channel, unsigned *budget) {
    if (!call_tell(channel, budget)) {
        return false;
    }
    for (struct list *link; (link = list_first(&channel->untold)) != nullptr; slice_spend(budget, TELL_UNITS)) {
        if (*budget == 0) {
            return false;
        }
        list_remove(link);
        list_push_back(&channel->quiet, link);
        tell(container_of(link, struct connection, told));
    }
    if (!room_tell(channel, budget)) {
        return false;
    }
    if (!channel->drained) {
        return true;
    }
    for (struct list *link; (link = list_first(&channel->hang_ups)) != nullptr; slice_spend(budget, TELL_UNITS)) {
        if (*budget == 0) {
            return false;
        }
        channel_forget(channel, container_of(link, struct connection, hang_up));
    }
    return queue_release(&channel->inbound, budget);
}

static bool sweep_step(struct slice *slice, unsigned *budget) {
    struct channel *channel = container_of(slice, struct channel, sweep);
    if (!sweep_some(channel, budget)) {
        return false;
    }
    channel->sweeping = false;
    if (channel->destroying) {
        slab_free(channel, sizeof *channel);
    }
    return true;
}

void channel_sweep(struct channel *channel) {
    if (channel->sweeping) {
        return;
    }
    channel->sweeping = true;
    unsigned budget = SWEEP_NOW;
    if (!sweep_step(&channel->sweep, &budget)) {
        slice_queue(&channel->sweep, sweep_step);
    }
}

// ---- hang-ups --------------------------------------------------------------------------------------------------------

struct connection *channel_hang_up_due(const struct channel *channel) {
    struct list *link = list_first(&channel->hang_ups);
    if (link == nullptr) {
        return nullptr;
    }
    struct connection *connection = container_of(link, struct connection, hang_up);
    uint64_t received = queue_last_sequence(&channel->inbound) - queue_count(&channel->inbound);
    return received >= connection->after ? connection : nullptr;
}

void channel_forget(struct channel *channel, struct connection *connection) {
    KASSERT(connection->channel == channel && (connection->hung_up || connection->finished));
    list_remove(&connection->hang_up);
    if (connection->hung_up) {
        id_tree_remove(&channel->connections, &connection->node);
        connection->channel = nullptr;
    }
    object_unref(&connection->object);
}

// ---- what it shows ---------------------------------------------------------------------------------------------------

static bool hang_up_queued(const struct channel *channel) {
    return !list_empty(&channel->hang_ups) && !channel->drained;
}

bool channel_has_message(const struct channel *channel) {
    return queue_count(&channel->inbound) > 0 || hang_up_queued(channel);
}

// Levels, defined by the calls they announce: READABLE when recv would not answer ERR_EMPTY, WRITABLE when no client's
// full queue would make a send answer ERR_FULL, PEER_LOST when a hang-up waits to be received.
static uint32_t channel_events(const struct object *object) {
    const struct channel *channel = (const struct channel *)object;
    bool hang_up = hang_up_queued(channel);
    uint32_t events = 0;
    if (channel_has_message(channel) || channel->removed) {
        events |= EVENT_READABLE;
    }
    if (channel->full == 0 || channel->removed) {
        events |= EVENT_WRITABLE;
    }
    if (hang_up) {
        events |= EVENT_PEER_LOST;
    }
    if (channel->removed) {
        events |= EVENT_REMOVED;
    }
    if (!list_empty(&channel->calls.turn)) {
        events |= EVENT_CALLED;
    }
    return events;
}

// Its clients, who send, make room and hang up; servers that can connect new ones; and while it has a name, whoever opens
// it. Connections of former servers' times are heard of no more.
static bool channel_wakers(const struct object *object, bool (*visit)(void *context, struct process *process),
                           void *context) {
    const struct channel *channel = (const struct channel *)object;
    unsigned visited = 0;
    for (struct id_node *node = id_tree_after(&channel->connections, 0); node != nullptr;
         node = id_tree_after(&channel->connections, node->id)) {
        const struct connection *connection = container_of(node, struct connection, node);
        if (++visited > WAKERS_MAX) {
            return false;
        }
        if (connection_attached(connection) && !process_visit_holders(&connection->object, 0, visit, context)) {
            return false;
        }
    }
    return process_visit_holders(object, RIGHT_ADMIN, visit, context) && (channel->path[0] == '\0' || channel->removed);
}

static void channel_describe(const struct object *object, char *text, size_t capacity) {
    const struct channel *channel = (const struct channel *)object;
    format(text, capacity, "server of %llu %s", (unsigned long long)channel->node.id, channel->path);
}

static long channel_read(struct object *object, struct thread *self, user_ptr_t buffer, uint64_t length,
                         uint64_t offset) {
    (void)self;
    (void)offset;
    struct received received;
    return message_receive(object, buffer, length, &received);
}

const struct object_ops channel_ops = {
    .kind = OBJECT_CHANNEL,
    .name = "channel",
    .destroy = channel_destroy,
    .unhandled = channel_unhandled,
    .events = channel_events,
    .wakers = channel_wakers,
    .read = channel_read,
    .describe = channel_describe,
};

const struct latency *channel_latency(const struct channel *channel) {
    return &channel->latency;
}

void channel_get_info(const struct channel *channel, struct channel_info *info) {
    *info = (struct channel_info){
        .id = channel->node.id,
        .created = channel->created,
        .owner_pid = channel->owner_pid,
        .mode = channel->mode,
        .depth = channel->depth,
        .message_max = channel->message_max,
        .flags = channel->flags,
        .servers = channel->object.handles,
        .connections = channel->open,
        .removed = channel->removed,
        .inbound = queue_counts(&channel->inbound),
        .outbound = book_counts(&channel->answers),
        .calls = {channel->calls.made, channel->calls.replied, channel->calls.lost, channel->calls.in_turn},
        .path = channel->path,
    };
}

struct channel *channel_find(uint64_t id) {
    struct id_node *node = id_tree_find(&registry, id);
    return node == nullptr ? nullptr : container_of(node, struct channel, node);
}

struct channel *channel_after(uint64_t id) {
    struct id_node *node = id_tree_after(&registry, id);
    return node == nullptr ? nullptr : container_of(node, struct channel, node);
}

struct connection *connection_after(struct channel *channel, uint64_t id) {
    struct id_node *node = id_tree_after(&channel->connections, id);
    return node == nullptr ? nullptr : container_of(node, struct connection, node);
}
