// The connection: a client's side of a channel. Made by open or connect, ended by hanging up.
#include "ipc/channel_impl.h"

#include "base/format.h"
#include "ipc/call.h"
#include "ipc/message.h"
#include "kernel/include/arch.h"
#include "kernel/pages.h"
#include "kernel/panic.h"
#include "kernel/process.h"
#include "kernel/slab.h"
#include "kernel/thread.h"
#include "kernel/wait.h"

enum { RELEASE_NOW = 8 }; // units of work that hanging up does at once; more go in slices

static uint64_t last_id; // of any connection of any channel: an id is never used again

status_t channel_connect(struct channel *channel, uint32_t client_pid, struct object **connection) {
    if (channel->removed) {
        return ERR_REMOVED;
    }
    struct connection *new = slab_alloc(sizeof *new);
    if (new == nullptr) {
        return ERR_NO_MEMORY;
    }
    if (channel_mapped(channel) && pages_create(sizeof(struct abi_ring_pair), &new->rings) < 0) {
        slab_free(new, sizeof *new);
        return ERR_NO_MEMORY;
    }
    object_init(&new->object, &connection_ops);
    object_ref(&channel->object);
    new->channel = channel;
    new->epoch = channel->epoch;
    new->call_epoch = channel->call_epoch;
    new->channel_id = channel->node.id;
    new->opened = arch_time_now();
    new->client_pid = client_pid;
    queue_init(&new->outbound, channel->depth, channel->message_max);
    list_init(&new->starved);
    list_init(&new->hang_up);
    new->node.id = ++last_id;
    id_tree_insert(&channel->connections, &new->node);
    list_push_back(&channel->quiet, &new->told);
    channel->open++;
    books_totals.connections_active++;
    books_totals.connections_created++;
    *connection = &new->object;
    channel_raise(&channel->object, EVENT_OPENED, client_pid, new->node.id);
    return 0;
}

// ---- hanging up ------------------------------------------------------------------------------------------------------

static bool release_step(struct slice *slice, unsigned *budget) {
    struct connection *connection = container_of(slice, struct connection, release);
    if (!queue_release(&connection->outbound, budget)) {
        return false;
    }
    connection->releasing = false;
    if (connection->dying) {
        slab_free(connection, sizeof *connection);
    }
    return true;
}

// Return the queue's memory, and the connection's own if it is dying: a little now, the rest in slices.
static void release(struct connection *connection) {
    if (connection->releasing) {
        return;
    }
    connection->releasing = true;
    unsigned budget = RELEASE_NOW;
    if (!release_step(&connection->release, &budget)) {
        slice_queue(&connection->release, release_step);
    }
}

// Whether servers must be told. Not if nobody serves and nothing of it is queued: then no server that is or will be
// knows of it. Not if nobody will ever serve. And not twice.
static bool hang_up_owed(const struct connection *connection) {
    const struct channel *channel = connection->channel;
    return !connection->finished && !channel->drained &&
           (channel_served(channel) || connection->sent.below_high < connection->sent.high_water);
}

static void hang_up_queue(struct connection *connection) {
    struct channel *channel = connection->channel;
    connection->after = queue_last_sequence(&channel->inbound);
    object_ref(&connection->object);
    list_push_back(&channel->hang_ups, &connection->hang_up);
    channel_unsettle(channel);
    call_message_came(channel);
}

void connection_finish(struct connection *connection) {
    bool owed = hang_up_owed(connection);
    connection->finished = true;
    connection->call_epoch = UINT64_MAX;
    if (owed) {
        hang_up_queue(connection);
        object_notify(&connection->channel->object, EVENT_READABLE | EVENT_PEER_LOST);
    }
    room_leave(connection);
    object_notify(&connection->object, EVENT_WRITABLE); // who waits for room need not wait any longer
}

// The client is gone; owed: the servers shall hear of it. Consumes the reference to the channel.
static void hang_up(struct connection *connection, bool owed) {
    struct channel *channel = connection->channel;
    bool was_full = connection_attached(connection) && queue_full(&connection->outbound);
    connection->hung_up = true;
    books_discarded(channel, OUTBOUND, queue_discard(&connection->outbound));
    release(connection);
    list_remove(&connection->told);
    room_leave(connection);
    channel->open--;
    books_totals.connections_active--;
    books_totals.connections_destroyed++;
    channel_raise(&channel->object, EVENT_CLOSED, connection->client_pid, connection->node.id);
    uint32_t changed = 0;
    if (was_full && --channel->full == 0) {
        changed |= EVENT_WRITABLE;
    }
    if (owed) {
        hang_up_queue(connection);
        changed |= EVENT_READABLE | EVENT_PEER_LOST;
    } else if (!list_is_linked(&connection->hang_up)) {
        id_tree_remove(&channel->connections, &connection->node);
        connection->channel = nullptr;
    }
    if (changed != 0) {
        object_notify(&channel->object, changed);
    }
    object_unref(&channel->object);
}

static void connection_unhandled(struct object *object) {
    hang_up(connection_of(object), hang_up_owed(connection_of(object)));
    object_notify(object, connection_ops.events(object)); // who still waits on it by a handle that is gone
}

static void connection_destroy(struct object *object) {
    struct connection *connection = connection_of(object);
    if (!connection->hung_up) {
        // It never got a handle: its maker could not insert one. The servers have not heard of it.
        KASSERT(connection->sent.sent == 0);
        hang_up(connection, false);
    }
    if (connection->rings != nullptr) {
        object_unref(&connection->rings->object); // mappings have their own references
    }
    connection->dying = true;
    release(connection);
}

