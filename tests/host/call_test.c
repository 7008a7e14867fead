// Calls against a model of what they mean (ipc/call.h): each call is answered once, by the thread that took it, in the
// order of the turns; words and payload arrive whole; who gives up or dies is told of once; a server's end is told at
// once; deadlines are kept to the tick; urgency is lent and given back; the books close.
//
// Every thread has a CPU of its own, so a call is made at the moment it is begun, and time passes only where the story
// says so.
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/calls.h"
#include "ipc/channel.h"
#include "kernel/alloc_fault.h"
#include "kernel/cpu.h"
#include "kernel/fast.h"
#include "kernel/lock.h"
#include "kernel/process.h"
#include "kernel/thread.h"
#include "kernel/timer.h"
#include "machine.h"
#include "property.h"

enum { SERVERS = 3, CLIENTS = 4, PARTIES = SERVERS + CLIENTS, SIZE_MAX_HERE = 64, TRIED_MAX = 4 };
enum { SEND_AT = 16384, RECEIVE_AT = 20480, UNTOUCHED = 0xee };

enum state { FREE, TURN, SERVED, IDLE };

struct party {
    struct user *user;
    uint64_t connection;
    struct party *with; // of a client: who serves it; of a server: whom it serves, whatever else it does
    uint64_t deadline;
    uint64_t word[MESSAGE_WORDS];
    handle_t end; // of the conversation: the channel, or a connection
    enum state state;
    uint32_t length, room;
    uint8_t priority;
    bool server, alive;
    bool lost;    // of a server: it is to be told that whom it served has gone
    bool listens; // an idle server, for messages too
    uint8_t mark; // its payload's bytes
};

static struct property *p;
static struct user *me;
static struct party party[PARTIES];
static struct party *turn[CLIENTS];
static unsigned turns, servers, pending; // pending: messages and hang-ups
static bool removed;
static uint64_t made, replied, lost;
static uint8_t marks;

static uint64_t below(const char *label, uint64_t bound) {
    return property_choose(p, label, bound);
}

// ---- what threads see ------------------------------------------------------------------------------------------------

static void equip(struct party *of) {
    unsigned char bytes[SIZE_MAX_HERE + 2];
    of->mark = ++marks;
    memset(bytes, of->mark, sizeof bytes);
    require(user_store(of->user, of->user->scratch + SEND_AT, bytes, sizeof bytes));
    memset(bytes, UNTOUCHED, sizeof bytes);
    require(user_store(of->user, of->user->scratch + RECEIVE_AT, bytes, sizeof bytes));
    for (unsigned i = 0; i < MESSAGE_WORDS; i++) {
        of->word[i] = property_word(p, "word");
    }
    memcpy(of->user->thread->frame.message, of->word, sizeof of->word);
}

static void check_words(const struct party *of, const struct party *from) {
    static const uint64_t none[MESSAGE_WORDS];
    const uint64_t *expected = from == nullptr ? none : from->word;
    property_equal(p, memcmp(of->user->thread->frame.message, expected, sizeof none), 0);
}

static void check_payload(const struct party *of, const struct party *from, uint32_t length) {
    unsigned char bytes[SIZE_MAX_HERE + 2];
    require(user_load(of->user, bytes, of->user->scratch + RECEIVE_AT, sizeof bytes));
    for (unsigned i = 0; i < sizeof bytes; i++) {
        property_equal(p, bytes[i], i < length ? from->mark : UNTOUCHED);
    }
}

// It is told why nothing came of it.
static void check_refused(struct party *of, int64_t status) {
    require(user_answered(of->user));
    property_equal(p, of->user->status, status);
    property_equal(p, of->user->word[0], 0);
    check_words(of, nullptr);
    check_payload(of, nullptr, 0);
    of->state = FREE;
    of->listens = false;
    of->deadline = FOREVER;
}

// ---- the model -------------------------------------------------------------------------------------------------------

static void leave_turn(const struct party *client) {
    unsigned at = 0;
    while (turn[at] != client) {
        at++;
    }
    turns--;
    for (; at < turns; at++) {
        turn[at] = turn[at + 1];
    }
}

