// Mapped channels as the kernel has them: client and server reach the same memory, each with no more than its handle's
// rights; what either leaves there outlives it as long as the other needs it; and everything is returned. What goes
// through the memory is the library's (user/lib/test/mapped_test.c).
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

static struct user *me, *other; // the server; a client in a process of its own
static handle_t server, client; // other's connection
static uint64_t connection;     // as the server knows it
static struct machine_census before;

static const struct abi_channel_config mapped_config = {.flags = CHANNEL_MAPPED | CHANNEL_TEMPORARY};

static handle_t good(int64_t handle) {
    require(handle > 0);
    return (handle_t)handle;
}

static uint64_t map(struct user *self, handle_t memory, unsigned protection) {
    require_equal(CALL(self, MAP, self->own, memory, 0, 0, sizeof(struct abi_ring_pair), protection), 0);
    return self->word[0];
}

static uint64_t at_tail(uint64_t base) {
    return base + offsetof(struct abi_ring_pair, server.tail.index);
}

static void begin(void) {
    machine_boot(&(struct machine_options){.cpus = 2, .memory = 32u << 20});
    me = machine_init();
    for (uint64_t at = 0; at < USER_SCRATCH_SIZE; at += PAGE_SIZE) {
        require(user_store(me, me->scratch + at, "", 1));
    }
    handle_t first =
        good(user_channel(me, me->root, "/tmp/m", &mapped_config)); // what stays allocated is there after it
    require_equal(CALL(me, CLOSE, first), 0);
    machine_count(&before);
    server = good(user_channel(me, me->root, "/tmp/m", &mapped_config));
    other = machine_spawn(me, "client", nullptr, nullptr, PRIORITY_DEFAULT);
    require(other != nullptr);
    client = good(user_open(other, other->root, "/tmp/m/data", OPEN_READ | OPEN_WRITE, 0));
    require_equal(user_send(other, client, "", 0, 0, 0), 0);
    require_equal(user_recv(me, server, nullptr, 0), 0);
    connection = me->word[2];
}

static void client_dies(void) {
    require_equal(CALL(me, KILL, other->process, 0), 0);
    require_equal(user_wait_one(me, other->process, EVENT_EXITED, 0) == 0 ||
                      user_wait_one(me, other->process, EVENT_EXITED, FOREVER) == 0,
                  true);
    machine_run_until_idle();
    require_equal(CALL(me, CLOSE, other->process), 0);
    require_equal(CALL(me, CLOSE, other->self), 0);
}

static void end(void) {
    struct machine_census after;
    require_equal(CALL(me, CLOSE, server), 0);
    machine_run_until_idle();
    machine_check();
    machine_count(&after);
    machine_compare(&before, &after);
}

// The line of a table whose column `key` is `wanted`; words count as 0.
struct row {
    bool found;
    uint64_t value[32];
};

static struct row find_row(const char *path, unsigned columns, unsigned key, uint64_t wanted) {
    char text[8192];
    require(user_text(me, path, text, sizeof text) > 0);
    char *lines, *words;
    for (char *line = strtok_r(text, "\n", &lines); line != nullptr; line = strtok_r(nullptr, "\n", &lines)) {
        struct row row = {.found = true};
        unsigned count = 0;
        for (char *word = strtok_r(line, " ", &words); word != nullptr; word = strtok_r(nullptr, " ", &words)) {
            require(count < columns);
            row.value[count++] = strtoull(word, nullptr, 0);
        }
        require_equal(count, columns);
        if (row.value[key] == wanted) {
            return row;
        }
    }
    return (struct row){};
}

Test(mapped, both_reach_the_same_memory) {
    begin();
    uint64_t theirs = map(other, client, PROT_READ | PROT_WRITE);
    handle_t rings = good(CALL(me, ATTACH, server, connection));
    uint64_t mine = map(me, rings, PROT_READ | PROT_WRITE);
    uint64_t value = 77;
    require(user_store(other, at_tail(theirs), &value, sizeof value));
    value = 0;
    require(user_load(me, &value, at_tail(mine), sizeof value));
    cr_assert_eq(value, 77);
    uint8_t byte = 9;
    uint64_t last = sizeof(struct abi_ring_pair) - 1;
    require(user_store(me, mine + last, &byte, 1));
    byte = 0;
    require(user_load(other, &byte, theirs + last, 1));
    cr_assert_eq(byte, 9);
    // What the files of the channel say of it.
    struct row row = find_row("/tmp/m/connections", 18, 0, connection);
    cr_assert(row.found);
    cr_assert_eq(row.value[1], other->pid);
    cr_assert_eq(row.value[5], 1); // sent_in: the doorbell
    static const uint64_t rings_say[] = {1, 77, 0, 77, 0, 0, 0};
    cr_assert_eq(memcmp(&row.value[11], rings_say, sizeof rings_say), 0);
    cr_assert(find_row("/kern/ipc/holders", 8, 4, rings).found);
    handle_t plain = good(CALL(me, PAGES_CREATE, PAGE_SIZE)); // memory that is no conversation's
    cr_assert(!find_row("/kern/ipc/holders", 8, 4, plain).found);
    cr_assert_eq(CALL(me, CLOSE, plain), 0);
    // The handle is not needed any longer; the client's end takes nothing from the server.
    cr_assert_eq(CALL(me, CLOSE, rings), 0);
    client_dies();
    value = 0;
    require(user_load(me, &value, at_tail(mine), sizeof value));
    cr_assert_eq(value, 77);
    cr_assert_eq(user_recv(me, server, nullptr, 0), 0);
    cr_assert_eq(me->word[0] >> 32, MESSAGE_HANGUP);
    cr_assert_eq(CALL(me, ATTACH, server, connection), ERR_NOT_FOUND);
    cr_assert_eq(CALL(me, UNMAP, me->own, mine), 0);
    end();
}

