// Send and receive. Both directions follow one plan:
//
//   send     refuse by what is known; copy the payload in; reserve a slot; commit
//   receive  look at the oldest; copy it out; commit
//
// The commit cannot fail, so a fault or a shortage before it leaves no half message and loses none.
#include "ipc/message.h"

#include "ipc/call.h"
#include "ipc/channel_impl.h"
#include "kernel/include/arch.h"
#include "kernel/panic.h"
#include "kernel/syscall.h"
#include "kernel/thread.h"
#include "kernel/wait.h"

// Why a message of this length cannot go to the servers now; 0 if it can.
static status_t inbound_refusal(const struct connection *connection, uint64_t length) {
    const struct channel *channel = connection->channel;
    if (length > channel->message_max) {
        return ERR_TOO_BIG;
    }
    if (!connection_attached(connection) || connection->finished) {
        return ERR_PEER_CLOSED;
    }
    if (channel->removed) {
        return ERR_REMOVED;
    }
    return queue_full(&channel->inbound) ? ERR_FULL : 0;
}

// Why a message of this length cannot go to this client now.
static status_t outbound_refusal(const struct channel *channel, const struct connection *connection, uint64_t length) {
    if (length > channel->message_max) {
        return ERR_TOO_BIG;
    }
    if (connection == nullptr) {
        return ERR_NOT_FOUND;
    }
    if (!connection_attached(connection)) {
        return ERR_PEER_CLOSED;
    }
    if (channel->removed) {
        return ERR_REMOVED;
    }
    return queue_full(&connection->outbound) ? ERR_FULL : 0;
}

// origin is the connection of an inbound message: it stays known until its hang-up is received, and that comes after its
// messages.
static uint64_t put(struct queue *queue, uint32_t sender, const void *payload, uint64_t length, uint64_t id,
                    struct connection *origin) {
    struct ring_header header = {
        .sender = sender, .length = (uint32_t)length, .id = id, .sent_at = arch_stamp(), .origin = (uintptr_t)origin};
    queue_put(queue, &header, payload);
    return queue_last_sequence(queue);
}

// A send that is made again is one send.
static status_t reject(struct connection *connection, struct channel *channel, enum direction direction,
                       status_t status) {
    if (!call_made_again(status)) {
        books_rejected(connection, channel, direction);
    }
    return status;
}

static long send_to_servers(struct connection *connection, uint32_t sender, user_ptr_t from, uint64_t length,
                            uint64_t id) {
    struct channel *channel = connection->channel;
    uint8_t payload[MESSAGE_MAX];
    status_t status = inbound_refusal(connection, length);
    if (status == 0) {
        status = user_copy_in(payload, from, length);
    }
    if (status == 0) {
        status = queue_reserve(&channel->inbound);
    }
    if (status != 0) {
        return reject(connection, channel, INBOUND, status);
    }
    bool was_empty = queue_count(&channel->inbound) == 0;
    uint64_t sequence = put(&channel->inbound, sender, payload, length, id, connection);
    room_taken(connection);
    books_sent(connection, channel, INBOUND, (uint32_t)length);
    channel_raise(&channel->object, EVENT_READABLE, sender, id);
    call_message_came(channel);
    if (was_empty) {
        object_notify(&channel->object, EVENT_READABLE);
    }
    channel_settle(channel);
    return (long)sequence;
}

static long send_to_client(struct channel *channel, uint32_t sender, user_ptr_t from, uint64_t length, uint64_t id,
                           uint64_t to) {
    struct id_node *node = id_tree_find(&channel->connections, to);
    struct connection *connection = node == nullptr ? nullptr : container_of(node, struct connection, node);
    uint8_t payload[MESSAGE_MAX];
    status_t status = outbound_refusal(channel, connection, length);
    if (status == 0) {
        status = user_copy_in(payload, from, length);
    }
    if (status == 0) {
        status = queue_reserve(&connection->outbound);
    }
    if (status != 0) {
        return reject(connection, channel, OUTBOUND, status);
    }
    bool was_empty = queue_count(&connection->outbound) == 0;
    uint64_t sequence = put(&connection->outbound, sender, payload, length, id, nullptr);
    books_sent(connection, channel, OUTBOUND, (uint32_t)length);
    channel_raise(&connection->object, EVENT_READABLE, sender, id);
    if (queue_full(&connection->outbound)) {
        channel->full++;
    }
    if (was_empty) {
        object_notify(&connection->object, EVENT_READABLE);
    }
    return (long)sequence;
}

