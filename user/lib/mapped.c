#include "lib/mapped.h"

#include "isthmus/calls.h"
#include "lib/channel.h"
#include "lib/file.h"
#include "lib/memory.h"
#include "lib/self.h"
#include "lib/wait.h"

enum {
    SPINS = 100, // looks at the ring before sleeping: a peer on another CPU mostly answers within them
    DRAIN = 256, // doorbells taken at a time
    CAPACITY_FIRST = 8,
    HEAR_EVERY = 64, // messages, so that a busy client keeps no new one out
};

// ---- the doorbell ----------------------------------------------------------------------------------------------------

static long ring(const struct mapped *mapped, struct abi_ring_end *peer) {
    __atomic_store_n(&peer->asleep, 0, __ATOMIC_RELAXED);
    long status = sys_send(mapped->queue, nullptr, 0, 0, mapped->connection, nullptr);
    if (status == ERR_NO_MEMORY) {
        __atomic_store_n(&peer->asleep, 1, __ATOMIC_RELAXED);
        return status;
    }
    return 0; // a full queue wakes it as well; a peer that is gone needs no waking
}

long mapped_ring_out(const struct mapped *mapped) {
    return ring(mapped, &mapped->out.ends->head);
}

long mapped_ring_in(const struct mapped *mapped) {
    return ring(mapped, &mapped->in.ends->tail);
}

// This side waits for the peer's index to move on from `last`: whether it has not. If so, the peer rings from now on.
static bool fall_asleep(struct abi_ring_end *mine, const struct abi_ring_end *peer, uint64_t last) {
    __atomic_store_n(&mine->asleep, 1, __ATOMIC_RELAXED);
    barrier_full();
    return ring_read64(&peer->index) == last;
}

static void wake_up(struct abi_ring_end *mine) {
    __atomic_store_n(&mine->asleep, 0, __ATOMIC_RELAXED);
}

// Take the doorbells that a client got. 0, or why there will be no more.
static long drain(const struct mapped *mapped) {
    char dropped[MESSAGE_MAX];
    long status = 0;
    for (unsigned i = 0; i < DRAIN && status >= 0; i++) {
        status = sys_recv(mapped->queue, dropped, sizeof dropped, nullptr, nullptr, nullptr, nullptr);
    }
    return status >= 0 || status == ERR_EMPTY ? 0 : status;
}

// Wait until the peer's index may have moved on from `last`. 0, or why it is of no use to wait any longer: then the ring
// is looked at once more, for what the peer did before.
static long await(const struct mapped *mapped, struct abi_ring_end *mine, const struct abi_ring_end *peer,
                  uint64_t last, uint64_t deadline) {
    long status = 0;
    if (fall_asleep(mine, peer, last)) {
        status = wait_for(mapped->queue, EVENT_READABLE | EVENT_PEER_LOST | EVENT_REMOVED, deadline);
    }
    wake_up(mine);
    return status < 0 ? status : drain(mapped);
}

// ---- a client --------------------------------------------------------------------------------------------------------

// Of what is shared, a side that begins takes its own indices from where it, or another server before it, left them.
static void begin(struct mapped *mapped, struct abi_ring_pair *pair, bool server) {
    struct mapped_way to_server = {.slot = pair->to_server, .ends = &pair->server};
    struct mapped_way to_client = {.slot = pair->to_client, .ends = &pair->client};
    mapped->pair = pair;
    mapped->out = server ? to_client : to_server;
    mapped->in = server ? to_server : to_client;
    // Neither way goes on without a look at the peer's index.
    mapped->out.own = mapped->out.limit = ring_take(&mapped->out.ends->tail.index);
    mapped->in.own = mapped->in.limit = ring_take(&mapped->in.ends->head.index);
}

