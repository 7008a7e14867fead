// mapped-check: mapped rings between processes. It serves /ipc/mapped-check to processes of itself: some talk to their
// end and check every answer, some are killed in the midst, some write nonsense into the shared memory; then the other way
// round, clients see their server die. Whatever a client does, the others lose nothing; whoever dies, the other side
// receives all that was sent before, whole and in order, and is told.
#include "../support/draw.h"
#include "base/memory.h"
#include "base/str.h"
#include "isthmus/calls.h"
#include "lib/channel.h"
#include "lib/clock.h"
#include "lib/error.h"
#include "lib/mapped.h"
#include "lib/option.h"
#include "lib/print.h"
#include "lib/process.h"
#include "role.h"

enum {
    TALKERS = 3,
    MESSAGES = 3000,
    VICTIMS = 6,
    SCRIBBLERS = 2,
    SCRIBBLES = 400,
    AHEAD = 200,
    CLIENTS = TALKERS + VICTIMS + SCRIBBLERS
};

static const char path[] = "/ipc/mapped-check";
static const struct option options[] = {{'r', "role", "ROLE", "talk, flood, scribble or serve (used by itself)"}, {}};
static const struct program program = {"", "Check mapped rings between processes.", options};
static unsigned failures;
static uint64_t seed = 1;

static uint64_t below(uint64_t bound) {
    return draw_below(&seed, bound);
}

static void expect(bool holds, const char *what, long got) {
    if (!holds) {
        print("%s: %ld\n", what, got);
        failures++;
    }
}

static size_t length_of(uint64_t number) {
    return (size_t)(number * 37 % (MESSAGE_MAX + 1));
}

static void fill(uint8_t *payload, uint64_t number) {
    for (size_t i = 0; i < length_of(number); i++) {
        payload[i] = (uint8_t)(number + 5 * i);
    }
}

static bool whole(const uint8_t *payload, long length, uint64_t number) {
    uint8_t want[MESSAGE_MAX];
    fill(want, number);
    return length == (long)length_of(number) && memcmp(payload, want, (size_t)length) == 0;
}

// ---- what clients do -------------------------------------------------------------------------------------------------

static int talk(void) {
    struct mapped mapped;
    uint8_t payload[MESSAGE_MAX];
    uint64_t id = 0;
    long status = mapped_connect(&mapped, path, clock_deadline(20 * SECOND));
    if (status < 0) {
        return error_report("talk", status);
    }
    uint64_t received = 0;
    for (uint64_t sent = 0; received < MESSAGES;) {
        for (uint64_t until = sent + 1 + sent % 200; sent < until && sent < MESSAGES; sent++) {
            fill(payload, sent);
            status = mapped_send(&mapped, payload, length_of(sent), sent, FOREVER);
            if (status < 0) {
                return error_report("send", status);
            }
        }
        for (; received < sent; received++) {
            status = mapped_recv(&mapped, payload, sizeof payload, &id, FOREVER);
            if (status < 0 || id != received || !whole(payload, status, id)) {
                return error_report("recv", status);
            }
        }
    }
    mapped_close(&mapped);
    return 0;
}

// Send without an end. Answers are not read, or only at times.
static int flood(void) {
    struct mapped mapped;
    uint8_t payload[MESSAGE_MAX];
    long status = mapped_connect(&mapped, path, clock_deadline(20 * SECOND));
    for (uint64_t number = 0; status >= 0; number++) {
        fill(payload, number);
        status = mapped_send(&mapped, payload, length_of(number), number, FOREVER);
        if (number % 3 == 0) {
            (void)mapped_recv(&mapped, payload, sizeof payload, nullptr, 0);
        }
    }
    return error_report("flood", status);
}

