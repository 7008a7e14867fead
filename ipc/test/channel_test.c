// Channels against an independent model: many clients and servers, deaths, removal, reopening, mailboxes, temporary
// channels, waiting, with memory that fails and user memory that faults. After every step the books balance; at the end
// nothing is left.
//
// The model knows one list of things to receive per channel, messages and hang-ups alike, and nothing of epochs, trees,
// pages or slices.
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"
#include "ipc/channel_impl.h"
#include "ipc/message.h"
#include "kernel/pages.h"
#include "kernel/slice.h"
#include "property.h"

enum { CHANNELS = 3, CLIENTS = 10, WAITERS = 8, ITEMS = 200 };

struct item {
    bool hang_up;
    uint32_t sender, length;
    uint64_t id, origin, sequence;
};

struct fifo {
    struct item item[ITEMS];
    unsigned count;    // items
    unsigned messages; // of those
    uint64_t sequence; // last given
};

struct m_channel {
    struct channel *real; // null: not there
    uint32_t depth, message_max;
    bool temporary, mapped, removed, node;
    bool held;              // by a call that is going on
    bool dead;              // nobody can serve it again
    unsigned servers, loss; // handles; times that the last server went
    uint64_t id;
    struct fifo inbound;
    struct message_counts in, out;
};

struct m_client {
    struct object *real; // null: not there
    struct m_channel *channel;
    unsigned handles, loss;
    unsigned invited; // waiters woken that may be about to send; never fewer than are
    bool finished;
    uint32_t pid;
    uint64_t id;
    struct fifo outbound;
    struct message_counts in, out;
};

static struct m_channel channels[CHANNELS];
static struct m_client clients[CLIENTS];
static struct fake_waiter waiters[WAITERS];
static struct { // as last seen
    struct object *object;
    uint32_t events;
    uint64_t woken;
} seen[WAITERS];
static struct message_counts total;
static struct property *now;

// ---- the model's own deeds -------------------------------------------------------------------------------------------

static void push(struct fifo *fifo, struct item item) {
    property_check(now, fifo->count < ITEMS);
    fifo->item[fifo->count++] = item;
    fifo->messages += !item.hang_up;
}

static struct item pop(struct fifo *fifo) {
    struct item item = fifo->item[0];
    memmove(fifo->item, fifo->item + 1, --fifo->count * sizeof item);
    fifo->messages -= !item.hang_up;
    return item;
}

static bool lost(const struct m_client *client) {
    return client->loss != client->channel->loss;
}

static void count_sent(struct message_counts *counts, uint32_t length) {
    counts->sent++;
    counts->bytes_sent += length;
    if (++counts->queued > counts->high_water) {
        counts->high_water = counts->queued;
    }
}

static void count_received(struct message_counts *counts, uint32_t length) {
    counts->received++;
    counts->bytes_received += length;
    counts->queued--;
}

static void count_discarded(struct message_counts *counts, uint64_t number) {
    counts->queued -= number;
    counts->discarded += number;
}

static void m_discard_inbound(struct m_channel *channel) {
    for (unsigned i = 0; i < CLIENTS; i++) {
        if (clients[i].real != nullptr && clients[i].channel == channel) {
            count_discarded(&clients[i].in, clients[i].in.queued);
        }
    }
    count_discarded(&total, channel->inbound.messages);
    count_discarded(&channel->in, channel->inbound.messages);
    channel->inbound.count = channel->inbound.messages = 0;
    channel->dead = true;
}

// A channel that nothing refers to goes, with what is queued in it.
static void m_channel_tidy(struct m_channel *channel) {
    if (channel->real == nullptr || channel->servers > 0 || channel->node) {
        return;
    }
    for (unsigned i = 0; i < CLIENTS; i++) {
        if (clients[i].real != nullptr && clients[i].channel == channel) {
            return;
        }
    }
    for (unsigned i = 0; i < WAITERS; i++) {
        if (waiters[i].object == channel_object(channel->real)) {
            return; // by a handle that has closed since
        }
    }
    m_discard_inbound(channel);
    channel->real = nullptr;
}

// Behind everything that it sent, and only once.
static void m_hang_up(struct m_client *client) {
    struct m_channel *channel = client->channel;
    bool queued = false;
    for (unsigned i = 0; i < channel->inbound.count; i++) {
        queued |= channel->inbound.item[i].origin == client->id;
    }
    if (!client->finished && !channel->dead && (channel->servers > 0 || queued)) {
        push(&channel->inbound,
             (struct item){
                 .hang_up = true, .sender = client->pid, .origin = client->id, .sequence = channel->inbound.sequence});
    }
    client->finished = true;
    client->invited = 0;
}

static void node_gone(void *context) {
    struct m_channel *channel = context;
    property_check(now, channel->temporary && channel->node && channel->removed);
    channel->node = false;
    object_unref(channel_object(channel->real));
}

// ---- deeds on both ---------------------------------------------------------------------------------------------------

static void client_close(struct m_client *client) {
    property_note(now, "client %llu closes, %u handles", (unsigned long long)client->id, client->handles);
    struct object *real = client->real;
    struct m_channel *channel = client->channel;
    if (--client->handles == 0) {
        count_discarded(&client->out, client->outbound.messages);
        count_discarded(&channel->out, client->outbound.messages);
        count_discarded(&total, client->outbound.messages);
        m_hang_up(client);
        client->real = nullptr;
    }
    object_handle_gone(real);
    m_channel_tidy(channel);
}

static void server_close(struct m_channel *channel) {
    property_note(now, "server of %llu closes, %u handles", (unsigned long long)channel->id, channel->servers);
    struct object *real = channel_object(channel->real);
    if (--channel->servers == 0) {
        channel->loss++;
        channel->removed |= channel->temporary;
        if (channel->removed) {
            m_discard_inbound(channel);
        }
    }
    object_handle_gone(real);
    m_channel_tidy(channel);
}

static void node_remove(struct m_channel *channel) {
    property_note(now, "node of %llu removed", (unsigned long long)channel->id);
    channel->removed = true;
    channel->node = false;
    if (channel->servers == 0) {
        m_discard_inbound(channel);
    }
    channel_set_removal(channel->real, nullptr, nullptr);
    channel_remove(channel->real);
    object_unref(channel_object(channel->real));
    m_channel_tidy(channel);
}