// ---- what it shows ---------------------------------------------------------------------------------------------------

// Levels, defined by the calls they announce: READABLE when recv would not answer ERR_EMPTY, WRITABLE when send would not
// answer ERR_FULL. Who asks and finds it not writable stands in line for room (room.c): every waiter asks before it waits.
static uint32_t connection_events(const struct object *object) {
    struct connection *connection = (struct connection *)object;
    struct channel *channel = connection->channel;
    bool attached = connection_attached(connection);
    bool removed = channel != nullptr && channel->removed;
    uint32_t events = 0;
    if (queue_count(&connection->outbound) > 0 || !attached || removed) {
        events |= EVENT_READABLE;
    }
    if (!attached || removed || connection->finished || !queue_full(&channel->inbound)) {
        events |= EVENT_WRITABLE;
    } else {
        room_await(connection);
    }
    if (!attached) {
        events |= EVENT_PEER_LOST;
    }
    if (removed) {
        events |= EVENT_REMOVED;
    }
    return events;
}

// ---- rings -----------------------------------------------------------------------------------------------------------

struct pages *channel_rings(struct channel *channel, uint64_t id) {
    struct id_node *node = id_tree_find(&channel->connections, id);
    return node == nullptr ? nullptr : container_of(node, struct connection, node)->rings;
}

static status_t connection_memory(struct object *object, unsigned protection, struct pages **pages, uint64_t *size) {
    struct connection *connection = connection_of(object);
    if (connection->rings == nullptr || (protection & PROT_EXEC) != 0) {
        return ERR_WRONG_KIND;
    }
    *pages = connection->rings;
    *size = sizeof(struct abi_ring_pair);
    return 0;
}

// The peers may go on between the two looks: head comes first, so that no more seems received than was sent.
static struct ring_counts count_ring(const struct abi_ring_ends *ends) {
    struct ring_counts counts = {.received = ring_take(&ends->head.index)};
    counts.sent = ring_take(&ends->tail.index);
    counts.queued = counts.sent - counts.received;
    return counts;
}

static void count_rings(struct pages *pages, struct connection_info *info) {
    static_assert(offsetof(struct abi_ring_pair, to_server) == PAGE_SIZE);
    paddr_t first = pages_get(pages, 0, false);
    info->mapped = true;
    if (first != 0) {
        const struct abi_ring_pair *pair = arch_phys_to_virt(first);
        info->ring_in = count_ring(&pair->server);
        info->ring_out = count_ring(&pair->client);
    }
}

// ---- what it does ----------------------------------------------------------------------------------------------------

static long connection_read(struct object *object, struct thread *self, user_ptr_t buffer, uint64_t length,
                            uint64_t offset) {
    (void)self;
    (void)offset;
    struct received received;
    long status = message_receive(object, buffer, length, &received);
    return status == ERR_PEER_CLOSED ? 0 : status;
}

static long connection_write(struct object *object, struct thread *self, user_ptr_t buffer, uint64_t length,
                             uint64_t offset) {
    (void)offset;
    long status = message_send(object, self->process->pid, buffer, length, 0, 0);
    return status < 0 ? status : (long)length;
}

// The servers, and who can finish it; if there are no servers, whoever comes to serve; if it stands in line although there
// is room, time. Nobody once it has hung up: what does not hold by then never will.
static bool connection_wakers(const struct object *object, bool (*visit)(void *context, struct process *process),
                              void *context) {
    const struct connection *connection = (const struct connection *)object;
    if (connection->hung_up) {
        return true;
    }
    const struct channel *channel = connection->channel;
    bool time = list_is_linked(&connection->starved) && !queue_full(&channel->inbound);
    return channel_served(channel) && !time && process_visit_holders(&channel->object, 0, visit, context) &&
           process_visit_holders(object, RIGHT_WRITE, visit, context);
}

static void connection_describe(const struct object *object, char *text, size_t capacity) {
    const struct connection *connection = (const struct connection *)object;
    const struct channel *channel = connection->channel;
    format(text, capacity, "client %llu of %llu %s", (unsigned long long)connection->node.id,
           channel == nullptr ? 0 : (unsigned long long)channel->node.id, channel == nullptr ? "" : channel->path);
}

const struct object_ops connection_ops = {
    .kind = OBJECT_CONNECTION,
    .name = "connection",
    .destroy = connection_destroy,
    .unhandled = connection_unhandled,
    .events = connection_events,
    .wakers = connection_wakers,
    .read = connection_read,
    .write = connection_write,
    .memory = connection_memory,
    .describe = connection_describe,
};

void connection_get_info(const struct connection *connection, struct connection_info *info) {
    const struct channel *channel = connection->channel;
    *info = (struct connection_info){
        .id = connection->node.id,
        .opened = connection->opened,
        .client_pid = connection->client_pid,
        .hung_up = connection->hung_up,
        .peer_lost = !connection_attached(connection),
        .inbound = book_counts(&connection->sent),
        .outbound = queue_counts(&connection->outbound),
    };
    // A channel discards all that is queued inbound in one go, without a look at whose it was.
    if (channel == nullptr || channel->drained) {
        info->inbound.discarded += info->inbound.queued;
        info->inbound.queued = 0;
    }
    if (connection->rings != nullptr) {
        count_rings(connection->rings, info);
    }
}