long message_send(struct object *object, uint32_t sender, user_ptr_t payload, uint64_t length, uint64_t id,
                  uint64_t to) {
    if (object->ops->kind == OBJECT_CONNECTION) {
        KASSERT(to == 0);
        return send_to_servers(connection_of(object), sender, payload, length, id);
    }
    return send_to_client(channel_of(object), sender, payload, length, id, to);
}

// The oldest message of a queue to the user; it stays in the queue. Returns its length.
static long copy_oldest(struct queue *queue, user_ptr_t buffer, uint64_t capacity, struct ring_header *header) {
    const uint8_t *payload;
    bool found = queue_peek(queue, header, &payload);
    KASSERT(found);
    if (header->length > capacity) {
        return ERR_TOO_BIG;
    }
    status_t status = user_copy_out(buffer, payload, header->length);
    return status != 0 ? status : (long)header->length;
}

// The oldest message has been copied out: it is received.
static void take_oldest(struct queue *queue, struct connection *connection, struct channel *channel,
                        enum direction direction, const struct ring_header *header, struct received *received) {
    *received = (struct received){.sender = header->sender,
                                  .kind = MESSAGE_DATA,
                                  .id = header->id,
                                  .connection = direction == INBOUND ? connection->node.id : 0,
                                  .sequence = queue_first_sequence(queue)};
    queue_drop(queue, header->length);
    books_received(connection, channel, direction, header->length, header->sent_at);
}

static long receive_from_clients(struct channel *channel, user_ptr_t buffer, uint64_t capacity,
                                 struct received *received) {
    struct connection *gone = channel_hang_up_due(channel);
    if (gone != nullptr) {
        *received = (struct received){
            .sender = gone->client_pid, .kind = MESSAGE_HANGUP, .connection = gone->node.id, .sequence = gone->after};
        channel_forget(channel, gone);
        return 0;
    }
    if (queue_count(&channel->inbound) == 0) {
        return channel->removed ? ERR_REMOVED : ERR_EMPTY;
    }
    struct ring_header header;
    long length = copy_oldest(&channel->inbound, buffer, capacity, &header);
    if (length < 0) {
        return length;
    }
    bool was_full = queue_full(&channel->inbound);
    take_oldest(&channel->inbound, (struct connection *)header.origin, channel, INBOUND, &header, received);
    if (was_full) {
        channel_raise(&channel->object, EVENT_WRITABLE, thread_current_pid(), 0);
    }
    if (!list_empty(&channel->starved)) {
        channel_sweep(channel);
    }
    channel_settle(channel);
    return length;
}

static long receive_from_servers(struct connection *connection, user_ptr_t buffer, uint64_t capacity,
                                 struct received *received) {
    struct channel *channel = connection->channel;
    if (queue_count(&connection->outbound) == 0) {
        if (!connection_attached(connection)) {
            return ERR_PEER_CLOSED;
        }
        return channel->removed ? ERR_REMOVED : ERR_EMPTY;
    }
    struct ring_header header;
    long length = copy_oldest(&connection->outbound, buffer, capacity, &header);
    if (length < 0) {
        return length;
    }
    bool was_full = queue_full(&connection->outbound);
    take_oldest(&connection->outbound, connection, channel, OUTBOUND, &header, received);
    if (was_full && connection_attached(connection) && --channel->full == 0) {
        object_notify(&channel->object, EVENT_WRITABLE);
    }
    return length;
}

long message_receive(struct object *object, user_ptr_t buffer, uint64_t capacity, struct received *received) {
    if (object->ops->kind == OBJECT_CONNECTION) {
        return receive_from_servers(connection_of(object), buffer, capacity, received);
    }
    return receive_from_clients(channel_of(object), buffer, capacity, received);
}