static void disturb(void) {
    fake_user_faults = property_chance(now, "fault", 5);
    fake_memory_fail((unsigned)property_choose(now, "fail", 30) == 1, false);
}

static void disturb_end(void) {
    fake_user_faults = false;
    fake_memory_fail(0, false);
}

static struct m_channel *some_channel(void) {
    struct m_channel *channel = &channels[property_choose(now, "channel", CHANNELS)];
    return channel->real != nullptr ? channel : nullptr;
}

static struct m_client *some_client(void) {
    struct m_client *client = &clients[property_choose(now, "client", CLIENTS)];
    return client->real != nullptr ? client : nullptr;
}

static void create(void) {
    struct m_channel *channel = &channels[property_choose(now, "channel", CHANNELS)];
    if (channel->real != nullptr) {
        return;
    }
    struct abi_channel_config config = {
        .depth = (uint32_t)property_between(now, "depth", 1, property_chance(now, "deeper", 40) ? 30 : 3),
        .message_max = (uint32_t)property_between(now, "message_max", 1, MESSAGE_MAX),
        .flags = (property_chance(now, "temporary", 20) ? CHANNEL_TEMPORARY : 0) |
                 (property_chance(now, "mapped", 30) ? CHANNEL_MAPPED : 0),
    };
    bool served = property_chance(now, "served", 70);
    bool named = !served || property_chance(now, "named", 60);
    fake_memory_fail(property_chance(now, "fail", 5), false);
    struct channel *real;
    status_t status = channel_new(&config, 1, &real);
    property_equal(now, status, fake_memory_failed() ? ERR_NO_MEMORY : 0);
    fake_memory_fail(0, false);
    if (status != 0) {
        return;
    }
    struct channel_info info;
    channel_get_info(real, &info);
    *channel = (struct m_channel){.real = real,
                                  .depth = config.depth,
                                  .message_max = config.message_max,
                                  .temporary = (config.flags & CHANNEL_TEMPORARY) != 0,
                                  .mapped = (config.flags & CHANNEL_MAPPED) != 0,
                                  .node = named,
                                  .servers = served,
                                  .id = info.id};
    if (named) {
        channel_set_path(real, "/ipc/test");
        object_ref(channel_object(real));
        channel_set_removal(real, node_gone, channel);
    }
    if (served) {
        object_handle_added(channel_object(real));
    }
    object_unref(channel_object(real));
    property_note(now, "channel %llu: depth %u, served %d, named %d, temporary %u", (unsigned long long)info.id,
                  config.depth, served, named, config.flags);
}

static void connect(void) {
    struct m_channel *channel = some_channel();
    struct m_client *client = &clients[property_choose(now, "client", CLIENTS)];
    if (channel == nullptr || client->real != nullptr || (channel->servers == 0 && !channel->node)) {
        return;
    }
    uint32_t pid = (uint32_t)(100 + (client - clients));
    struct object *real;
    disturb();
    fake_user_faults = false;
    status_t status = channel_connect(channel->real, pid, &real);
    property_equal(now, status, channel->removed ? ERR_REMOVED : fake_memory_failed() ? ERR_NO_MEMORY : 0);
    disturb_end();
    if (status == 0) {
        *client = (struct m_client){.real = real, .channel = channel, .handles = 1, .loss = channel->loss, .pid = pid};
        client->id = connection_of(real)->node.id;
        if (property_chance(now, "no handle for it", 5)) {
            client->real = nullptr;
            object_unref(real);
        } else {
            object_handle_added(real);
            object_unref(real);
            property_note(now, "client %llu of %llu", (unsigned long long)client->id, (unsigned long long)channel->id);
        }
    }
}

static uint64_t some_length(const struct m_channel *channel) {
    if (property_chance(now, "odd length", 10)) {
        return property_word(now, "length");
    }
    return property_choose(now, "length", channel->message_max + 2);
}

static void fill(uint8_t *payload, uint64_t seed) {
    for (unsigned i = 0; i < MESSAGE_MAX; i++) {
        payload[i] = (uint8_t)(seed * 7 + i);
    }
}

static status_t refusal_to_servers(const struct m_client *client, uint64_t length) {
    const struct m_channel *channel = client->channel;
    return length > channel->message_max                 ? ERR_TOO_BIG
           : lost(client) || client->finished            ? ERR_PEER_CLOSED
           : channel->removed                            ? ERR_REMOVED
           : channel->inbound.messages >= channel->depth ? ERR_FULL
                                                         : 0;
}

static void client_send(void) {
    struct m_client *client = some_client();
    if (client == nullptr) {
        return;
    }
    struct m_channel *channel = client->channel;
    uint64_t length = some_length(channel);
    uint64_t id = property_word(now, "id");
    uint8_t payload[MESSAGE_MAX];
    fill(payload, id);
    disturb();
    status_t refusal = refusal_to_servers(client, length);
    long result = message_send(client->real, client->pid, fake_user(payload), length, id, 0);
    long expected = refusal != 0                      ? refusal
                    : fake_user_faults && length != 0 ? ERR_FAULT
                    : fake_memory_failed()            ? ERR_NO_MEMORY
                                                      : (long)channel->inbound.sequence + 1;
    disturb_end();
    property_note(now, "client %llu sends %llu: %ld", (unsigned long long)client->id, (unsigned long long)length,
                  result);
    property_equal(now, result, expected);
    if (result < 0) {
        client->in.rejected++;
        channel->in.rejected++;
        total.rejected++;
        return;
    }
    client->invited -= client->invited > 0;
    count_sent(&client->in, (uint32_t)length);
    count_sent(&channel->in, (uint32_t)length);
    count_sent(&total, (uint32_t)length);
    push(&channel->inbound, (struct item){.sender = client->pid,
                                          .length = (uint32_t)length,
                                          .id = id,
                                          .origin = client->id,
                                          .sequence = ++channel->inbound.sequence});
}

static status_t refusal_to_client(const struct m_channel *channel, const struct m_client *client, uint64_t to,
                                  uint64_t length) {
    if (length > channel->message_max) {
        return ERR_TOO_BIG;
    }
    if (client == nullptr || client->real == nullptr || client->id != to) {
        // Gone: known until its hang-up is received.
        bool known = false;
        for (unsigned i = 0; i < channel->inbound.count; i++) {
            known |= channel->inbound.item[i].hang_up && channel->inbound.item[i].origin == to;
        }
        return known ? ERR_PEER_CLOSED : ERR_NOT_FOUND;
    }
    return lost(client)                                  ? ERR_PEER_CLOSED
           : channel->removed                            ? ERR_REMOVED
           : client->outbound.messages >= channel->depth ? ERR_FULL
                                                         : 0;
}