static int scribble(void) {
    struct mapped mapped;
    seed += clock_now();
    long status = mapped_connect(&mapped, path, clock_deadline(20 * SECOND));
    if (status < 0) {
        return error_report("scribble", status);
    }
    struct abi_ring_pair *pair = mapped.pair;
    struct abi_ring_end *end[] = {&pair->server.tail, &pair->server.head, &pair->client.tail, &pair->client.head};
    for (unsigned i = 0; i < SCRIBBLES; i++) {
        uint64_t value = below(3) == 0 ? below(1000) : below(UINT64_MAX);
        switch (below(5)) {
        case 0:
            __atomic_store_n(&end[below(4)]->index, value, __ATOMIC_RELAXED);
            break;
        case 1:
            __atomic_store_n(&end[below(4)]->asleep, value, __ATOMIC_RELAXED);
            break;
        case 2:
            __atomic_store_n(&pair->to_server[below(RING_SLOTS)].length, (uint32_t)value, __ATOMIC_RELAXED);
            break;
        case 3:
            __atomic_fetch_add(&pair->server.tail.index, 1, __ATOMIC_RELAXED);
            break;
        default:
            (void)sys_send(mapped.queue, nullptr, 0, 0, 0, nullptr); // a doorbell for nothing
            (void)sys_yield();
            break;
        }
    }
    return 0;
}

// ---- serving them ----------------------------------------------------------------------------------------------------

struct guest {
    uint64_t next; // message expected
    bool lies;     // it has shown that it keeps to nothing
};

static long start(const char *role, uint32_t *pid) {
    long process = role_start("mapped-check", "-r", role);
    expect(process > 0, "spawn", process);
    struct abi_process_info info = {};
    expect(sys_process_info((handle_t)process, &info) == 0, "process_info", process);
    *pid = info.pid;
    return process;
}

// One message of anybody, answered. *pid: whose. Returns whether it was the end of one.
static bool serve_one(struct mapped_server *server, const uint32_t *liars, uint32_t *pid) {
    static struct guest guests[CLIENTS];
    static unsigned guest_count;
    uint8_t payload[MESSAGE_MAX];
    struct mapped_client *from;
    uint64_t id = 0;
    long length = mapped_serve(server, &from, payload, sizeof payload, &id, clock_deadline(60 * SECOND));
    if (from == nullptr) {
        expect(false, "serve", length);
        return true;
    }
    *pid = from->pid;
    if (from->context == nullptr) {
        guests[guest_count % CLIENTS] = (struct guest){};
        from->context = &guests[guest_count++ % CLIENTS];
        for (unsigned i = 0; i < SCRIBBLERS; i++) {
            ((struct guest *)from->context)->lies |= from->pid == liars[i];
        }
    }
    struct guest *guest = from->context;
    if (length == ERR_PEER_CLOSED) {
        return true;
    }
    expect(length >= 0, "receive", length);
    expect(guest->lies || (id == guest->next && whole(payload, length, id)), "not the next message", (long)id);
    guest->next++;
    if (length >= 0) {
        long status = ERR_FULL;
        for (unsigned i = 0; i < 1000 && status == ERR_FULL; i++) {
            status = mapped_try_send(&from->mapped, payload, (size_t)length, id);
            if (status == ERR_FULL) {
                (void)sys_yield();
            }
        }
    }
    return false;
}

