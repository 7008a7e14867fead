// Clients and servers in conversation on several CPUs, in any interleaving: nothing is lost, doubled or overtaken, nobody
// sleeps through what it waits for, and deaths on either side are heard of. The books add up after every step.
#include <criterion/criterion.h>
#include <string.h>

#include "ipc/channel.h"
#include "kernel/timer.h"
#include "machine.h"
#include "property.h"

enum { CLIENTS_MAX = 5, MESSAGES_MAX = 30 };

static struct property *p;

struct talk {
    uint32_t pid;
    handle_t handle;     // the client's, in its own process
    uint64_t connection; // as the server knows it
    unsigned to_send;
    unsigned sent, heard;          // by the server
    unsigned answers_due, answers; // sent by the server; got
    bool hung_up;                  // the server has been told
    bool dies;                     // by kill, somewhere on the way
    struct user *user;
};

static struct talk talk[CLIENTS_MAX];
static unsigned clients, servers_done;
static uint64_t last_sequence;
static unsigned hang_ups;

struct message {
    unsigned client, number;
};

static void sometimes_work(struct user *self) {
    if (property_chance(p, "work", 20)) {
        user_work(self, property_choose(p, "nanoseconds", 12000000));
    }
}

static void wait_for(struct user *self, handle_t handle, unsigned events) {
    if (property_chance(p, "with a deadline", 20)) {
        uint64_t deadline = host_time() + property_choose(p, "in", 3000000);
        int64_t status = user_wait_one(self, handle, events, deadline);
        require(status == 0 || (status == ERR_TIMED_OUT && host_time() >= deadline));
        return;
    }
    require_equal(user_wait_one(self, handle, events, FOREVER), 0);
}

// Answers that are there; true when the server is gone for good.
static bool hear_answers(struct user *self, struct talk *own) {
    for (;;) {
        struct message message;
        int64_t status = user_recv(self, own->handle, &message, sizeof message);
        if (status == ERR_EMPTY) {
            return false;
        }
        if (status == ERR_PEER_CLOSED) {
            return true;
        }
        require_equal(status, sizeof message);
        require_equal(message.client, own - talk);
        require_equal(message.number, own->answers); // in order, none missing
        require_equal(self->word[3], own->answers + 1);
        own->answers++;
    }
}

static void client_program(struct user *self) {
    struct talk *own = self->context;
    while (own->sent < own->to_send) {
        struct message message = {(unsigned)(own - talk), own->sent};
        int64_t status = user_send(self, own->handle, &message, sizeof message, own->sent, 0);
        if (status == ERR_FULL) {
            wait_for(self, own->handle, EVENT_WRITABLE | EVENT_PEER_LOST);
        } else if (status == ERR_PEER_CLOSED) {
            return;
        } else {
            require_equal(status, 0);
            own->sent++;
        }
        sometimes_work(self);
        if (property_chance(p, "listen", 30)) {
            hear_answers(self, own);
        }
        machine_check();
    }
    if (property_chance(p, "finish", 50)) {
        require_equal(CALL(self, FINISH, own->handle), 0);
        while (!hear_answers(self, own)) { // until the server is gone
            wait_for(self, own->handle, EVENT_READABLE | EVENT_PEER_LOST);
        }
    }
    // With it goes its connection.
}

static void answer(struct user *self, handle_t server, struct talk *to, unsigned number) {
    struct message message = {(unsigned)(to - talk), number};
    int64_t status = user_send(self, server, &message, sizeof message, 0, to->connection);
    // It may have gone meanwhile, or not listen.
    require(status == 0 || status == ERR_PEER_CLOSED || status == ERR_NOT_FOUND || status == ERR_FULL);
    to->answers_due += status == 0 ? 1 : 0;
}

static bool everybody_hung_up(void) {
    for (unsigned i = 0; i < clients; i++) {
        if (!talk[i].hung_up) {
            return false;
        }
    }
    return true;
}