static void server_send(void) {
    struct m_channel *channel = some_channel();
    if (channel == nullptr || channel->servers == 0) {
        return;
    }
    struct m_client *client = &clients[property_choose(now, "client", CLIENTS)];
    // A client of ours, one that is gone, or any number.
    uint64_t to = property_chance(now, "odd id", 10) ? property_word(now, "to") : client->id;
    for (unsigned i = 0; i < CLIENTS; i++) {
        if (clients[i].real != nullptr && clients[i].id == to) {
            client = &clients[i];
        }
    }
    if (client->channel != channel || client->id != to) {
        client = nullptr;
    }
    uint64_t length = some_length(channel);
    uint64_t id = property_word(now, "id");
    uint8_t payload[MESSAGE_MAX];
    fill(payload, id);
    disturb();
    status_t refusal = refusal_to_client(channel, client, to, length);
    bool counted = client != nullptr && client->real != nullptr;
    long result = message_send(channel_object(channel->real), 9, fake_user(payload), length, id, to);
    long expected = refusal != 0                      ? refusal
                    : fake_user_faults && length != 0 ? ERR_FAULT
                    : fake_memory_failed()            ? ERR_NO_MEMORY
                                                      : (long)client->outbound.sequence + 1;
    disturb_end();
    property_note(now, "server of %llu sends %llu to %llu: %ld", (unsigned long long)channel->id,
                  (unsigned long long)length, (unsigned long long)to, result);
    property_equal(now, result, expected);
    if (result < 0) {
        if (counted) {
            client->out.rejected++;
        }
        channel->out.rejected++;
        total.rejected++;
        return;
    }
    count_sent(&client->out, (uint32_t)length);
    count_sent(&channel->out, (uint32_t)length);
    count_sent(&total, (uint32_t)length);
    push(&client->outbound,
         (struct item){.sender = 9, .length = (uint32_t)length, .id = id, .sequence = ++client->outbound.sequence});
}

// Receive and compare; returns whether a message came, and which.
static bool receive(struct object *real, struct fifo *fifo, long if_empty, bool *hang_up, struct item *got) {
    uint8_t buffer[MESSAGE_MAX], payload[MESSAGE_MAX];
    memset(buffer, 0xcc, sizeof buffer);
    uint64_t capacity = property_chance(now, "small", 10) ? property_choose(now, "capacity", MESSAGE_MAX) : MESSAGE_MAX;
    struct received received = {};
    disturb();
    long result = message_receive(real, fake_user(buffer), capacity, &received);
    struct item *item = &fifo->item[0];
    long expected = fifo->count == 0                       ? if_empty
                    : item->hang_up                        ? 0
                    : item->length > capacity              ? ERR_TOO_BIG
                    : fake_user_faults && item->length > 0 ? ERR_FAULT
                                                           : (long)item->length;
    disturb_end();
    property_note(now, "receive: %ld", result);
    property_equal(now, result, expected);
    if (result < 0) {
        return false;
    }
    *got = pop(fifo);
    *hang_up = got->hang_up;
    property_equal(now, received.kind, got->hang_up ? MESSAGE_HANGUP : MESSAGE_DATA);
    property_equal(now, received.sender, got->sender);
    property_equal(now, received.id, got->id);
    property_equal(now, received.connection, got->origin);
    property_equal(now, received.sequence, got->sequence);
    fill(payload, got->id);
    property_equal(now, memcmp(buffer, payload, got->length), 0);
    property_check(now, got->length == MESSAGE_MAX || buffer[got->length] == 0xcc);
    return true;
}

static void client_receive(void) {
    struct m_client *client = some_client();
    if (client == nullptr) {
        return;
    }
    struct m_channel *channel = client->channel;
    bool hang_up;
    struct item got;
    long if_empty = lost(client) ? ERR_PEER_CLOSED : channel->removed ? ERR_REMOVED : ERR_EMPTY;
    if (receive(client->real, &client->outbound, if_empty, &hang_up, &got)) {
        count_received(&client->out, got.length);
        count_received(&channel->out, got.length);
        count_received(&total, got.length);
    }
}

static void server_receive(void) {
    struct m_channel *channel = some_channel();
    if (channel == nullptr || channel->servers == 0) {
        return;
    }
    bool hang_up;
    struct item got;
    if (receive(channel_object(channel->real), &channel->inbound, channel->removed ? ERR_REMOVED : ERR_EMPTY, &hang_up,
                &got) &&
        !hang_up) {
        for (unsigned i = 0; i < CLIENTS; i++) {
            if (clients[i].real != nullptr && clients[i].id == got.origin) {
                count_received(&clients[i].in, got.length);
            }
        }
        count_received(&channel->in, got.length);
        count_received(&total, got.length);
    }
}

// ---- what must hold --------------------------------------------------------------------------------------------------

static uint32_t client_events(const struct m_client *client) {
    const struct m_channel *channel = client->channel;
    bool over = lost(client) || channel->removed;
    return (client->outbound.count > 0 || over ? EVENT_READABLE : 0) |
           (over || client->finished || channel->inbound.messages < channel->depth ? EVENT_WRITABLE : 0) |
           (lost(client) ? EVENT_PEER_LOST : 0) | (channel->removed ? EVENT_REMOVED : 0);
}

static uint32_t server_events(const struct m_channel *channel) {
    bool full = false;
    for (unsigned i = 0; i < CLIENTS; i++) {
        const struct m_client *client = &clients[i];
        full |= client->real != nullptr && client->channel == channel && !lost(client) &&
                client->outbound.messages == channel->depth;
    }
    bool hang_up = channel->inbound.count > channel->inbound.messages;
    return (channel->inbound.count > 0 || channel->removed ? EVENT_READABLE : 0) |
           (!full || channel->removed ? EVENT_WRITABLE : 0) | (hang_up ? EVENT_PEER_LOST : 0) |
           (channel->removed ? EVENT_REMOVED : 0);
}

