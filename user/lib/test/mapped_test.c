// Mapped rings against a model of plain queues: clients that come, talk and go at any moment, a server, calls that find no
// memory; and against peers that write whatever they like into the shared memory.
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mapped.h"
#include "mapped_kernel.h"
#include "property.h"

enum { CLIENTS = 5, LOG = 4096 };

struct fifo {
    uint64_t first, count; // numbers of the messages in it
};

struct peer {
    bool connected, said_over;
    uint64_t known; // connects of this number so far
    struct mapped mapped;
    struct fifo up, down; // to the server, to the client
};

static struct property *p;
static struct peer peers[CLIENTS + 1];
static struct mapped_server server;
static struct mapped_client *known[CLIENTS + 1]; // as the server got to know them

static size_t length_of(uint64_t number) {
    return (size_t)(number * 7 % (MESSAGE_MAX + 1));
}

static void fill(uint8_t *payload, uint64_t number) {
    for (size_t i = 0; i < length_of(number); i++) {
        payload[i] = (uint8_t)(number * 3 + i);
    }
}

static void push(struct fifo *fifo, bool full, long status) {
    property_equal(p, status, full ? ERR_FULL : 0);
    fifo->count += status == 0;
}

// What came is the oldest of the fifo, whole.
static void pop(struct fifo *fifo, long length, uint64_t id, const uint8_t *payload) {
    uint8_t want[MESSAGE_MAX];
    property_check(p, fifo->count > 0);
    property_equal(p, id, fifo->first);
    property_equal(p, length, length_of(id));
    fill(want, id);
    property_equal(p, memcmp(payload, want, (size_t)length), 0);
    fifo->first++;
    fifo->count--;
}

// No call of the other direction fails in these: a doorbell that finds no memory is tried again.
static long rung(const struct mapped *mapped, long status) {
    return status == ERR_NO_MEMORY ? mapped_ring_out(mapped) : status;
}

static void connect_client(unsigned number) {
    struct peer *peer = &peers[number];
    mapped_kernel_client(number);
    mapped_kernel_fail((unsigned)property_choose(p, "fail", 5));
    long status = mapped_connect(&peer->mapped, "/x", 0);
    mapped_kernel_fail(0);
    property_check(p, status == 0 || status == ERR_NO_MEMORY || status == ERR_TIMED_OUT);
    property_note(p, "client %u connects: %ld", number, status);
    peer->connected = status == 0;
    peer->said_over = false;
    peer->up = peer->down = (struct fifo){};
}

static void client_step(unsigned number) {
    struct peer *peer = &peers[number];
    uint8_t payload[MESSAGE_MAX];
    if (!peer->connected) {
        // Its number is free when the server has forgotten whoever had it.
        if (known[number] == nullptr && peer->said_over) {
            connect_client(number);
        }
        return;
    }
    switch (property_choose(p, "client does", 10)) {
    case 0 ... 4: {
        uint64_t next = peer->up.first + peer->up.count;
        fill(payload, next);
        mapped_kernel_fail(property_chance(p, "fail", 5));
        long status = property_chance(p, "blocking", 20)
                          ? mapped_send(&peer->mapped, payload, length_of(next), next, 0)
                          : mapped_try_send(&peer->mapped, payload, length_of(next), next);
        mapped_kernel_fail(0);
        status = rung(&peer->mapped, status == ERR_TIMED_OUT ? ERR_FULL : status);
        push(&peer->up, peer->up.count == RING_SLOTS, status);
        break;
    }
    case 5 ... 8: {
        uint64_t id = 0;
        long length = mapped_recv(&peer->mapped, payload, sizeof payload, &id, 0);
        if (peer->down.count == 0) {
            property_equal(p, length, ERR_TIMED_OUT);
        } else {
            pop(&peer->down, length, id, payload);
        }
        break;
    }
    default:
        if (property_chance(p, "hang up", 20)) {
            property_note(p, "client %u hangs up", number);
            mapped_close(&peer->mapped);
            peer->connected = false;
        }
        break;
    }
}