static long map_rings(struct mapped *mapped, handle_t memory, bool server) {
    uint64_t address = 0;
    long status = sys_map(self_process(), memory, 0, 0, sizeof(struct abi_ring_pair), PROT_READ | PROT_WRITE, &address);
    if (status >= 0) {
        begin(mapped, (struct abi_ring_pair *)(uintptr_t)address, server);
    }
    return status;
}

long mapped_connect(struct mapped *mapped, const char *path, uint64_t deadline) {
    long connection = channel_connect(path, deadline);
    if (connection < 0) {
        return connection;
    }
    *mapped = (struct mapped){.queue = (handle_t)connection};
    long status = map_rings(mapped, mapped->queue, false);
    if (status >= 0) { // by its first message the server learns of the connection
        status = channel_send(mapped->queue, nullptr, 0, 0, deadline);
    }
    if (status < 0) {
        mapped_close(mapped);
        return status;
    }
    return 0;
}

long mapped_send(struct mapped *mapped, const void *payload, size_t length, uint64_t id, uint64_t deadline) {
    long ended = 0;
    for (unsigned turn = 0;; turn++) {
        long status = mapped_try_send(mapped, payload, length, id);
        if (status != ERR_FULL || ended < 0) {
            return status == ERR_FULL ? ended : status;
        }
        if (turn >= SPINS) {
            ended =
                await(mapped, &mapped->out.ends->tail, &mapped->out.ends->head, mapped->out.own - RING_SLOTS, deadline);
        }
    }
}

long mapped_recv(struct mapped *mapped, void *buffer, size_t capacity, uint64_t *id, uint64_t deadline) {
    long ended = 0;
    for (unsigned turn = 0;; turn++) {
        long status = mapped_try_recv(mapped, buffer, capacity, id);
        if (status != ERR_EMPTY || ended < 0) {
            return status == ERR_EMPTY ? ended : status;
        }
        if (turn >= SPINS) {
            ended = await(mapped, &mapped->in.ends->head, &mapped->in.ends->tail, mapped->in.own, deadline);
        }
    }
}

void mapped_close(struct mapped *mapped) {
    if (mapped->pair != nullptr) {
        (void)sys_unmap(self_process(), (uint64_t)(uintptr_t)mapped->pair);
        mapped->pair = nullptr;
    }
    file_close(mapped->queue);
}

// ---- a server --------------------------------------------------------------------------------------------------------

static struct mapped_client *find(const struct mapped_server *server, uint64_t connection) {
    for (unsigned i = 0; i < server->count; i++) {
        if (server->client[i]->mapped.connection == connection) {
            return server->client[i];
        }
    }
    return nullptr;
}

static bool make_room(struct mapped_server *server) {
    if (server->count < server->capacity) {
        return true;
    }
    unsigned capacity = server->capacity == 0 ? CAPACITY_FIRST : 2 * server->capacity;
    struct mapped_client **client = realloc(server->client, capacity * sizeof(struct mapped_client *));
    if (client == nullptr) {
        return false;
    }
    server->client = client;
    server->capacity = capacity;
    return true;
}

// The pending connection becomes a client. What attach and map refuse leaves it pending, unless nobody knows it any more.
static long add_pending(struct mapped_server *server) {
    struct mapped_client *new = make_room(server) ? malloc(sizeof *new) : nullptr;
    if (new == nullptr) {
        return ERR_NO_MEMORY;
    }
    *new = (struct mapped_client){.mapped = {.queue = server->channel, .connection = server->pending},
                                  .pid = server->pending_pid};
    long memory = sys_attach(server->channel, server->pending);
    long status = memory < 0 ? memory : map_rings(&new->mapped, (handle_t)memory, true);
    if (memory > 0) {
        (void)sys_close((handle_t)memory); // the mapping keeps it
    }
    if (status >= 0) {
        server->client[server->count++] = new;
    } else {
        free(new);
    }
    if (status >= 0 || status == ERR_NOT_FOUND) { // it hung up, and another server heard of that
        server->pending = 0;
        return 0;
    }
    return status;
}