static void counts_equal(const struct message_counts *real, const struct message_counts *model) {
    property_equal(now, real->sent, real->received + real->queued + real->discarded);
    property_equal(now, real->sent, model->sent);
    property_equal(now, real->received, model->received);
    property_equal(now, real->queued, model->queued);
    property_equal(now, real->discarded, model->discarded);
    property_equal(now, real->rejected, model->rejected);
    property_equal(now, real->bytes_sent, model->bytes_sent);
    property_equal(now, real->bytes_received, model->bytes_received);
    property_equal(now, real->high_water, model->high_water);
}

static struct ipc_totals before; // the case began

static void check(void) {
    struct ipc_totals totals;
    ipc_get_totals(&totals);
    property_equal(now, totals.messages.sent,
                   totals.messages.received + totals.messages.queued + totals.messages.discarded);
    property_equal(now, totals.messages.sent - before.messages.sent, total.sent);
    property_equal(now, totals.messages.received - before.messages.received, total.received);
    property_equal(now, totals.messages.discarded - before.messages.discarded, total.discarded);
    property_equal(now, totals.messages.rejected - before.messages.rejected, total.rejected);
    uint64_t channels_there = 0, clients_there = 0;
    for (unsigned i = 0; i < CHANNELS; i++) {
        const struct m_channel *channel = &channels[i];
        if (channel->real == nullptr) {
            continue;
        }
        channels_there++;
        struct channel_info info;
        channel_get_info(channel->real, &info);
        counts_equal(&info.inbound, &channel->in);
        counts_equal(&info.outbound, &channel->out);
        property_equal(now, info.inbound.queued, channel->inbound.messages);
        property_equal(now, latency_messages(channel_latency(channel->real)),
                       channel->in.received + channel->out.received);
        property_equal(now, info.removed, channel->removed);
        property_equal(now, info.servers, channel->servers);
        property_check(now, channel_after(info.id - 1) == channel->real);
        unsigned own = 0;
        uint64_t id = 0;
        for (struct connection *c; (c = connection_after(channel->real, id)) != nullptr;) {
            struct connection_info connection;
            connection_get_info(c, &connection);
            property_check(now, connection.id > id);
            id = connection.id;
            own += !connection.hung_up;
        }
        property_equal(now, own, info.connections);
    }
    for (unsigned i = 0; i < CLIENTS; i++) {
        const struct m_client *client = &clients[i];
        if (client->real == nullptr) {
            continue;
        }
        clients_there++;
        struct connection_info info;
        connection_get_info(connection_of(client->real), &info);
        counts_equal(&info.inbound, &client->in);
        counts_equal(&info.outbound, &client->out);
        property_equal(now, info.peer_lost, lost(client));
        property_check(now, !info.hung_up);
    }
    property_equal(now, totals.channels_active, channels_there);
    property_equal(now, totals.connections_active, clients_there);
    property_equal(now, totals.channels_created, totals.channels_active + totals.channels_destroyed);
    property_equal(now, totals.connections_created, totals.connections_active + totals.connections_destroyed);
}

// Who was woken since the last look: clients that may be about to send. Returns how many of those waited for room alone.
static unsigned look_at_waiters(void) {
    unsigned for_room = 0;
    for (unsigned i = 0; i < WAITERS; i++) {
        for (unsigned k = 0; k < CLIENTS && waiters[i].woken > seen[i].woken; k++) {
            if (clients[k].real != nullptr && clients[k].real == seen[i].object &&
                (seen[i].events & EVENT_WRITABLE) != 0) {
                clients[k].invited++;
                for_room += seen[i].events == EVENT_WRITABLE;
            }
        }
        seen[i].object = waiters[i].object;
        seen[i].events = waiters[i].events;
        seen[i].woken = waiters[i].woken;
    }
    return for_room;
}

// Slots of its channel for which nobody was woken who could still take them.
static bool room_is_left(const struct m_client *client) {
    const struct m_channel *channel = client->channel;
    unsigned taken = channel->inbound.messages;
    for (unsigned i = 0; i < CLIENTS; i++) {
        taken += clients[i].real != nullptr && clients[i].channel == channel ? clients[i].invited : 0;
    }
    return taken < channel->depth;
}

// Nobody sleeps while what he waits for holds: at once for what the call itself touched, for all others when the slices
// are done; but for room only if others who were woken do not leave any. The level is the model's: to ask the channel
// would make it remember who asked.
static void check_waiters(void) {
    if (slice_pending()) {
        return;
    }
    for (unsigned i = 0; i < WAITERS; i++) {
        const struct object *object = waiters[i].object;
        uint32_t events = 0;
        for (unsigned k = 0; object != nullptr && k < CHANNELS; k++) {
            if (channels[k].real != nullptr && channel_object(channels[k].real) == object) {
                events = server_events(&channels[k]);
            }
        }
        for (unsigned k = 0; object != nullptr && k < CLIENTS; k++) {
            if (clients[k].real == object) {
                events = client_events(&clients[k]);
                bool over = lost(&clients[k]) || clients[k].channel->removed || clients[k].finished;
                events &= over || room_is_left(&clients[k]) ? UINT32_MAX : ~EVENT_WRITABLE;
            }
        }
        property_equal(now, events & waiters[i].events, 0);
    }
}

static void check_events(void) {
    struct m_channel *channel = some_channel();
    if (channel != nullptr) {
        property_equal(now, channel_ops.events(channel_object(channel->real)), server_events(channel));
    }
    struct m_client *client = some_client();
    if (client != nullptr) {
        property_equal(now, connection_ops.events(client->real), client_events(client));
    }
}

// A peer writes whatever it likes: what is shown of the ring is that, and nothing else follows from it.
static void scribble(struct pages *rings, struct connection *connection) {
    struct connection_info info;
    paddr_t page = pages_get(rings, 0, property_chance(now, "touch", 50));
    struct abi_ring_pair nothing = {};
    struct abi_ring_pair *pair = page != 0 ? arch_phys_to_virt(page) : &nothing;
    if (page != 0) {
        struct abi_ring_end *const end[] = {&pair->server.tail, &pair->server.head, &pair->client.tail,
                                            &pair->client.head};
        end[property_choose(now, "which", 4)]->index = property_word(now, "index");
    }
    connection_get_info(connection, &info);
    property_check(now, info.mapped);
    property_equal(now, info.ring_in.sent, pair->server.tail.index);
    property_equal(now, info.ring_in.received, pair->server.head.index);
    property_equal(now, info.ring_in.queued, info.ring_in.sent - info.ring_in.received);
    property_equal(now, info.ring_out.sent, pair->client.tail.index);
    property_equal(now, info.ring_out.received, pair->client.head.index);
    property_equal(now, info.ring_out.queued, info.ring_out.sent - info.ring_out.received);
}

