#include "mapped_kernel.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "arch_call.h"
#include "lib/channel.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/self.h"

struct mail {
    uint32_t kind;
    uint64_t connection;
};

struct queue {
    struct mail mail[2 * MAPPED_QUEUE + 2 * MAPPED_CLIENTS]; // hang-ups need no room
    unsigned count;
};

struct connection {
    bool open, known; // known: until its hang-up is received
    struct queue queue;
    struct abi_ring_pair *rings;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct connection connections[MAPPED_CLIENTS + 1]; // by number, from 1
static struct queue inbound;
static bool server_gone;
static unsigned next_client, mappings, doorbells, fail_in;

void mapped_kernel_reset(void) {
    for (unsigned i = 0; i <= MAPPED_CLIENTS; i++) {
        free(connections[i].rings);
    }
    memset(connections, 0, sizeof connections);
    inbound.count = 0;
    server_gone = false;
    next_client = mappings = doorbells = fail_in = 0;
}

handle_t mapped_kernel_client(unsigned client) {
    next_client = client;
    return MAPPED_SERVER + client;
}

struct abi_ring_pair *mapped_kernel_rings(unsigned client) {
    return connections[client].rings;
}

void mapped_kernel_server_gone(void) {
    pthread_mutex_lock(&lock);
    server_gone = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

void mapped_kernel_fail(unsigned nth) {
    fail_in = nth;
}
unsigned mapped_kernel_mappings(void) {
    return mappings;
}
unsigned mapped_kernel_doorbells(void) {
    return doorbells;
}

static bool refuse(void) {
    return fail_in != 0 && --fail_in == 0;
}

static void put(struct queue *queue, uint32_t kind, uint64_t connection) {
    queue->mail[queue->count++] = (struct mail){kind, connection};
    pthread_cond_broadcast(&changed);
}

static long send(uint64_t handle, uint64_t length, uint64_t to) {
    bool server = handle == MAPPED_SERVER;
    struct connection *connection = &connections[server ? to : handle - MAPPED_SERVER];
    struct queue *queue = server ? &connection->queue : &inbound;
    if (length > MESSAGE_MAX) {
        return ERR_TOO_BIG;
    }
    if (server && !connection->open) {
        return connection->known ? ERR_PEER_CLOSED : ERR_NOT_FOUND;
    }
    if (!server && server_gone) {
        return ERR_PEER_CLOSED;
    }
    if (queue->count >= MAPPED_QUEUE) {
        return ERR_FULL;
    }
    if (refuse()) {
        return ERR_NO_MEMORY;
    }
    put(queue, MESSAGE_DATA, server ? 0 : handle - MAPPED_SERVER);
    doorbells++;
    return 0;
}

static long receive(uint64_t handle, uint64_t results[4]) {
    struct queue *queue = handle == MAPPED_SERVER ? &inbound : &connections[handle - MAPPED_SERVER].queue;
    if (queue->count == 0) {
        return handle != MAPPED_SERVER && server_gone ? ERR_PEER_CLOSED : ERR_EMPTY;
    }
    struct mail mail = queue->mail[0];
    memmove(&queue->mail[0], &queue->mail[1], --queue->count * sizeof mail);
    if (mail.kind == MESSAGE_HANGUP) {
        connections[mail.connection].known = false;
    }
    results[0] = (uint64_t)mail.kind << 32 | (100 + mail.connection);
    results[2] = mail.connection;
    return 0;
}

static uint32_t events(uint64_t handle) {
    if (handle == MAPPED_SERVER) {
        return inbound.count > 0 ? EVENT_READABLE : 0;
    }
    return (connections[handle - MAPPED_SERVER].queue.count > 0 ? EVENT_READABLE : 0) |
           (server_gone ? EVENT_READABLE | EVENT_PEER_LOST : 0);
}

static long wait(const struct abi_wait_item *item, uint64_t deadline) {
    while ((events(item->handle) & item->events) == 0) {
        if (deadline != FOREVER) {
            return ERR_TIMED_OUT;
        }
        pthread_cond_wait(&changed, &lock); // for ever, if a wake-up is lost
    }
    return 0;
}

static long map(uint64_t handle, uint64_t results[4]) {
    struct abi_ring_pair *rings = connections[handle % 1000 - MAPPED_SERVER].rings;
    if (refuse()) {
        return ERR_NO_MEMORY;
    }
    mappings++;
    results[0] = (uintptr_t)rings;
    return 0;
}

static long attach(uint64_t connection) {
    if (!connections[connection].known) {
        return ERR_NOT_FOUND;
    }
    return refuse() ? ERR_NO_MEMORY : (long)(1000 + MAPPED_SERVER + connection);
}

static long close_client(uint64_t handle) {
    if (handle > MAPPED_SERVER && handle < 1000) {
        connections[handle - MAPPED_SERVER].open = false;
        put(&inbound, MESSAGE_HANGUP, handle - MAPPED_SERVER);
    }
    return 0;
}

long arch_call(uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t, uint64_t a4, uint64_t,
               uint64_t results[4]) {
    long status = ERR_NO_CALL;
    memset(results, 0, 4 * sizeof *results);
    pthread_mutex_lock(&lock);
    switch (number) {
    case CALL_SEND:
        status = send(a0, a2, a4);
        break;
    case CALL_RECV:
        status = receive(a0, results);
        break;
    case CALL_WAIT:
        status = wait((const struct abi_wait_item *)(uintptr_t)a0, a2);
        break;
    case CALL_MAP:
        status = map(a1, results);
        break;
    case CALL_UNMAP:
        mappings--;
        status = 0;
        break;
    case CALL_ATTACH:
        status = attach(a1);
        break;
    case CALL_CLOSE:
        status = close_client(a0);
        break;
    default:
        break;
    }
    pthread_mutex_unlock(&lock);
    return status;
}

// ---- what else the library asks for ----------------------------------------------------------------------------------

long file_open(const char *, uint32_t, uint32_t) {
    struct connection *connection = &connections[next_client];
    connection->open = connection->known = true;
    connection->queue.count = 0;
    free(connection->rings);
    connection->rings = calloc(1, sizeof *connection->rings);
    return MAPPED_SERVER + next_client;
}

long file_stat(const char *, struct abi_stat *stat) {
    *stat = (struct abi_stat){.kind = NODE_DEVICE};
    return 0;
}

void file_close(handle_t handle) {
    uint64_t results[4];
    (void)arch_call(CALL_CLOSE, handle, 0, 0, 0, 0, 0, results);
}

handle_t self_process(void) {
    return 0;
}
handle_t self_root(void) {
    return 0;
}
const char *self_cwd(void) {
    return "/";
}

uint64_t clock_now(void) {
    return 0;
}
void clock_sleep(uint64_t) {}