static void check_clients(void) {
    struct abi_channel_config config = {.flags = CHANNEL_TEMPORARY | CHANNEL_MAPPED};
    long channel = channel_serve(path, &config);
    expect(channel > 0, "channel_serve", channel);
    struct mapped_server server = {.channel = (handle_t)channel};
    long talker[TALKERS], victim[VICTIMS], scribbler[SCRIBBLERS];
    uint32_t liars[SCRIBBLERS], victims[VICTIMS], pid = 0;
    for (unsigned i = 0; i < SCRIBBLERS; i++) {
        scribbler[i] = start("scribble", &liars[i]);
    }
    for (unsigned i = 0; i < TALKERS; i++) {
        talker[i] = start("talk", &pid);
    }
    for (unsigned i = 0; i < VICTIMS; i++) {
        victim[i] = start("flood", &victims[i]);
    }
    for (unsigned ended = 0; ended < CLIENTS && failures == 0;) {
        ended += serve_one(&server, liars, &pid);
        for (unsigned i = 0; i < VICTIMS; i++) {
            if (victims[i] == pid && below(300) == 0) {
                long status = sys_kill((handle_t)victim[i], 9);
                expect(status == 0, "kill", status);
                victims[i] = 0;
            }
        }
    }
    for (unsigned i = 0; i < TALKERS; i++) {
        long status = process_finish(talker[i]);
        expect(status == 0, "talk", status);
    }
    for (unsigned i = 0; i < SCRIBBLERS; i++) {
        long status = process_finish(scribbler[i]);
        expect(status == 0, "scribble", status);
    }
    for (unsigned i = 0; i < VICTIMS; i++) {
        (void)sys_kill((handle_t)victim[i], 9); // in a run that failed it may be alive
        (void)process_finish(victim[i]);
    }
    mapped_server_close(&server);
    (void)sys_close((handle_t)channel);
}

// ---- a server that dies ----------------------------------------------------------------------------------------------

static int serve(void) {
    struct abi_channel_config config = {.flags = CHANNEL_TEMPORARY | CHANNEL_MAPPED};
    long channel = channel_serve(path, &config);
    if (channel < 0) {
        return error_report(path, channel);
    }
    struct mapped_server server = {.channel = (handle_t)channel};
    const uint32_t nobody[SCRIBBLERS] = {};
    uint32_t pid;
    while (!serve_one(&server, nobody, &pid)) {
    }
    return failures > 0;
}

// Talk until it is dead: every answer that it gave is received, then comes the end. at: so many messages before the kill.
// Never more than AHEAD are without an answer, so that the server never lacks room for one.
static void check_server_dies(uint64_t at) {
    struct mapped mapped;
    uint8_t payload[MESSAGE_MAX];
    uint64_t id = 0, sent = 0, received = 0;
    uint32_t pid;
    long server = start("serve", &pid);
    long status = mapped_connect(&mapped, path, clock_deadline(20 * SECOND));
    expect(status == 0, "connect", status);
    while (status >= 0) {
        fill(payload, sent);
        status = mapped_send(&mapped, payload, length_of(sent), sent, FOREVER);
        if (status >= 0 && ++sent == at) {
            long killed = sys_kill((handle_t)server, 9);
            expect(killed == 0, "kill of the server", killed);
        }
        while (status >= 0 && sent - received >= 1 + sent % AHEAD) {
            status = mapped_recv(&mapped, payload, sizeof payload, &id, FOREVER);
            expect(status < 0 || (id == received && whole(payload, status, id)), "answer", (long)id);
            received += status >= 0;
        }
    }
    expect(status == ERR_PEER_CLOSED, "end", status);
    while ((status = mapped_recv(&mapped, payload, sizeof payload, &id, FOREVER)) >= 0) {
        expect(id == received && whole(payload, status, id), "last answers", (long)id);
        received++;
    }
    expect(status == ERR_PEER_CLOSED, "end of answers", status);
    expect(sent >= at && received <= sent, "answers", (long)received);
    mapped_close(&mapped);
    (void)process_finish(server);
}

int main(int argc, char **argv) {
    struct option_state state = option_begin(&program, argc, argv);
    while (option_next(&state) != 0) {
        return str_equal(state.value, "talk")    ? talk()
               : str_equal(state.value, "flood") ? flood()
               : str_equal(state.value, "serve") ? serve()
                                                 : scribble();
    }
    option_operands(&state, 0, 0);
    check_clients();
    for (unsigned i = 0; i < 8 && failures == 0; i++) {
        check_server_dies(1 + below(2000));
    }
    print("%u failures\n", failures);
    return failures > 0;
}