// The rings of a mapped channel's connection: the same memory for client and server, as long as the servers know of it.
static void look_at_rings(void) {
    struct m_channel *channel = some_channel();
    struct m_client *client = &clients[property_choose(now, "client", CLIENTS)];
    if (channel == nullptr) {
        return;
    }
    bool there = client->real != nullptr && client->channel == channel, known = there;
    for (unsigned i = 0; i < channel->inbound.count; i++) {
        known |= channel->inbound.item[i].hang_up && channel->inbound.item[i].origin == client->id;
    }
    struct pages *rings = channel_rings(channel->real, client->id), *mapped = nullptr;
    property_equal(now, rings != nullptr, channel->mapped && known);
    if (there) {
        uint64_t size = 0;
        status_t status = connection_ops.memory(client->real, PROT_READ | PROT_WRITE, &mapped, &size);
        property_equal(now, status, channel->mapped ? 0 : ERR_WRONG_KIND);
        property_check(now, mapped == rings);
        property_equal(now, size, channel->mapped ? rings->count * PAGE_SIZE : 0);
        property_equal(now, connection_ops.memory(client->real, PROT_EXEC, &mapped, &size), ERR_WRONG_KIND);
        if (rings != nullptr) {
            scribble(rings, connection_of(client->real));
        }
    }
}

static void wait_somewhere(void) {
    struct fake_waiter *waiter = &waiters[property_choose(now, "waiter", WAITERS)];
    fake_wait_end(waiter);
    uint32_t events =
        property_chance(now, "for room", 40) ? EVENT_WRITABLE : (uint32_t)property_between(now, "events", 1, 31);
    struct m_channel *channel = some_channel();
    struct m_client *client = some_client();
    if (property_chance(now, "as client", 70)) {
        if (client != nullptr) {
            fake_wait(waiter, client->real, events);
        }
    } else if (channel != nullptr && channel->servers > 0) {
        fake_wait(waiter, channel_object(channel->real), events);
    }
}

static void tidy(void) {
    for (unsigned i = 0; i < CHANNELS; i++) {
        m_channel_tidy(&channels[i]);
    }
}

static void converse(struct property *p) {
    now = p;
    memset(channels, 0, sizeof channels);
    memset(clients, 0, sizeof clients);
    memset(waiters, 0, sizeof waiters);
    memset(seen, 0, sizeof seen);
    total = (struct message_counts){};
    ipc_get_totals(&before);
    uint64_t pages = fake_memory_pages(), objects = fake_memory_objects();
    while (property_more(p, 200)) {
        bool received = false, at_rest = !slice_pending();
        switch (property_choose(p, "what", 33)) {
        case 0 ... 1:
            create();
            break;
        case 2 ... 4:
            connect();
            break;
        case 5 ... 12:
            client_send();
            break;
        case 13 ... 16:
            server_send();
            break;
        case 17 ... 20:
            server_receive();
            received = true;
            break;
        case 21 ... 22:
            client_receive();
            break;
        case 23 ... 24: {
            struct m_client *client = some_client();
            if (client != nullptr) {
                if (property_chance(p, "finish", 25)) {
                    property_note(p, "client %llu finishes", (unsigned long long)client->id);
                    m_hang_up(client);
                    connection_finish(connection_of(client->real));
                } else if (property_chance(p, "dup", 20)) {
                    client->handles++;
                    object_handle_added(client->real);
                } else {
                    client_close(client);
                }
            }
            break;
        }
        case 25: {
            struct m_channel *channel = some_channel();
            if (channel != nullptr && channel->servers > 0) {
                server_close(channel);
            }
            break;
        }
        case 26 ... 27: {
            struct m_channel *channel = some_channel();
            if (channel != nullptr && (channel->servers > 0 || (channel->node && !channel->removed))) {
                channel->servers++;
                object_handle_added(channel_object(channel->real));
            }
            break;
        }
        case 28: {
            struct m_channel *channel = some_channel();
            if (channel != nullptr && channel->node && property_chance(p, "remove", 50)) {
                node_remove(channel);
            }
            break;
        }
        case 29:
            wait_somewhere();
            break;
        case 30:
            if (property_chance(p, "rings", 50)) {
                look_at_rings();
            } else {
                check_events();
            }
            break;
        case 31:
            slice_run((unsigned)property_choose(p, "units", 40));
            break;
        case 32: // so long that whoever was woken and has not sent does not mean to
            property_note(p, "time passes");
            fake_time_pass(20000000);
            for (unsigned i = 0; i < CLIENTS; i++) {
                clients[i].invited = 0;
            }
            break;
        }
        unsigned woken = look_at_waiters();
        property_check(p, !received || !at_rest || woken <= 1); // one message less is room for one
        tidy();
        check();
        check_waiters();
    }
    for (unsigned i = 0; i < WAITERS; i++) {
        fake_wait_end(&waiters[i]);
    }
    tidy();
    for (unsigned i = 0; i < CLIENTS; i++) {
        while (clients[i].real != nullptr) {
            client_close(&clients[i]);
        }
    }
    for (unsigned i = 0; i < CHANNELS; i++) {
        while (channels[i].real != nullptr && channels[i].servers > 0) {
            server_close(&channels[i]);
        }
        if (channels[i].real != nullptr && channels[i].node) {
            node_remove(&channels[i]);
        }
    }
    check();
    while (slice_pending()) {
        slice_run(3);
    }
    property_equal(p, total.queued, 0);
    property_equal(p, fake_memory_pages(), pages);
    property_equal(p, fake_memory_objects(), objects);
    property_equal(p, object_count(OBJECT_CHANNEL), 0);
    property_equal(p, object_count(OBJECT_CONNECTION), 0);
    property_check(p, channel_after(0) == nullptr);
}

Test(channel, agrees_with_the_model) {
    cr_assert(property_run("channel_agrees_with_the_model", 4000, converse));
}

// ---- single facts ----------------------------------------------------------------------------------------------------