static struct talk *talk_of(uint64_t connection) {
    for (unsigned i = 0; i < clients; i++) {
        if (talk[i].connection == connection) {
            return &talk[i];
        }
    }
    machine_fail("a message from connection %llu, which is nobody's", (unsigned long long)connection);
}

static void server_program(struct user *self) {
    handle_t server = (handle_t)(uintptr_t)self->context;
    while (!everybody_hung_up()) {
        struct message message;
        int64_t status = user_recv(self, server, &message, sizeof message);
        if (status == ERR_EMPTY) {
            wait_for(self, server, EVENT_READABLE);
            sometimes_work(self);
            continue;
        }
        struct talk *from = talk_of(self->word[2]);
        if (self->word[0] >> 32 == MESSAGE_HANGUP) {
            require(!from->hung_up);
            from->hung_up = true;
            hang_ups++;
            // Behind everything it sent; who was killed may not have counted its last one.
            require(from->heard == from->sent || (from->dies && from->heard == from->sent + 1));
        } else {
            require_equal(status, sizeof message);
            require_equal((uint32_t)self->word[0], from->pid); // stamped by the kernel
            require_equal(message.client, from - talk);
            require(message.number == from->heard); // none lost, doubled or overtaken
            require_equal(self->word[1], message.number);
            require_equal(self->word[3], ++last_sequence); // the one total order
            from->heard++;
            if (!from->hung_up && property_chance(p, "answer", 40)) {
                answer(self, server, from, from->answers_due);
            }
        }
        sometimes_work(self);
        machine_check();
    }
    servers_done++;
}

static void conversations_are_whole(struct property *property) {
    p = property;
    memset(talk, 0, sizeof talk);
    clients = servers_done = hang_ups = 0;
    last_sequence = 0;
    unsigned cpus = (unsigned)property_between(p, "cpus", 1, 6);
    machine_boot(&(struct machine_options){.property = p, .cpus = cpus, .memory = 16u << 20});
    struct user *init = machine_init();
    struct abi_channel_config config = {.depth = (uint32_t)property_between(p, "depth", 1, 20)};
    handle_t server = (handle_t)user_channel(init, 0, nullptr, &config);
    require((int32_t)server > 0);
    unsigned wanted = (unsigned)property_between(p, "clients", 1, CLIENTS_MAX);
    struct user *serving = nullptr;

    for (unsigned i = 0; i < wanted; i++) {
        struct talk *own = &talk[i];
        own->to_send = (unsigned)property_choose(p, "messages", MESSAGES_MAX);
        own->dies = property_chance(p, "dies", 15);
        handle_t connection =
            (handle_t)CALL(init, CONNECT, server, RIGHT_READ | RIGHT_WRITE | RIGHT_WATCH | RIGHT_GRANT);
        require((int32_t)connection > 0);
        uint64_t newest = 0;
        struct channel *channel = channel_after(0);
        for (struct connection *at = connection_after(channel, 0); at != nullptr;
             at = connection_after(channel, newest)) {
            struct connection_info info;
            connection_get_info(at, &info);
            newest = info.id;
        }
        own->connection = newest;
        // It gets its end before it runs, and nobody else keeps it.
        own->user = machine_spawn(init, "client", nullptr, own, PRIORITY_DEFAULT);
        require(own->user != nullptr);
        own->pid = own->user->pid;
        own->handle =
            (handle_t)CALL(init, GIVE, own->user->process, connection, RIGHT_READ | RIGHT_WRITE | RIGHT_WATCH);
        require((int32_t)own->handle > 0);
        require_equal(CALL(init, CLOSE, connection), 0);
        clients++;
    }
    serving = machine_spawn(init, "server", nullptr, nullptr, PRIORITY_DEFAULT);
    require(serving != nullptr);
    handle_t theirs = (handle_t)CALL(init, GIVE, serving->process, server, RIGHT_READ | RIGHT_WRITE | RIGHT_WATCH);
    require((int32_t)theirs > 0);
    require_equal(CALL(init, CLOSE, server), 0); // now it is the only one
    serving->context = (void *)(uintptr_t)theirs;
    user_become(serving, server_program);
    for (unsigned i = 0; i < clients; i++) {
        user_become(talk[i].user, client_program);
    }
    for (unsigned i = 0; i < clients; i++) {
        if (talk[i].dies) {
            for (unsigned steps = (unsigned)property_choose(p, "steps", 200); steps > 0 && machine_step(); steps--) {
            }
            int64_t status = CALL(init, KILL, talk[i].user->process, 1);
            require(status == 0 || status == ERR_DEAD);
        }
    }
    machine_run_until_idle();
    machine_check();
    require_equal(servers_done, 1);
    require_equal(hang_ups, clients);
    for (unsigned i = 0; i < clients; i++) {
        require(user_gone(talk[i].user));
        require(talk[i].dies || talk[i].sent == talk[i].to_send);
        require(talk[i].heard == talk[i].sent || (talk[i].dies && talk[i].heard == talk[i].sent + 1));
    }
    struct ipc_totals totals;
    ipc_get_totals(&totals);
    require_equal(totals.messages.queued, 0);
    require_equal(totals.channels_active, 0);
    require_equal(totals.connections_active, 0);
}