static void server_step(void) {
    uint8_t payload[MESSAGE_MAX];
    struct mapped_client *from;
    uint64_t id = 0;
    mapped_kernel_fail((unsigned)property_choose(p, "fail", 30));
    long length = mapped_serve(&server, &from, payload, sizeof payload, &id, 0);
    mapped_kernel_fail(0);
    if (from == nullptr) {
        property_check(p, length == ERR_TIMED_OUT || length == ERR_NO_MEMORY);
        if (length == ERR_TIMED_OUT) { // nobody whom it knows has anything
            for (unsigned i = 1; i <= CLIENTS; i++) {
                property_check(p, known[i] == nullptr || peers[i].up.count == 0);
            }
        }
        return;
    }
    unsigned number = (unsigned)from->mapped.connection;
    struct peer *peer = &peers[number];
    property_check(p, known[number] == nullptr || known[number] == from);
    known[number] = from;
    property_equal(p, from->pid, 100 + number);
    if (length == ERR_PEER_CLOSED) { // all that it sent was received first
        property_check(p, !peer->connected);
        property_equal(p, peer->up.count, 0);
        peer->said_over = true;
        known[number] = nullptr;
        return;
    }
    if (length == ERR_NO_MEMORY) { // a client that waits for room could not be told: the message came all the same
        length = (long)length_of(id);
        (void)mapped_ring_in(&from->mapped);
    }
    pop(&peer->up, length, id, payload);
    if (property_chance(p, "answer", 70)) {
        uint64_t next = peer->down.first + peer->down.count;
        fill(payload, next);
        long status = mapped_try_send(&from->mapped, payload, length_of(next), next);
        push(&peer->down, peer->down.count == RING_SLOTS, rung(&from->mapped, status));
    }
}

static void talk(struct property *property) {
    p = property;
    mapped_kernel_reset();
    server = (struct mapped_server){.channel = MAPPED_SERVER};
    memset(peers, 0, sizeof peers);
    memset(known, 0, sizeof known);
    for (unsigned i = 1; i <= CLIENTS; i++) {
        peers[i].said_over = true;
    }
    unsigned bias = (unsigned)property_choose(p, "bias", 9);
    while (property_more(p, 500)) {
        if (property_choose(p, "who", 10) <= bias) {
            client_step(1 + (unsigned)property_choose(p, "client", CLIENTS));
        } else {
            server_step();
        }
    }
    for (unsigned i = 1; i <= CLIENTS; i++) {
        if (peers[i].connected) {
            mapped_close(&peers[i].mapped);
            peers[i].connected = false;
        }
    }
    struct mapped_client *from;
    uint8_t payload[MESSAGE_MAX];
    uint64_t id;
    for (long length; (length = mapped_serve(&server, &from, payload, sizeof payload, &id, 0)) != ERR_TIMED_OUT;) {
        property_check(p, from != nullptr);
        known[from->mapped.connection] = from;
        struct fifo *up = &peers[from->mapped.connection].up;
        if (length >= 0) {
            pop(up, length, id, payload);
        } else {
            property_equal(p, up->count, 0);
            known[from->mapped.connection] = nullptr;
        }
    }
    for (unsigned i = 1; i <= CLIENTS; i++) {
        property_check(p, known[i] == nullptr); // the end of each has been told
    }
    property_equal(p, mapped_kernel_mappings(), 0);
    mapped_server_close(&server);
}

Test(mapped, behaves_as_queues) {
    cr_assert(property_run("mapped_behaves_as_queues", 600, talk));
}

// ---- hostile peers ---------------------------------------------------------------------------------------------------

static void scribble(struct abi_ring_pair *rings) {
    struct abi_ring_end *const end[] = {&rings->server.tail, &rings->server.head, &rings->client.tail,
                                        &rings->client.head};
    struct abi_ring_end *any = end[property_choose(p, "end", 4)];
    switch (property_choose(p, "scribble", 4)) {
    case 0:
        any->index = property_word(p, "index");
        break;
    case 1:
        any->index += property_choose(p, "more", 400) - 100;
        break;
    case 2:
        any->asleep = property_word(p, "asleep");
        break;
    default: {
        unsigned slot = (unsigned)property_choose(p, "slot", RING_SLOTS);
        struct abi_ring_slot *at = property_chance(p, "which", 50) ? &rings->to_server[slot] : &rings->to_client[slot];
        at->length = (uint32_t)property_word(p, "length");
        break;
    }
    }
}

// A guarded buffer: what is beyond its capacity stays as it is; and what fits no further word, the message aside.
static void receive_guarded(long (*receive)(void *buffer, size_t capacity)) {
    uint8_t buffer[MESSAGE_MAX + 8];
    memset(buffer, 0xcc, sizeof buffer);
    size_t capacity = property_choose(p, "capacity", MESSAGE_MAX + 1);
    long length = receive(buffer, capacity);
    property_check(p, length <= (long)capacity);
    size_t changed = length < 0 ? 0 : ((size_t)length + 7) / 8 * 8;
    changed = length >= 0 && changed == 0 ? 8 : changed;
    for (size_t i = changed <= capacity ? changed : capacity; i < sizeof buffer; i++) {
        property_equal(p, buffer[i], 0xcc);
    }
    property_check(p, length >= 0 || length == ERR_TIMED_OUT || length == ERR_PEER_CLOSED || length == ERR_TOO_BIG);
}