static struct channel *served(uint32_t depth) {
    struct abi_channel_config config = {.depth = depth};
    struct channel *channel;
    cr_assert_eq(channel_new(&config, 1, &channel), 0);
    object_handle_added(channel_object(channel));
    object_unref(channel_object(channel));
    return channel;
}

static struct object *client_of(struct channel *channel) {
    struct object *connection;
    cr_assert_eq(channel_connect(channel, 2, &connection), 0);
    object_handle_added(connection);
    object_unref(connection);
    return connection;
}

static long send_byte(struct object *object, uint64_t to) {
    return message_send(object, 3, fake_user("x"), 1, 0, to);
}

static long receive_any(struct object *object) {
    uint8_t buffer[MESSAGE_MAX];
    struct received received;
    return message_receive(object, fake_user(buffer), sizeof buffer, &received);
}

static void all_slices(void) {
    while (slice_pending()) {
        slice_run(SLICE_BUDGET);
    }
}

Test(channel, bad_config_is_refused) {
    struct channel *channel;
    cr_assert_eq(channel_new(&(struct abi_channel_config){.depth = CHANNEL_DEPTH_MAX + 1}, 1, &channel), ERR_INVALID);
    cr_assert_eq(channel_new(&(struct abi_channel_config){.message_max = MESSAGE_MAX + 1}, 1, &channel), ERR_INVALID);
    cr_assert_eq(channel_new(&(struct abi_channel_config){.mode = 01000}, 1, &channel), ERR_INVALID);
    cr_assert_eq(channel_new(&(struct abi_channel_config){.flags = 4}, 1, &channel), ERR_INVALID);
    cr_assert_eq(object_count(OBJECT_CHANNEL), 0);
}

Test(channel, defaults_are_those_of_the_table) {
    struct channel *channel;
    struct channel_info info;
    cr_assert_eq(channel_new(nullptr, 1, &channel), 0);
    channel_get_info(channel, &info);
    cr_assert_eq(info.depth, CHANNEL_DEPTH);
    cr_assert_eq(info.message_max, MESSAGE_MAX);
    cr_assert_eq(info.mode, 0766);
    object_unref(channel_object(channel));
    cr_assert_eq(fake_memory_objects(), 0);
}

Test(channel, read_is_zero_at_hang_up_and_at_loss) {
    struct channel *channel = served(4);
    struct object *server = channel_object(channel), *client = client_of(channel);
    uint8_t buffer[8];
    cr_assert_eq(server->ops->read(server, nullptr, fake_user(buffer), 8, 0), ERR_EMPTY);
    cr_assert_eq(client->ops->read(client, nullptr, fake_user(buffer), 8, 0), ERR_EMPTY);
    cr_assert_eq(send_byte(client, 0), 1);
    struct object *second = client_of(channel);
    object_handle_gone(client);
    cr_assert_eq(server->ops->read(server, nullptr, fake_user(buffer), 8, 0), 1);
    cr_assert_eq(server->ops->read(server, nullptr, fake_user(buffer), 8, 0), 0);
    cr_assert_eq(server->ops->read(server, nullptr, fake_user(buffer), 8, 0), ERR_EMPTY);
    object_handle_gone(server);
    cr_assert_eq(second->ops->read(second, nullptr, fake_user(buffer), 8, 0), 0);
    object_handle_gone(second);
    all_slices();
    cr_assert_eq(fake_memory_objects() + fake_memory_pages(), 0);
}

// 5,000 clients, each with a thread that waits: the loss of the server holds for all at once, and they are woken in
// steps none of which is long.
Test(channel, loss_with_many_clients_is_at_once_and_in_steps) {
    enum { MANY = 5000 };
    static struct object *client[MANY];
    static struct fake_waiter waiter[MANY];
    struct channel *channel = served(4);
    for (unsigned i = 0; i < MANY; i++) {
        client[i] = client_of(channel);
        fake_wait(&waiter[i], client[i], EVENT_PEER_LOST);
    }
    uint64_t told = fake_notified();
    object_handle_gone(channel_object(channel));
    cr_assert_leq(fake_notified() - told, 16);
    for (unsigned i = 0; i < MANY; i++) {
        cr_assert_eq(send_byte(client[i], 0), ERR_PEER_CLOSED);
    }
    while (slice_pending()) {
        told = fake_notified();
        slice_run(SLICE_BUDGET);
        cr_assert_leq(fake_notified() - told, SLICE_BUDGET);
    }
    for (unsigned i = 0; i < MANY; i++) {
        cr_assert_eq(waiter[i].woken, 1);
        object_handle_gone(client[i]);
    }
    all_slices();
    cr_assert_eq(fake_memory_objects() + fake_memory_pages(), 0);
}

// ---- room ------------------------------------------------------------------------------------------------------------

enum { LINE = 200 };
static struct object *filler, *in_line[LINE];
static struct fake_waiter line_waiter[LINE];

// A full queue, and a line of clients that wait for room in it.
static struct channel *full_with_line(uint32_t depth) {
    struct channel *channel = served(depth);
    memset(line_waiter, 0, sizeof line_waiter);
    filler = client_of(channel);
    for (unsigned i = 0; i < depth; i++) {
        cr_assert_eq(send_byte(filler, 0), (long)i + 1);
    }
    for (unsigned i = 0; i < LINE; i++) {
        in_line[i] = client_of(channel);
        cr_assert_eq(send_byte(in_line[i], 0), ERR_FULL);
        fake_wait(&line_waiter[i], in_line[i], EVENT_WRITABLE);
    }
    return channel;
}

// Those from `first` on that were woken, `number` of them and nobody else.
static void expect_woken(unsigned first, unsigned number) {
    for (unsigned i = 0; i < LINE; i++) {
        cr_assert_eq(line_waiter[i].woken, i < first + number, "%u, of %u and %u", i, first, number);
    }
}

static void end_line(struct channel *channel) {
    for (unsigned i = 0; i < LINE; i++) {
        fake_wait_end(&line_waiter[i]);
        object_handle_gone(in_line[i]);
    }
    object_handle_gone(filler);
    object_handle_gone(channel_object(channel));
    all_slices();
    cr_assert_not(fake_timer_runs());
    cr_assert_eq(fake_memory_objects() + fake_memory_pages(), 0);
}