Test(talk, conversations_are_whole) {
    cr_assert(property_run("conversations_are_whole", 800, conversations_are_whole));
}

// Who is told of room and leaves it unused keeps it for no longer than 10 ms: then, and no later than the timers' granule
// allows, the next in line is told. Nobody else does anything meanwhile, and the queue is open to all.
static void unused_room_is_offered_on(uint64_t after_a_granule, uint64_t late) {
    constexpr uint64_t GRANULE = (uint64_t)1 << TIMER_GRANULE_SHIFT, OFFER = 10000000;
    machine_boot(&(struct machine_options){.cpus = 3}); // one for each: nothing else runs a timer
    struct user *init = machine_init(), *client[2];
    handle_t server = (handle_t)user_channel(init, 0, nullptr, &(struct abi_channel_config){.depth = 1}), own[2];
    for (unsigned i = 0; i < 2; i++) {
        handle_t connection = (handle_t)CALL(init, CONNECT, server, RIGHT_WRITE | RIGHT_WATCH | RIGHT_GRANT);
        client[i] = machine_spawn(init, "client", nullptr, nullptr, PRIORITY_DEFAULT);
        own[i] = (handle_t)CALL(init, GIVE, client[i]->process, connection, RIGHT_WRITE | RIGHT_WATCH);
        require((int32_t)own[i] > 0);
    }
    require_equal(user_send(client[0], own[0], "x", 1, 0, 0), 0);
    for (unsigned i = 0; i < 2; i++) {
        struct abi_wait_item item = {.handle = (uint32_t)own[i], .events = EVENT_WRITABLE};
        require(user_store(client[i], client[i]->scratch, &item, sizeof item));
        user_begin(client[i], CALL_WAIT, (const uint64_t[6]){client[i]->scratch, 1, FOREVER});
    }
    machine_settle();
    uint64_t told = (host_time() / GRANULE + 100) * GRANULE - OFFER % GRANULE + after_a_granule;
    machine_run(told);
    char byte;
    require_equal(user_recv(init, server, &byte, 1), 1);
    machine_settle();
    require_equal(host_time(), told);
    require(user_answered(client[0]) && !user_answered(client[1]));
    machine_run(told + OFFER - 1);
    require(!user_answered(client[1]));
    machine_run(told + OFFER + late);
    require(user_answered(client[1]));
    require_equal(user_send(client[1], own[1], "y", 1, 0, 0), 0);
}

Test(talk, unused_room_is_offered_on_to_the_tick) {
    unused_room_is_offered_on(0, 0);
}

Test(talk, unused_room_is_offered_on_within_a_granule) {
    unused_room_is_offered_on(1, (1 << TIMER_GRANULE_SHIFT) - 1);
}