static struct mapped victim;

static long client_receives(void *buffer, size_t capacity) {
    return mapped_recv(&victim, buffer, capacity, nullptr, 0);
}

static long server_receives(void *buffer, size_t capacity) {
    struct mapped_client *from;
    uint64_t id;
    long length = mapped_serve(&server, &from, buffer, capacity, &id, 0);
    if (from != nullptr) {
        known[1] = length == ERR_PEER_CLOSED ? nullptr : from;
    }
    return length;
}

static void hostile(struct property *property) {
    p = property;
    mapped_kernel_reset();
    server = (struct mapped_server){.channel = MAPPED_SERVER};
    known[1] = nullptr;
    mapped_kernel_client(1);
    property_equal(p, mapped_connect(&victim, "/x", 0), 0);
    struct abi_ring_pair *rings = mapped_kernel_rings(1);
    uint8_t payload[MESSAGE_MAX] = {};
    while (property_more(p, 300)) {
        size_t length = property_choose(p, "length", MESSAGE_MAX + 2);
        long status = 0;
        switch (property_choose(p, "what", 6)) {
        case 0:
        case 1:
            scribble(rings);
            break;
        case 2:
            status = mapped_send(&victim, payload, length, 0, 0);
            property_check(p, status == 0 || status == ERR_TIMED_OUT || status == ERR_PEER_CLOSED ||
                                  (status == ERR_TOO_BIG && length > MESSAGE_MAX));
            break;
        case 3:
            receive_guarded(client_receives);
            break;
        case 4:
            receive_guarded(server_receives);
            break;
        default:
            if (known[1] != nullptr) {
                status = mapped_try_send(&known[1]->mapped, payload, length, 0);
                property_check(p, status == 0 || status == ERR_FULL || status == ERR_PEER_CLOSED ||
                                      (status == ERR_TOO_BIG && length > MESSAGE_MAX));
            }
            break;
        }
    }
    mapped_close(&victim);
    while (mapped_serve(&server, &(struct mapped_client *){}, payload, sizeof payload, &(uint64_t){}, 0) !=
           ERR_TIMED_OUT) {
    }
    mapped_server_close(&server);
    property_equal(p, mapped_kernel_mappings(), 0);
}

Test(mapped, hostile_peer_is_harmless) {
    cr_assert(property_run("mapped_hostile_peer_is_harmless", 1000, hostile));
}

// ---- single facts ----------------------------------------------------------------------------------------------------

// A server that takes over goes on where the other one was, and loses nothing.
Test(mapped, another_server_goes_on) {
    struct mapped client;
    mapped_kernel_reset();
    mapped_kernel_client(1);
    cr_assert_eq(mapped_connect(&client, "/x", 0), 0);
    uint8_t payload[MESSAGE_MAX];
    struct mapped_client *from;
    uint64_t id;
    struct mapped_server first = {.channel = MAPPED_SERVER}, second = first;
    for (uint64_t i = 0; i < 300; i++) {
        cr_assert_eq(mapped_try_send(&client, "x", 1, i), 0);
        cr_assert_eq(mapped_serve(i < 150 ? &first : &second, &from, payload, sizeof payload, &id, 0), 1);
        cr_assert_eq(id, i);
        cr_assert_eq(mapped_try_send(&from->mapped, "yz", 2, i), 0);
        cr_assert_eq(mapped_recv(&client, payload, sizeof payload, &id, 0), 2);
        cr_assert_eq(id, i);
        if (i == 149) {
            mapped_server_close(&first);
            cr_assert_eq(mapped_ring_out(&client), 0); // or any other sign of life
        }
    }
    mapped_server_close(&second);
    // Also when there is no room.
    cr_assert_eq(mapped_ring_out(&client), 0);
    cr_assert_eq(mapped_try_send(&client, "x", 1, 0), 0);
    cr_assert_eq(mapped_serve(&first, &from, payload, sizeof payload, &id, 0), 1);
    for (unsigned i = 0; i < RING_SLOTS; i++) {
        cr_assert_eq(mapped_try_send(&from->mapped, "x", 1, i), 0);
    }
    mapped_server_close(&first);
    cr_assert_eq(mapped_ring_out(&client), 0);
    cr_assert_eq(mapped_try_send(&client, "x", 1, 0), 0);
    cr_assert_eq(mapped_serve(&second, &from, payload, sizeof payload, &id, 0), 1);
    cr_assert_eq(mapped_try_send(&from->mapped, "x", 1, 0), ERR_FULL);
    mapped_server_close(&second);
    mapped_close(&client);
}