static void take(struct party *server, struct party *client) {
    property_equal(p, server->user->status, client->user->pid);
    property_equal(p, server->user->word[0], client->connection);
    property_equal(p, server->user->word[1], client->length);
    property_equal(p, server->user->word[2], 0);
    check_words(server, client);
    check_payload(server, client, client->length);
    server->state = FREE;
    server->listens = false;
    server->deadline = FOREVER;
    server->with = client;
    client->state = SERVED;
    client->with = server;
}

static void reply(struct party *server) {
    struct party *client = server->with;
    server->with = nullptr;
    client->with = nullptr;
    replied++;
    if (server->length > client->room) {
        check_refused(client, ERR_TOO_BIG);
        return;
    }
    require(user_answered(client->user));
    property_equal(p, client->user->status, 0);
    property_equal(p, client->user->word[0], server->length);
    check_words(client, server);
    check_payload(client, server, server->length);
    client->state = FREE;
    client->deadline = FOREVER;
}

// A call ends without a reply; the client is told why, or is no more (0).
static void lose(struct party *client, int64_t status) {
    if (client->state == TURN) {
        leave_turn(client);
    } else {
        client->with->with = nullptr;
        client->with->lost = true;
        client->with = nullptr;
    }
    lost++;
    if (status != 0) {
        check_refused(client, status);
    }
    client->state = FREE;
}

static void something_came(void) {
    pending++;
    for (unsigned i = 0; i < SERVERS; i++) {
        if (party[i].listens) {
            check_refused(&party[i], ERR_EMPTY);
        }
    }
}

// ---- what happens ----------------------------------------------------------------------------------------------------

static uint64_t shape_of(struct party *of, uint64_t *deadline) {
    of->length = property_chance(p, "payload", 50) ? (uint32_t)below("length", SIZE_MAX_HERE + 2) : 0;
    of->room = property_chance(p, "room", 50) ? (uint32_t)below("bytes of room", SIZE_MAX_HERE + 2) : 0;
    uint64_t shape = of->length | (uint64_t)of->room * CALL_RECEIVE;
    *deadline = FOREVER;
    if (property_chance(p, "timed", 30)) {
        *deadline = host_time() + below("deadline", 3) * (1 + below("nanoseconds", 5000000));
        shape |= CALL_TIMED;
    }
    return shape;
}

static int64_t make(const struct party *of, uint64_t number, uint64_t shape, uint64_t deadline) {
    uint64_t scratch = of->user->scratch;
    const uint64_t arg[6] = {of->end, shape, scratch + SEND_AT, scratch + RECEIVE_AT, deadline};
    int64_t status = user_call(of->user, number, arg);
    machine_settle();
    return status;
}

// Idle servers were offered the call: those without room have been told; one has it, or none is left, or enough were tried.
static bool offered(struct party *client, int64_t status) {
    unsigned tried = 0, idle = 0;
    struct party *taker = nullptr;
    for (unsigned i = 0; i < SERVERS; i++) {
        struct party *server = &party[i];
        if (server->state != IDLE) {
            continue;
        }
        if (!user_answered(server->user)) {
            idle++;
        } else if (server->user->status == ERR_TOO_BIG) {
            property_check(p, client->length > server->room);
            check_refused(server, ERR_TOO_BIG);
            tried++;
        } else {
            property_check(p, taker == nullptr && client->length <= server->room);
            taker = server;
        }
    }
    if (taker == nullptr) {
        property_equal(p, idle, 0);
        return false;
    }
    property_equal(p, status, USER_PARKED);
    property_check(p, tried < TRIED_MAX);
    take(taker, client);
    return true;
}

