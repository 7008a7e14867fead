// message-check: send and recv, by the fast path and by the general one, of every length, from and to every offset in a
// page, with every register that the ABI lets a program use full of markers; then with addresses that the kernel must not
// touch. Whatever is refused has changed nothing: the next message is the one that would have come anyway.
#include "../support/draw.h"
#include "base/memory.h"
#include "isthmus/calls.h"
#include "lib/error.h"
#include "lib/option.h"
#include "lib/print.h"
#include "lib/self.h"
#include "registers.h"

enum { ROUNDS = 2000, FILL = 0xee };
static constexpr uint64_t MARK = 0x5a5ac11e5a5a0000, ID = 0x1d00000000;

static const struct program program = {"", "Check messages and what registers tell after them.", nullptr};
static unsigned failures;
static handle_t channel, connection;
static uint64_t connection_id, sequence; // of the last message
static uint64_t seed = 1;

static uint64_t below(uint64_t bound) {
    return draw_below(&seed, bound);
}

static void expect(const char *what, uint64_t got, uint64_t wanted) {
    if (got != wanted && failures++ < 20) {
        print("%s is %lx, not %lx\n", what, (unsigned long)got, (unsigned long)wanted);
    }
}

static void make(struct registers *registers, uint64_t number, handle_t handle, uint64_t at, uint64_t length,
                 uint64_t id) {
    *registers = (struct registers){.number = number, .arg = {handle, at, length, id, 0, MARK}, .marker = MARK};
    for (unsigned i = 0; i < MESSAGE_WORDS; i++) {
        registers->message[i] = MARK + i;
    }
    registers_call(registers);
    for (unsigned i = 0; i < sizeof registers->zero / sizeof registers->zero[0]; i++) {
        if (registers->zero[i] != registers->marker) { // its own, which tells nothing
            expect("a register", registers->zero[i], 0);
        }
    }
    for (unsigned i = 0; i < sizeof registers->free / sizeof registers->free[0]; i++) {
        expect("the high half of a register of the machine's", registers->free[i] >> 47, 0);
    }
}

static void send(uint64_t at, uint64_t length, long wanted) {
    struct registers registers;
    make(&registers, CALL_SEND, connection, at, length, ID + sequence);
    sequence += wanted == 0;
    expect("the status of send", registers.status, (uint64_t)wanted);
    expect("the sequence", registers.result[0], wanted == 0 ? sequence : 0);
    for (unsigned i = 1; i < 4; i++) {
        expect("a result of send", registers.result[i], 0);
    }
}

// The one message that is queued, or why not.
static void receive(uint64_t at, uint64_t capacity, long wanted) {
    struct registers registers;
    make(&registers, CALL_RECV, channel, at, capacity, MARK);
    bool good = wanted >= 0;
    expect("the status of recv", registers.status, (uint64_t)wanted);
    expect("the sender", registers.result[0] == 0, !good);
    expect("the id", registers.result[1], good ? ID + sequence - 1 : 0);
    if (good && connection_id == 0) {
        connection_id = registers.result[2];
    }
    expect("the connection", registers.result[2], good ? connection_id : 0);
    expect("the place in the order", registers.result[3], good ? sequence : 0);
}

static uint8_t byte_of(uint64_t round, uint64_t at) {
    return (uint8_t)(round * 7 + at + 1);
}

// Through three pages each way: whole, and not a byte beyond.
static void every_length(uint8_t *from, uint8_t *to) {
    for (uint64_t round = 0; round < ROUNDS; round++) {
        uint64_t length = round <= MESSAGE_MAX ? round : below(MESSAGE_MAX + 1);
        uint64_t out = below(2 * PAGE_SIZE), in = below(2) == 0 ? PAGE_SIZE - below(MESSAGE_MAX) : below(2 * PAGE_SIZE);
        for (uint64_t i = 0; i < length; i++) {
            from[out + i] = byte_of(round, i);
        }
        memset(to, FILL, 3 * PAGE_SIZE);
        send((uint64_t)(from + out), length, 0);
        if (length > 0) {
            receive((uint64_t)(to + in), length - 1, ERR_TOO_BIG);
        }
        receive((uint64_t)(to + in), length + below(2), (long)length);
        for (uint64_t i = 0; i < 3 * PAGE_SIZE; i++) {
            bool inside = i >= in && i < in + length;
            expect("a byte", to[i], inside ? byte_of(round, i - in) : FILL);
        }
    }
}