// A client that has gone before the server came to it: what it left can be read until its hang-up is received.
Test(mapped, what_a_dead_client_left_is_there) {
    begin();
    uint64_t theirs = map(other, client, PROT_READ | PROT_WRITE), value = 5;
    require(user_store(other, at_tail(theirs), &value, sizeof value));
    client_dies();
    handle_t rings = good(CALL(me, ATTACH, server, connection));
    uint64_t mine = map(me, rings, PROT_READ);
    value = 0;
    require(user_load(me, &value, at_tail(mine), sizeof value));
    cr_assert_eq(value, 5);
    cr_assert_eq(CALL(me, CLOSE, rings), 0);
    cr_assert_eq(CALL(me, UNMAP, me->own, mine), 0);
    cr_assert_eq(user_recv(me, server, nullptr, 0), 0);
    end();
}

// The server goes: the client is told, and keeps the memory.
Test(mapped, a_client_keeps_what_a_dead_server_left) {
    begin();
    uint64_t theirs = map(other, client, PROT_READ | PROT_WRITE), value = 3;
    handle_t rings = good(CALL(me, ATTACH, server, connection));
    uint64_t mine = map(me, rings, PROT_READ | PROT_WRITE);
    require(user_store(me, at_tail(mine), &value, sizeof value));
    cr_assert_eq(CALL(me, UNMAP, me->own, mine), 0);
    cr_assert_eq(CALL(me, CLOSE, rings), 0);
    cr_assert_eq(CALL(me, CLOSE, server), 0);
    cr_assert_eq(user_wait_one(other, client, EVENT_PEER_LOST, 0), 0);
    value = 0;
    require(user_load(other, &value, at_tail(theirs), sizeof value));
    cr_assert_eq(value, 3);
    client_dies();
    struct machine_census after;
    machine_count(&after);
    machine_compare(&before, &after);
}

// Never more than the handle's rights: who may only read maps only for reading, and a server's handle passes its own on.
Test(mapped, rights_bound_the_mapping) {
    begin();
    handle_t reader = good(user_open(other, other->root, "/tmp/m/data", OPEN_READ, 0));
    cr_assert_eq(CALL(other, MAP, other->own, reader, 0, 0, PAGE_SIZE, PROT_READ | PROT_WRITE), ERR_RIGHTS);
    cr_assert_eq(CALL(other, MAP, other->own, reader, 0, 0, PAGE_SIZE, PROT_READ), 0);
    handle_t deaf = good(CALL(me, DUP, server, RIGHT_WRITE)), mute = good(CALL(me, DUP, server, RIGHT_READ));
    cr_assert_eq(CALL(me, ATTACH, deaf, connection), ERR_RIGHTS);
    handle_t rings = good(CALL(me, ATTACH, mute, connection));
    cr_assert_eq(CALL(me, MAP, me->own, rings, 0, 0, PAGE_SIZE, PROT_READ | PROT_WRITE), ERR_RIGHTS);
    cr_assert_eq(CALL(me, MAP, me->own, rings, 0, 0, PAGE_SIZE, PROT_READ), 0);
    uint64_t address = me->word[0];
    cr_assert_eq(CALL(me, GIVE, other->process, rings, RIGHT_READ | RIGHT_MAP), ERR_RIGHTS); // mute could not grant
    cr_assert_eq(CALL(me, UNMAP, me->own, address), 0);
    cr_assert_eq(CALL(me, CLOSE, rings), 0);
    cr_assert_eq(CALL(me, CLOSE, deaf), 0);
    cr_assert_eq(CALL(me, CLOSE, mute), 0);
    client_dies();
    while (user_recv(me, server, nullptr, 0) == 0) {
    }
    end();
}