static void a_call(struct party *client) {
    equip(client);
    uint64_t deadline, shape = shape_of(client, &deadline);
    int64_t status = make(client, CALL_CALL, shape, deadline);
    property_note(p, "client %u calls: %lld", client->user->pid, (long long)status);
    int64_t refusal = client->length > SIZE_MAX_HERE ? ERR_TOO_BIG
                      : servers == 0                 ? ERR_PEER_CLOSED
                      : removed                      ? ERR_REMOVED
                      : deadline <= host_time()      ? ERR_TIMED_OUT
                                                     : 0;
    if (refusal != 0) {
        property_equal(p, status, refusal);
        check_refused(client, refusal);
        return;
    }
    made++;
    client->deadline = deadline;
    if (!offered(client, status)) {
        property_equal(p, status, USER_PARKED);
        client->state = TURN;
        turn[turns++] = client;
    }
}

static void a_reply_wait(struct party *server) {
    equip(server);
    uint64_t deadline, shape = shape_of(server, &deadline);
    bool only = property_chance(p, "reply only", 15), listens = property_chance(p, "messages", 20);
    shape |= (only ? CALL_REPLY_ONLY : 0) | (listens ? CALL_MESSAGES : 0);
    if (server->length > SIZE_MAX_HERE + 1) {
        shape = MESSAGE_MAX + 1;
    }
    int64_t status = make(server, CALL_REPLY_WAIT, shape, deadline);
    property_note(p, "server %u waits, flags %llx: %lld", server->user->pid, (unsigned long long)shape >> 24,
                  (long long)status);
    if (server->lost || (only && server->with == nullptr)) {
        server->lost = false;
        property_equal(p, status, ERR_PEER_CLOSED);
        check_refused(server, ERR_PEER_CLOSED);
        return;
    }
    if (server->with != nullptr) {
        reply(server);
    }
    int64_t told = only                                          ? 0
                   : turns > 0 && turn[0]->length > server->room ? ERR_TOO_BIG
                   : turns > 0                                   ? turn[0]->user->pid
                   : listens && pending > 0                      ? ERR_EMPTY
                   : removed                                     ? ERR_REMOVED
                   : deadline <= host_time()                     ? ERR_TIMED_OUT
                                                                 : USER_PARKED;
    property_equal(p, status, told);
    if (told == USER_PARKED) {
        server->state = IDLE;
        server->listens = listens;
        server->deadline = deadline;
    } else if (told <= 0) {
        check_refused(server, told);
    } else {
        struct party *client = turn[0];
        leave_turn(client);
        take(server, client);
    }
}

static void a_send(const struct party *client) {
    int64_t status = user_send(client->user, client->end, "x", 1, 0, 0);
    machine_settle();
    property_check(p, status == 0 || status == ERR_FULL || status == ERR_PEER_CLOSED || status == ERR_REMOVED);
    if (status == 0) {
        something_came();
    }
}

static void a_recv(const struct party *server) {
    char message[SIZE_MAX_HERE];
    int64_t status = user_recv(server->user, server->end, message, sizeof message);
    property_equal(p, status >= 0, pending > 0);
    pending -= status >= 0;
}

static void a_death(struct party *of) {
    property_note(p, "%u dies", of->user->pid);
    require_equal(CALL(me, KILL, of->user->process, 0), 0);
    machine_settle();
    struct machine_census census;
    machine_count(&census); // all of it is gone by now
    of->alive = false;
    if (of->server) {
        servers--;
        of->state = FREE;
        of->listens = false;
        if (of->with != nullptr) {
            struct party *client = of->with;
            lose(client, ERR_PEER_CLOSED);
        }
        while (servers == 0 && turns > 0) {
            lose(turn[0], ERR_PEER_CLOSED);
        }
        pending = servers == 0 && removed ? 0 : pending;
        return;
    }
    if (of->state != FREE) {
        lose(of, 0);
    }
    if (servers > 0) {
        something_came();
    }
}

static void a_removal(void) {
    require_equal(user_remove(me, me->root, "/tmp/calls"), 0);
    machine_settle();
    removed = true;
    for (unsigned i = 0; i < SERVERS; i++) {
        if (party[i].state == IDLE) {
            check_refused(&party[i], ERR_REMOVED);
        }
    }
}