// Addresses at which this program has no memory, or none that may be written; length bytes from there.
static void refused(uint64_t at, uint64_t length, bool readable, uint8_t *good) {
    if (!readable) {
        send(at, length, ERR_FAULT);
    }
    send((uint64_t)good, length, 0);
    receive(at, MESSAGE_MAX, ERR_FAULT);
    receive((uint64_t)good, MESSAGE_MAX, (long)length);
}

static const char constant[MESSAGE_MAX] = "constant";

static void hostile_addresses(uint8_t *good, uint64_t beyond) {
    static const uint64_t places[] = {0,
                                      8,
                                      0x00007ffffffffff8,
                                      0x0000800000000000,
                                      0x3fffffffff,
                                      0x4000000000,
                                      0x0001000000000000,
                                      0x8000000000000000,
                                      0xffff800000000000,
                                      0xffffffff80200000,
                                      0xffffffc000000000,
                                      0xfffffffffffffff8,
                                      UINT64_MAX};
    for (unsigned i = 0; i < sizeof places / sizeof places[0]; i++) {
        for (uint64_t length = 1; length <= MESSAGE_MAX; length += 1 + length / 3) {
            refused(places[i], length, false, good);
        }
    }
    for (uint64_t length = 2; length <= MESSAGE_MAX; length++) {
        refused(beyond - 1 - below(length - 1), length, false, good); // ends where nothing is mapped
        refused(beyond, length, false, good);
        refused((uint64_t)constant, length, true, good);
        refused((uint64_t)(uintptr_t)hostile_addresses, length, true, good);
    }
}

// Messages of several pages, and more than there is room for.
static void full(uint8_t *good, uint64_t depth) {
    for (uint64_t i = 0; i < depth; i++) {
        good[0] = (uint8_t)i;
        send((uint64_t)good, 1 + i % MESSAGE_MAX, 0);
    }
    send((uint64_t)good, 1, ERR_FULL);
    uint64_t last = sequence;
    sequence -= depth;
    for (uint64_t i = 0; i < depth; i++) {
        sequence++;
        receive((uint64_t)good, MESSAGE_MAX, (long)(1 + i % MESSAGE_MAX));
        expect("the first byte", good[0], (uint8_t)i);
    }
    expect("the last message", sequence, last);
    receive((uint64_t)good, MESSAGE_MAX, ERR_EMPTY);
}

// At that address, or if it is 0 anywhere.
static long map_fresh(uint64_t pages, uint64_t *at) {
    long memory = sys_pages_create(pages * PAGE_SIZE);
    return memory < 0
               ? memory
               : sys_map(self_process(), (handle_t)memory, *at, 0, pages * PAGE_SIZE, PROT_READ | PROT_WRITE, at);
}

int main(int argc, char **argv) {
    struct option_state state = option_begin(&program, argc, argv);
    option_operands(&state, 0, 0);
    struct abi_channel_config config = {.depth = 60};
    long server = sys_channel_create(0, nullptr, 0, &config);
    long client = server < 0 ? server : sys_connect((handle_t)server, RIGHTS_ALL);
    uint64_t from = 0, to = 0;
    long status = client < 0 ? client : map_fresh(3, &from);
    status = status < 0 ? status : map_fresh(3, &to);
    if (status < 0) {
        return error_report("message-check", status);
    }
    channel = (handle_t)server;
    connection = (handle_t)client;
    receive(to, MESSAGE_MAX, ERR_EMPTY);
    every_length((uint8_t *)from, (uint8_t *)to);
    // A page with nothing mapped behind it.
    uint64_t at = 0;
    status = map_fresh(2, &at);
    status = status < 0 ? status : sys_unmap(self_process(), at);
    status = status < 0 ? status : map_fresh(1, &at);
    if (status < 0) {
        return error_report("message-check", status);
    }
    hostile_addresses((uint8_t *)from, at + PAGE_SIZE);
    full((uint8_t *)from, config.depth);
    full((uint8_t *)from, config.depth);
    print("%lu messages, %s\n", (unsigned long)sequence, failures == 0 ? "nothing else arrived" : "more than that");
    return failures > 0;
}