// A sleeper that cannot be rung for want of memory is still a sleeper, and is rung later.
Test(mapped, a_doorbell_without_memory_is_owed) {
    struct mapped client;
    mapped_kernel_reset();
    mapped_kernel_client(1);
    cr_assert_eq(mapped_connect(&client, "/x", 0), 0);
    struct abi_ring_pair *rings = mapped_kernel_rings(1);
    rings->server.head.asleep = 1;
    unsigned before = mapped_kernel_doorbells();
    mapped_kernel_fail(1);
    cr_assert_eq(mapped_try_send(&client, "x", 1, 0), ERR_NO_MEMORY);
    cr_assert_eq(rings->server.tail.index, 1); // it is in the ring
    cr_assert_eq(rings->server.head.asleep, 1);
    cr_assert_eq(mapped_ring_out(&client), 0);
    cr_assert_eq(rings->server.head.asleep, 0);
    cr_assert_eq(mapped_kernel_doorbells(), before + 1);
    mapped_close(&client);
}

// A client that always has something to say keeps no other out.
Test(mapped, a_busy_client_keeps_nobody_out) {
    struct mapped busy, late;
    mapped_kernel_reset();
    mapped_kernel_client(1);
    cr_assert_eq(mapped_connect(&busy, "/x", 0), 0);
    mapped_kernel_client(2);
    struct mapped_server one = {.channel = MAPPED_SERVER};
    struct mapped_client *from = nullptr;
    uint8_t payload[MESSAGE_MAX];
    bool heard = false;
    for (unsigned i = 0; i < 200; i++) {
        cr_assert_eq(mapped_try_send(&busy, "x", 1, i), 0);
        if (i == 10) {
            cr_assert_eq(mapped_connect(&late, "/x", 0), 0);
            cr_assert_eq(mapped_try_send(&late, "late", 4, i), 0);
        }
        cr_assert_geq(mapped_serve(&one, &from, payload, sizeof payload, nullptr, 0), 1);
        heard |= from->mapped.connection == 2;
    }
    cr_assert(heard);
    mapped_server_close(&one);
    mapped_close(&busy);
    mapped_close(&late);
}

// Doorbells are for sleepers: a conversation in which nobody waits sends none.
Test(mapped, nobody_is_rung_who_does_not_sleep) {
    struct mapped client;
    mapped_kernel_reset();
    mapped_kernel_client(1);
    cr_assert_eq(mapped_connect(&client, "/x", 0), 0);
    struct mapped_server one = {.channel = MAPPED_SERVER};
    uint8_t payload[MESSAGE_MAX];
    struct mapped_client *from;
    unsigned before = mapped_kernel_doorbells();
    for (unsigned i = 0; i < 1000; i++) {
        cr_assert_eq(mapped_try_send(&client, "x", 1, i), 0);
        cr_assert_eq(mapped_serve(&one, &from, payload, sizeof payload, nullptr, 0), 1);
        cr_assert_eq(mapped_try_send(&from->mapped, "x", 1, i), 0);
        cr_assert_eq(mapped_try_recv(&client, payload, sizeof payload, nullptr), 1);
    }
    cr_assert_eq(mapped_kernel_doorbells(), before);
    // The server dies: what it sent comes first.
    cr_assert_eq(mapped_try_send(&from->mapped, "last", 4, 7), 0);
    mapped_kernel_server_gone();
    cr_assert_eq(mapped_recv(&client, payload, sizeof payload, nullptr, FOREVER), 4);
    cr_assert_eq(mapped_recv(&client, payload, sizeof payload, nullptr, FOREVER), ERR_PEER_CLOSED);
    for (unsigned i = 0; i < RING_SLOTS; i++) {
        cr_assert_eq(mapped_send(&client, "x", 1, i, FOREVER), 0);
    }
    cr_assert_eq(mapped_send(&client, "x", 1, 0, FOREVER), ERR_PEER_CLOSED);
    mapped_server_close(&one);
    mapped_close(&client);
}