static void time_passes(void) {
    machine_run(host_time() + 1 + below("time", 6000000));
    for (unsigned i = 0; i < PARTIES; i++) {
        struct party *of = &party[i];
        if (!of->alive || of->state == FREE || of->deadline == FOREVER) {
            continue;
        }
        bool answered = user_answered(of->user);
        property_check(p, !answered || of->deadline <= host_time());
        property_check(p, answered || timer_due(of->deadline) > host_time());
        if (answered && of->server) {
            check_refused(of, ERR_TIMED_OUT);
        } else if (answered) {
            lose(of, ERR_TIMED_OUT);
        }
    }
}

// ---- what must hold after each step ----------------------------------------------------------------------------------

static void check(void) {
    struct channel_info info;
    struct channel *channel = channel_after(0);
    if (channel != nullptr) {
        channel_get_info(channel, &info);
        property_equal(p, info.calls.made, made);
        property_equal(p, info.calls.replied, replied);
        property_equal(p, info.calls.lost, lost);
        property_equal(p, info.calls.waiting, turns);
    }
    property_equal(p, cpu_count_total(COUNT_CALL), made);
    property_equal(p, cpu_count_total(COUNT_REPLY), replied);
    property_equal(p, cpu_count_total(COUNT_CALL_LOST), lost);
    uint64_t served = 0;
    for (unsigned i = 0; i < PARTIES; i++) {
        const struct party *of = &party[i];
        if (!of->alive) {
            continue;
        }
        property_equal(p, user_answered(of->user), of->state == FREE);
        served += of->state == SERVED;
        uint8_t lent = of->server && of->with != nullptr ? of->with->priority : 0;
        if (of->state != IDLE) { // nobody asks how urgent an idle server is
            property_equal(p, of->user->thread->priority, lent > of->priority ? lent : of->priority);
        }
    }
    property_equal(p, made, replied + lost + turns + served);
    machine_check();
}

// ---- the story -------------------------------------------------------------------------------------------------------

static void make_parties(void) {
    struct abi_channel_config config = {.depth = 4, .message_max = SIZE_MAX_HERE};
    int64_t channel = user_channel(me, me->root, "/tmp/calls", &config);
    require(channel > 0);
    for (unsigned i = 0; i < PARTIES; i++) {
        struct party *of = &party[i];
        *of = (struct party){.server = i < SERVERS, .alive = true, .deadline = FOREVER};
        of->priority = (uint8_t)(PRIORITY_DEFAULT - below("priority", 6));
        of->user = machine_spawn(me, "party", nullptr, nullptr, of->priority);
        require(of->user != nullptr);
        int64_t end = channel;
        if (!of->server) {
            end = CALL(me, CONNECT, (uint64_t)channel, RIGHTS_ALL);
            struct connection_info info = {};
            struct connection *connection = connection_after(channel_after(0), 0);
            while (connection != nullptr) { // the newest
                connection_get_info(connection, &info);
                connection = connection_after(channel_after(0), info.id);
            }
            of->connection = info.id;
        }
        int64_t theirs =
            CALL(me, GIVE, of->user->process, (uint64_t)end, RIGHT_READ | RIGHT_WRITE | (of->server ? 0 : RIGHT_CALL));
        require(theirs > 0);
        of->end = (handle_t)theirs;
        if (!of->server) {
            require_equal(CALL(me, CLOSE, (uint64_t)end), 0);
        }
    }
    require_equal(CALL(me, CLOSE, (uint64_t)channel), 0);
}

static void step(void) {
    struct party *of = &party[below("who", PARTIES)];
    unsigned what = (unsigned)below("what", 40);
    if (what == 39 && !removed && property_chance(p, "removal", 20)) {
        a_removal();
    } else if (what >= 32) {
        time_passes();
    } else if (of->alive && what == 31 && property_chance(p, "death", 40)) {
        a_death(of);
    } else if (!of->alive || of->state != FREE) {
        return;
    } else if (what >= 28) {
        if (of->server) {
            a_recv(of);
        } else {
            a_send(of);
        }
    } else if (of->server) {
        a_reply_wait(of);
    } else {
        a_call(of);
    }
}