// Each message less wakes the next in line and nobody else, and each of them finds the room it was woken for.
Test(channel, room_wakes_one_after_the_other) {
    struct channel *channel = full_with_line(1);
    for (unsigned i = 0; i < LINE; i++) {
        uint64_t told = fake_notified();
        cr_assert_eq(receive_any(channel_object(channel)), 1);
        cr_assert_leq(fake_notified() - told, 2);
        all_slices();
        expect_woken(i, 1);
        cr_assert_eq(send_byte(in_line[i], 0), (long)i + 2);
        all_slices();
        expect_woken(i, 1);
    }
    end_line(channel);
}

// More room wakes as many, in their order, also before any of them has sent.
Test(channel, room_wakes_as_many_as_it_holds) {
    enum { DEPTH = 60 };
    struct channel *channel = full_with_line(DEPTH);
    for (unsigned i = 0; i < DEPTH; i++) {
        cr_assert_eq(receive_any(channel_object(channel)), 1);
        all_slices();
        expect_woken(0, i + 1);
    }
    for (unsigned i = DEPTH; i-- > 0;) { // in any order
        cr_assert_gt(send_byte(in_line[i], 0), 0);
    }
    all_slices();
    expect_woken(0, DEPTH);
    end_line(channel);
}

// Who was woken and does not send: the next get the room when it goes, when it finishes, and when its time is over.
Test(channel, room_that_nobody_takes_goes_to_the_next) {
    struct channel *channel = full_with_line(1);
    cr_assert_eq(receive_any(channel_object(channel)), 1);
    all_slices();
    expect_woken(0, 1);
    object_handle_gone(in_line[0]);
    all_slices();
    expect_woken(0, 2);
    connection_finish(connection_of(in_line[1]));
    all_slices();
    expect_woken(0, 3);
    fake_time_pass(1000000);
    all_slices();
    expect_woken(0, 3);
    fake_time_pass(10000000);
    all_slices();
    expect_woken(0, 4);
    // Late, but it finds the room; then there is none for the other who was woken, and it goes to the end of the line.
    cr_assert_gt(send_byte(in_line[2], 0), 0);
    cr_assert_eq(send_byte(in_line[3], 0), ERR_FULL);
    fake_wait(&line_waiter[3], in_line[3], EVENT_WRITABLE);
    for (unsigned i = 4; i < LINE; i++) {
        cr_assert_geq(receive_any(channel_object(channel)), 0);
        while (receive_any(channel_object(channel)) >= 0) { // hang-ups
        }
        all_slices();
        expect_woken(0, i + 1);
        cr_assert_gt(send_byte(in_line[i], 0), 0);
        cr_assert_eq(line_waiter[3].woken, 1);
    }
    cr_assert_eq(receive_any(channel_object(channel)), 1);
    cr_assert_eq(line_waiter[3].woken, 2);
    line_waiter[3].woken = 1;
    in_line[0] = client_of(channel);
    end_line(channel);
}

// An invitation of long ago takes nothing from those who come later.
Test(channel, room_is_not_kept_for_who_was_woken_long_ago) {
    struct channel *channel = served(1);
    struct object *first = client_of(channel), *second = client_of(channel), *server = channel_object(channel);
    struct fake_waiter waiter[2] = {};
    cr_assert_eq(send_byte(first, 0), 1);
    fake_wait(&waiter[0], first, EVENT_WRITABLE);
    cr_assert_eq(receive_any(server), 1);
    cr_assert_eq(waiter[0].woken, 1);
    cr_assert_not(fake_timer_runs()); // nobody is in line
    fake_time_pass(20000000);
    cr_assert_eq(send_byte(second, 0), 2);
    fake_wait(&waiter[1], second, EVENT_WRITABLE);
    cr_assert_eq(receive_any(server), 1);
    cr_assert_eq(waiter[1].woken, 1);
    object_handle_gone(first);
    object_handle_gone(second);
    object_handle_gone(server);
    all_slices();
    cr_assert_eq(fake_memory_objects() + fake_memory_pages(), 0);
}

// Several threads wait on one client: each slot wakes one of them, and they take turns with other clients.
Test(channel, threads_of_one_client_share_its_place) {
    enum { THREADS = 20 };
    struct channel *channel = served(2);
    struct object *crowd = client_of(channel), *single = client_of(channel), *server = channel_object(channel);
    struct fake_waiter waiter[THREADS] = {}, other = {};
    cr_assert_eq(send_byte(crowd, 0), 1);
    cr_assert_eq(send_byte(crowd, 0), 2);
    for (unsigned i = 0; i < THREADS; i++) {
        fake_wait(&waiter[i], crowd, EVENT_WRITABLE);
    }
    fake_wait(&other, single, EVENT_WRITABLE);
    cr_assert_eq(receive_any(server), 1);
    cr_assert_eq(waiter[0].woken, 1);
    cr_assert_eq(waiter[1].woken + other.woken, 0);
    cr_assert_eq(receive_any(server), 1);
    cr_assert_eq(waiter[1].woken, 0);
    cr_assert_eq(other.woken, 1);
    cr_assert_eq(send_byte(crowd, 0), 3);
    cr_assert_eq(send_byte(single, 0), 4);
    for (unsigned i = 1; i < THREADS; i++) {
        cr_assert_eq(waiter[i].woken, 0);
        cr_assert_eq(receive_any(server), 1);
        cr_assert_eq(waiter[i].woken, 1);
        cr_assert_gt(send_byte(crowd, 0), 0);
    }
    object_handle_gone(crowd);
    object_handle_gone(single);
    object_handle_gone(server);
    all_slices();
    cr_assert_eq(fake_memory_objects() + fake_memory_pages(), 0);
}

// Hang-ups that nobody receives keep no channel alive: it goes with its last server, and they with it.
Test(channel, unheard_hang_ups_go_with_the_channel) {
    enum { MANY = 1000 };
    struct channel *channel = served(8);
    for (unsigned i = 0; i < MANY; i++) {
        object_handle_gone(client_of(channel));
    }
    cr_assert_eq(object_count(OBJECT_CONNECTION), MANY);
    object_handle_gone(channel_object(channel));
    cr_assert_eq(channel_after(0), nullptr);
    all_slices();
    cr_assert_eq(object_count(OBJECT_CONNECTION), 0);
    cr_assert_eq(fake_memory_objects() + fake_memory_pages(), 0);
}