// Let go of those who are over and have hung up.
static void sweep(struct mapped_server *server) {
    server->leaving = false;
    for (unsigned i = server->count; i-- > 0;) {
        struct mapped_client *client = server->client[i];
        if (client->over && client->hung_up) {
            server->client[i] = server->client[--server->count];
            (void)sys_unmap(self_process(), (uint64_t)(uintptr_t)client->mapped.pair);
            free(client);
        }
    }
}

// Ask all clients in turn: a message, the end of a client, or ERR_EMPTY.
static long ask_all(struct mapped_server *server, struct mapped_client **from, void *buffer, size_t capacity,
                    uint64_t *id) {
    for (unsigned i = 0; i < server->count; i++) {
        server->turn = server->turn + 1 < server->count ? server->turn + 1 : 0;
        struct mapped_client *client = server->client[server->turn];
        long status = client->over ? ERR_EMPTY : mapped_try_recv(&client->mapped, buffer, capacity, id);
        bool ends = !client->over && (status == ERR_PEER_CLOSED || (status == ERR_EMPTY && client->hung_up));
        if (ends) {
            client->over = true;
            server->leaving = server->leaving || client->hung_up;
            status = ERR_PEER_CLOSED;
        }
        if (status != ERR_EMPTY) {
            *from = client;
            return status;
        }
    }
    return ERR_EMPTY;
}

// Whether all clients have been told to ring, and none had sent anything by then.
static bool all_asleep(const struct mapped_server *server) {
    bool asleep = true;
    for (unsigned i = 0; i < server->count; i++) {
        const struct mapped_client *client = server->client[i];
        const struct mapped_way *in = &client->mapped.in;
        asleep = (client->over || fall_asleep(&in->ends->head, &in->ends->tail, in->own)) && asleep;
    }
    return asleep;
}

static void all_wake_up(const struct mapped_server *server) {
    for (unsigned i = 0; i < server->count; i++) {
        wake_up(&server->client[i]->mapped.in.ends->head);
    }
}

// Take one message of the channel's queue: a doorbell, a new client, or the end of one.
static long hear(struct mapped_server *server, uint64_t deadline) {
    if (server->pending != 0) {
        return add_pending(server);
    }
    struct message message;
    long status = channel_recv(server->channel, &message, deadline);
    if (status < 0) {
        return status;
    }
    struct mapped_client *client = find(server, message.connection);
    if (message.kind == MESSAGE_HANGUP) {
        if (client != nullptr) {
            client->hung_up = true;
            server->leaving = server->leaving || client->over;
        }
        return 0;
    }
    if (client == nullptr) {
        server->pending = message.connection;
        server->pending_pid = message.sender;
        return add_pending(server);
    }
    return 0;
}

long mapped_serve(struct mapped_server *server, struct mapped_client **from, void *buffer, size_t capacity,
                  uint64_t *id, uint64_t deadline) {
    *from = nullptr;
    if (server->leaving) {
        sweep(server);
    }
    long ended = server->received++ % HEAR_EVERY == 0 ? hear(server, 0) : 0;
    ended = ended == ERR_TIMED_OUT ? 0 : ended;
    for (unsigned turn = 0;; turn++) {
        long status = ask_all(server, from, buffer, capacity, id);
        if (status != ERR_EMPTY || ended < 0) {
            return status == ERR_EMPTY ? ended : status;
        }
        if (turn < SPINS && server->count > 0) {
            continue;
        }
        if (all_asleep(server)) {
            ended = hear(server, deadline);
        }
        all_wake_up(server);
    }
}

void mapped_server_close(struct mapped_server *server) {
    for (unsigned i = 0; i < server->count; i++) {
        server->client[i]->over = server->client[i]->hung_up = true;
    }
    sweep(server);
    free(server->client);
    *server = (struct mapped_server){.channel = server->channel};
}