static void calls(struct property *property) {
    p = property;
    turns = pending = 0;
    made = replied = lost = 0;
    removed = false;
    servers = SERVERS;
    machine_boot(&(struct machine_options){.cpus = PARTIES + 1, .property = property});
    fast_limit = property_chance(p, "general paths only", 30) ? 0 : CALL_FAST;
    me = machine_init();
    require_equal(CALL(me, CLOSE, (uint64_t)user_channel(me, 0, nullptr, nullptr)), 0); // what grows with the first one
    struct machine_census before, after;
    machine_count(&before);
    make_parties();
    while (property_more(property, 120)) {
        step();
        check();
    }
    for (unsigned i = 0; i < PARTIES; i++) {
        CALL(me, KILL, party[i].user->process, 0);
        require_equal(CALL(me, CLOSE, party[i].user->process), 0);
        require_equal(CALL(me, CLOSE, party[i].user->self), 0);
    }
    if (!removed) {
        require_equal(user_remove(me, me->root, "/tmp/calls"), 0);
    }
    machine_count(&after);
    for (unsigned i = 0; i < OBJECT_KINDS; i++) {
        property_equal(p, after.objects[i], before.objects[i]);
    }
    property_equal(p, after.nodes, before.nodes);
    property_equal(p, after.threads, before.threads);
}

Test(call, follows_the_model, .timeout = 200) {
    cr_assert(property_run("call_follows_the_model", 300, calls));
}

// ---- particular cases ------------------------------------------------------------------------------------------------

static struct user *client, *server;
static handle_t channel, connection;

static void make_pair(void) {
    me = machine_init();
    server = machine_spawn(me, "server", nullptr, nullptr, PRIORITY_DEFAULT);
    client = machine_spawn(me, "client", nullptr, nullptr, PRIORITY_DEFAULT);
    require(server != nullptr && client != nullptr);
    int64_t made_here = user_channel(me, 0, nullptr, nullptr);
    require(made_here > 0);
    int64_t connected = CALL(me, CONNECT, (uint64_t)made_here, RIGHTS_ALL);
    int64_t given = CALL(me, GIVE, server->process, (uint64_t)made_here, RIGHT_READ | RIGHT_WRITE);
    int64_t called = CALL(me, GIVE, client->process, (uint64_t)connected, RIGHT_CALL);
    require(given > 0 && called > 0);
    channel = (handle_t)given;
    connection = (handle_t)called;
    require_equal(CALL(me, CLOSE, (uint64_t)made_here), 0);
    require_equal(CALL(me, CLOSE, (uint64_t)connected), 0);
}

enum { BYTES = 200, BOTH = BYTES | BYTES * CALL_RECEIVE, FRESH = 65536 };

// The call waits its turn, so its payload is kept; both payloads go to pages that are not there yet.
static void a_round_trip(void) {
    const uint64_t call[6] = {connection, BOTH, client->scratch + SEND_AT, client->scratch + FRESH};
    user_begin(client, CALL_CALL, call);
    machine_settle();
    int64_t got = CALL(server, REPLY_WAIT, channel, BYTES * CALL_RECEIVE | CALL_TIMED, 0, server->scratch + FRESH, 0);
    if (got > 0) {
        got = CALL(server, REPLY_WAIT, channel, BYTES | CALL_REPLY_ONLY, server->scratch + FRESH);
        require_equal(got, 0);
    }
    machine_settle();
    require(user_answered(client) || got < 0);
}

static void end_pair(void) {
    struct user *ended[] = {client, server};
    for (unsigned i = 0; i < 2; i++) {
        require_equal(CALL(me, KILL, ended[i]->process, 0), 0);
    }
}