// Clients that come and go at a mailbox leave nothing unless they left a message.
Test(channel, mailbox_remembers_only_who_sent) {
    struct channel *channel;
    cr_assert_eq(channel_new(nullptr, 1, &channel), 0);
    struct object *server = channel_object(channel);
    uint64_t objects = fake_memory_objects();
    for (unsigned i = 0; i < 1000; i++) {
        object_handle_gone(client_of(channel));
    }
    cr_assert_eq(fake_memory_objects(), objects);
    struct object *client = client_of(channel);
    cr_assert_eq(send_byte(client, 0), 1);
    object_handle_gone(client);
    object_handle_added(server);
    cr_assert_eq(receive_any(server), 1);
    cr_assert_eq(receive_any(server), 0);
    cr_assert_eq(receive_any(server), ERR_EMPTY);
    object_handle_gone(server);
    object_unref(server);
    all_slices();
    cr_assert_eq(fake_memory_objects() + fake_memory_pages(), 0);
}

// A client whose queue held much goes: its memory returns in steps, and the connection itself with the last of them,
// whichever comes first, the end of the steps or of the references.
Test(channel, long_queue_of_a_client_returns_in_steps) {
    enum { DEPTH = 1000 };
    for (unsigned early = 0; early < 2; early++) {
        struct channel *channel = served(DEPTH);
        struct object *client = client_of(channel);
        uint64_t id = connection_of(client)->node.id;
        for (unsigned i = 0; i < DEPTH; i++) {
            cr_assert_eq(send_byte(channel_object(channel), id), (long)i + 1);
        }
        uint64_t pages = fake_memory_pages();
        cr_assert_gt(pages, 40);
        object_handle_gone(client); // kept by its hang-up, which is owed
        cr_assert_gt(fake_memory_pages(), pages - 10);
        if (early == 0) {
            all_slices();
            cr_assert_eq(fake_memory_pages(), 0);
        }
        cr_assert_eq(receive_any(channel_object(channel)), 0); // the hang-up, and with it the last reference
        uint64_t before = fake_memory_pages();
        unsigned steps = 0;
        for (; slice_pending(); steps++) {
            slice_run(1);
            cr_assert_leq(before - fake_memory_pages(), 1);
            before = fake_memory_pages();
        }
        cr_assert(early == 0 || steps > 30);
        cr_assert_eq(object_count(OBJECT_CONNECTION), 0);
        object_handle_gone(channel_object(channel));
        all_slices();
        cr_assert_eq(fake_memory_objects() + fake_memory_pages(), 0);
    }
}

// Whoever still looks at a connection when channel and servers are gone sees books that balance: what nobody received is
// discarded.
Test(channel, books_of_a_connection_outlive_the_channel) {
    struct channel *channel = served(4);
    struct object *client = client_of(channel);
    object_ref(client);
    for (unsigned i = 0; i < 3; i++) {
        cr_assert_eq(send_byte(client, 0), (long)i + 1);
    }
    struct connection_info info;
    object_handle_gone(client);
    connection_get_info(connection_of(client), &info);
    cr_assert(info.hung_up && info.peer_lost);
    cr_assert_eq(info.inbound.queued, 3);
    object_handle_gone(channel_object(channel));
    all_slices();
    connection_get_info(connection_of(client), &info);
    cr_assert_eq(info.inbound.sent, 3);
    cr_assert_eq(info.inbound.queued, 0);
    cr_assert_eq(info.inbound.discarded, 3);
    object_unref(client);
    all_slices();
    cr_assert_eq(fake_memory_objects() + fake_memory_pages(), 0);
}

// However long the line, a share of it is told at once and the rest in steps, each of them bounded.
Test(channel, long_line_is_told_in_steps) {
    enum { DEPTH = 100 };
    struct channel *channel = full_with_line(DEPTH);
    for (unsigned i = 0; i < LINE; i++) { // nobody waits any more, but all stand in line
        fake_wait_end(&line_waiter[i]);
    }
    uint64_t told = fake_notified();
    cr_assert_eq(receive_any(channel_object(channel)), 1);
    cr_assert_leq(fake_notified() - told, 48);
    cr_assert(slice_pending());
    while (slice_pending()) {
        told = fake_notified();
        slice_run(SLICE_BUDGET);
        cr_assert_leq(fake_notified() - told, SLICE_BUDGET);
    }
    // Now none of them is in line: the next that waits is the first.
    cr_assert_eq(send_byte(in_line[9], 0), DEPTH + 1);
    fake_wait(&line_waiter[7], in_line[7], EVENT_WRITABLE);
    cr_assert_eq(receive_any(channel_object(channel)), 1);
    cr_assert_eq(line_waiter[7].woken, 1);
    end_line(channel);
}

// A crowd of threads on one client takes many slots at once, a few of them in each turn.
Test(channel, threads_of_one_client_take_many_slots) {
    enum { DEPTH = 40, THREADS = 30 };
    struct channel *channel = served(DEPTH);
    struct object *crowd = client_of(channel), *server = channel_object(channel);
    struct fake_waiter waiter[THREADS] = {};
    for (unsigned i = 0; i < DEPTH; i++) {
        cr_assert_gt(send_byte(crowd, 0), 0);
    }
    struct object *single = client_of(channel);
    struct fake_waiter other = {};
    fake_wait(&other, single, EVENT_WRITABLE);
    for (unsigned i = 0; i < DEPTH / 2; i++) { // room for 20, of which only one is wanted
        cr_assert_eq(receive_any(server), 1);
    }
    cr_assert_eq(other.woken, 1);
    while (!queue_full(&channel->inbound)) {
        cr_assert_gt(send_byte(crowd, 0), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        fake_wait(&waiter[i], crowd, EVENT_WRITABLE);
    }
    // While the sweep is under way, more room comes about than it tells of at once.
    channel->sweeping = true;
    for (unsigned i = 0; i < 20; i++) {
        cr_assert_eq(receive_any(server), 1);
    }
    channel->sweeping = false;
    fake_time_pass(20000000);
    channel_sweep(channel);
    all_slices();
    for (unsigned i = 0; i < THREADS; i++) {
        cr_assert_eq(waiter[i].woken, i < 20, "%u", i);
    }
    object_handle_gone(crowd);
    object_handle_gone(single);
    object_handle_gone(server);
    all_slices();
    cr_assert_eq(fake_memory_objects() + fake_memory_pages(), 0);
}