Test(call, survives_each_refused_allocation, .timeout = 100) {
    for (unsigned n = 1;; n++) {
        struct machine_census before, after;
        machine_boot(&(struct machine_options){.cpus = 3});
        me = machine_init();
        machine_count(&before);
        make_pair();
        alloc_fault_arm(n, false);
        a_round_trip();
        bool fired = alloc_fault_fired();
        alloc_fault_arm(0, false);
        end_pair();
        machine_check();
        machine_count(&after);
        require_equal(after.objects[OBJECT_CHANNEL], before.objects[OBJECT_CHANNEL]);
        require_equal(after.objects[OBJECT_CONNECTION], before.objects[OBJECT_CONNECTION]);
        require_equal(after.threads, before.threads);
        require_equal(cpu_count_total(COUNT_CALL), cpu_count_total(COUNT_REPLY) + cpu_count_total(COUNT_CALL_LOST));
        if (!fired) {
            require(n > 3); // the payload that is kept, a page for each side
            return;
        }
    }
}

static void boot_pair(void) {
    machine_boot(&(struct machine_options){.cpus = 4});
    make_pair();
}

static struct channel_info figures(void) {
    struct channel_info info;
    struct channel *first = channel_after(0);
    require(first != nullptr);
    channel_get_info(first, &info);
    return info;
}

// The hang-up is received, then the reply comes: the channel's books close all the same.
Test(call, books_close_after_a_hang_up) {
    boot_pair();
    struct user *other = machine_thread(client, nullptr, nullptr, PRIORITY_DEFAULT);
    require(other != nullptr);
    require_equal(CALL(client, CALL, connection), USER_PARKED);
    require_equal(CALL(server, REPLY_WAIT, channel, CALL_TIMED), client->pid);
    require_equal(CALL(other, CLOSE, connection), 0);
    char message[MESSAGE_MAX];
    require(user_recv(server, channel, message, sizeof message) >= 0);
    require_equal(figures().calls.replied, 0);
    require_equal(CALL(server, REPLY_WAIT, 0, CALL_REPLY_ONLY), 0);
    require_equal(client->status, 0);
    require_equal(figures().calls.made, 1);
    require_equal(figures().calls.replied, 1);
}

// The connection that only the call has kept goes with the reply, also where that would have come by a fast path, of either
// set.
static void reply_to_the_last(unsigned cpus, uint64_t room) {
    machine_boot(&(struct machine_options){.cpus = cpus});
    make_pair();
    struct user *other = machine_thread(client, nullptr, nullptr, PRIORITY_DEFAULT);
    require(other != nullptr);
    require_equal(CALL(client, CALL, connection, room, 0, client->scratch), USER_PARKED);
    require_equal(CALL(server, REPLY_WAIT, channel), client->pid);
    require_equal(CALL(other, CLOSE, connection), 0);
    char message[MESSAGE_MAX];
    require(user_recv(server, channel, message, sizeof message) >= 0);
    require_equal(CALL(server, REPLY_WAIT, channel), USER_PARKED);
    require(user_answered(client) && client->status == 0);
    struct machine_census census;
    machine_count(&census);
    require_equal(census.objects[OBJECT_CONNECTION], 0);
}

Test(call, a_reply_lets_the_connection_go) {
    for (unsigned cpus = 1; cpus <= 4; cpus += 3) {
        reply_to_the_last(cpus, 0);
        reply_to_the_last(cpus, MESSAGE_MAX * CALL_RECEIVE);
    }
}

// The same with the channel gone as well: the caller is answered by who still serves it.
Test(call, a_reply_outlives_its_channel) {
    boot_pair();
    struct user *other = machine_thread(client, nullptr, nullptr, PRIORITY_DEFAULT);
    require(other != nullptr);
    require_equal(CALL(client, CALL, connection), USER_PARKED);
    require_equal(CALL(server, REPLY_WAIT, channel, CALL_TIMED), client->pid);
    require_equal(CALL(other, CLOSE, connection), 0);
    require_equal(CALL(server, CLOSE, channel), 0);
    struct machine_census census;
    machine_count(&census);
    require_equal(census.objects[OBJECT_CHANNEL], 0);
    require(!user_answered(client));
    require_equal(CALL(server, REPLY_WAIT, 0, CALL_REPLY_ONLY), 0);
    require_equal(client->status, 0);
    require_equal(cpu_count_total(COUNT_REPLY), 1);
}

Test(call, a_reply_that_cannot_be_read_is_none) {
    boot_pair();
    require_equal(CALL(client, CALL, connection), USER_PARKED);
    require_equal(CALL(server, REPLY_WAIT, channel, CALL_TIMED), client->pid);
    require_equal(CALL(server, REPLY_WAIT, 0, CALL_REPLY_ONLY | 5, 8), ERR_FAULT);
    require(!user_answered(client));
    require_equal(CALL(server, REPLY_WAIT, 0, CALL_REPLY_ONLY), 0);
    require_equal(client->status, 0);
}

// Its process has ended, its thread has not been taken apart yet: the call goes to nobody, and waits its turn.
Test(call, a_server_that_is_ending_is_none) {
    boot_pair();
    require_equal(CALL(server, REPLY_WAIT, channel), USER_PARKED);
    struct thread *thread = client->thread;
    require_equal(thread->state, THREAD_RUNNING);
    unsigned cpu = thread_cpu(thread)->index;
    host_become(cpu);
    kernel_lock();
    require_equal(process_end(server->thread->process, PROCESS_KILLED, -1), 0);
    kernel_unlock();
    thread->frame.number = CALL_CALL;
    memcpy(thread->frame.arg, (const uint64_t[6]){connection}, sizeof thread->frame.arg);
    host_enter(cpu, HOST_CALL, nullptr);
    struct machine_census census;
    machine_count(&census);
    // The last server's handle is gone with it.
    require_equal(thread->frame.status, ERR_PEER_CLOSED);
    require_equal(cpu_count_total(COUNT_CALL), 1);
    require_equal(cpu_count_total(COUNT_CALL_LOST), 1);
}

// More than are told on the spot: the others in slices.
Test(call, many_callers_are_told_of_a_loss) {
    enum { MANY = 100 };
    struct user *many[MANY];
    machine_boot(&(struct machine_options){.cpus = 2, .memory = 64u << 20});
    me = machine_init();
    int64_t first = user_channel(me, me->root, "/tmp/box", nullptr);
    int64_t old = CALL(me, CONNECT, (uint64_t)first, RIGHTS_ALL);
    require(first > 0 && old > 0);
    for (unsigned i = 0; i < MANY; i++) {
        many[i] = machine_thread(me, nullptr, nullptr, PRIORITY_DEFAULT);
        require(many[i] != nullptr);
        require_equal(CALL(many[i], CALL, (uint64_t)old), USER_PARKED);
    }
    require_equal(figures().calls.waiting, MANY);
    require_equal(CALL(me, CLOSE, (uint64_t)first), 0);
    machine_run_until_idle();
    for (unsigned i = 0; i < MANY; i++) {
        require(user_answered(many[i]));
        require_equal(many[i]->status, ERR_PEER_CLOSED);
    }
    require_equal(figures().calls.waiting, 0);
    require_equal(figures().calls.lost, MANY);
}

// ---- who waits for whom ----------------------------------------------------------------------------------------------

// The last two fields of the line of a process that is parked in that operation: who can wake it, and whether it is stuck.
static void check_waits(const struct user *of, const char *operation, const char *expected) {
    static char text[16384];
    require(user_text(me, "/kern/ipc/waits", text, sizeof text) > 0);
    for (char *line = text, *end; (end = strchr(line, '\n')) != nullptr; line = end + 1) {
        *end = 0;
        char *word[16], found[64];
        unsigned words = 0;
        for (char *next = strtok(line, " "); next != nullptr && words < 16; next = strtok(nullptr, " ")) {
            word[words++] = next;
        }
        if (words < 4 || (uint32_t)strtoul(word[0], nullptr, 10) != of->pid || strcmp(word[3], operation) != 0) {
            continue;
        }
        snprintf(found, sizeof found, "%s %s", word[words - 2], word[words - 1]);
        if (strcmp(found, expected) != 0) {
            machine_fail("%u in %s: wakers and stuck are '%s' instead of '%s'", of->pid, operation, found, expected);
        }
        return;
    }
    machine_fail("%u is not parked in %s", of->pid, operation);
}

static handle_t give(handle_t handle, const struct user *to, uint32_t rights) {
    int64_t given = CALL(me, GIVE, to->process, handle, rights);
    require(given > 0);
    return (handle_t)given;
}

Test(call, who_can_wake_a_caller_is_told) {
    machine_boot(&(struct machine_options){.cpus = 4});
    me = machine_init();
    struct user *a = machine_spawn(me, "party", nullptr, nullptr, PRIORITY_DEFAULT);
    struct user *b = machine_spawn(me, "party", nullptr, nullptr, PRIORITY_DEFAULT);
    require(a != nullptr && b != nullptr);
    handle_t of_a = (handle_t)user_channel(me, 0, nullptr, nullptr),
             of_b = (handle_t)user_channel(me, 0, nullptr, nullptr);
    handle_t to_a = give((handle_t)CALL(me, CONNECT, of_a, RIGHTS_ALL), b, RIGHT_CALL);
    handle_t mine = (handle_t)CALL(me, CONNECT, of_b, RIGHTS_ALL);
    handle_t to_b = give(mine, a, RIGHT_CALL | RIGHT_WRITE);
    require_equal(CALL(me, CLOSE, mine), 0);
    handle_t a_serves = give(of_a, a, RIGHT_READ), b_serves = give(of_b, b, RIGHT_READ);
    require_equal(CALL(me, CLOSE, of_a), 0);
    require_equal(CALL(me, CLOSE, of_b), 0);
    char pid_a[16], pid_b[16], stuck_on_a[16], stuck_on_b[16];
    snprintf(pid_a, sizeof pid_a, "%u 0", a->pid);
    snprintf(pid_b, sizeof pid_b, "%u 0", b->pid);
    snprintf(stuck_on_a, sizeof stuck_on_a, "%u 1", a->pid);
    snprintf(stuck_on_b, sizeof stuck_on_b, "%u 1", b->pid);

    // In turn: whoever serves the channel. Served: who serves it.
    require_equal(CALL(a, CALL, to_b), USER_PARKED);
    check_waits(a, "call", pid_b);
    require_equal(CALL(b, REPLY_WAIT, b_serves), a->pid);
    check_waits(a, "call", pid_b);
    require_equal(CALL(b, REPLY_WAIT, b_serves), USER_PARKED);
    // An idle server: its clients.
    check_waits(b, "reply_wait", pid_a);
    // Each serves the other: a cycle.
    require_equal(CALL(a, CALL, to_b), USER_PARKED);
    require(user_answered(b));
    require_equal(CALL(b, CALL, to_a), USER_PARKED);
    check_waits(a, "call", stuck_on_b);
    check_waits(b, "call", stuck_on_a);
    (void)a_serves;
}

// Nobody serves yet: whoever comes to.
Test(call, anybody_can_serve_a_mailbox) {
    machine_boot(&(struct machine_options){.cpus = 3});
    me = machine_init();
    require_equal(CALL(me, CLOSE, (uint64_t)user_channel(me, me->root, "/tmp/box", nullptr)), 0);
    int64_t box = user_open(me, me->root, "/tmp/box/data", OPEN_WRITE, 0);
    struct user *caller = machine_spawn(me, "party", nullptr, nullptr, PRIORITY_DEFAULT);
    require(box > 0 && caller != nullptr);
    handle_t theirs = give((handle_t)box, caller, RIGHT_CALL);
    require_equal(CALL(caller, CALL, theirs), USER_PARKED);
    check_waits(caller, "call", "any 0");
    int64_t serving = user_open(me, me->root, "/tmp/box/data", OPEN_READ | OPEN_SERVE, 0);
    require(serving > 0);
    require_equal(user_wait_one(me, (handle_t)serving, EVENT_CALLED, 0), 0);
    // More hold the serving end than are looked at.
    for (unsigned i = 0; i < HOLDERS_MAX; i++) {
        require(CALL(me, DUP, (uint64_t)serving, RIGHT_READ) > 0);
    }
    char many[32];
    snprintf(many, sizeof many, "%u,any 0", me->pid);
    check_waits(caller, "call", many);
    require_equal(CALL(me, REPLY_WAIT, (uint64_t)serving), caller->pid);
}
