// call-check: calls between two processes, by the fast path and by the general one, with every register that the ABI lets
// a program use full of markers: nothing but the message, who sent it and how long it is may arrive on either side, and
// nothing of a payload anywhere but where it belongs. By round: words alone, payloads of all lengths, payloads one way,
// and the first two in turn with a deadline.
#include "base/memory.h"
#include "isthmus/calls.h"
#include "lib/call.h"
#include "lib/channel.h"
#include "lib/clock.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/option.h"
#include "lib/print.h"
#include "lib/process.h"
#include "registers.h"
#include "role.h"

enum { ROUNDS = 400, CLIENT_WORDS = 0x100, SERVER_WORDS = 0x200 };
static constexpr uint64_t CLIENT_MARK = 0x5a5ac11e5a5a0000, SERVER_MARK = 0x3c3c5e7e3c3c0000;

static const struct option options[] = {{'c', "client", nullptr, "be the client that the server starts"}, {}};
static const struct program program = {"[-c]", "Check what registers tell after calls to servers.", options};
static const char path[] = "/ipc/call-check";
static unsigned failures;
alignas(8) static unsigned char sent[MESSAGE_MAX + 16], got[MESSAGE_MAX + 16];

static void expect(const char *who, unsigned round, const char *what, uint64_t got, uint64_t wanted) {
    if (got != wanted && failures++ < 20) {
        print("%s, round %u: %s is %lx, not %lx\n", who, round, what, (unsigned long)got, (unsigned long)wanted);
    }
}

// What no call may leave behind.
static void check_rest(const char *who, unsigned round, const struct registers *registers) {
    for (unsigned i = 0; i < sizeof registers->zero / sizeof registers->zero[0]; i++) {
        if (registers->zero[i] != registers->marker) { // its own, which tells nothing
            expect(who, round, "a register", registers->zero[i], 0);
        }
    }
    for (unsigned i = 0; i < sizeof registers->free / sizeof registers->free[0]; i++) {
        uint64_t value = registers->free[i];
        expect(who, round, "the high half of a register of the machine's", value >> 47, 0);
        expect(who, round, "a marker", value == CLIENT_MARK || value == SERVER_MARK, false);
    }
}

static void check_message(const char *who, unsigned round, const struct registers *registers, uint64_t first) {
    for (unsigned i = 0; i < MESSAGE_WORDS; i++) {
        expect(who, round, "a message word", registers->after[i], first == 0 ? 0 : first + round + i);
    }
}

// How long the payload of a call is, and of its reply.
static unsigned call_length(unsigned round) {
    return round % 4 == 1 || round % 8 == 7 ? round % (MESSAGE_MAX + 1) : 0;
}

static unsigned reply_length(unsigned round) {
    return round % 4 == 1 || round % 4 == 2 ? round * 5 % (MESSAGE_MAX + 1) : 0;
}

static unsigned char byte_of(uint64_t mark, unsigned round, unsigned index) {
    return (unsigned char)(round * 11 + index * 3 + (mark == CLIENT_MARK));
}

// Where payloads come from and go to: at words now and then.
static unsigned char *place(unsigned char *buffer, unsigned round) {
    return buffer + round / 4 % 9;
}

// Send a payload of that length with the message, and have room for one as it comes in that round.
static void call(uint64_t number, handle_t handle, unsigned round, unsigned length, uint64_t words, uint64_t mark,
                 struct registers *registers) {
    // Some rounds with a deadline: no fast path does that. Without a payload the address is one that none is put to.
    bool general = round % 4 == 3, room = round % 4 != 0;
    uint64_t shape = length | (room ? MESSAGE_MAX * CALL_RECEIVE : 0) | (general ? CALL_TIMED : 0);
    memset(got, 0xee, sizeof got);
    for (unsigned i = 0; i < length; i++) {
        place(sent, round)[i] = byte_of(mark, round, i);
    }
    *registers = (struct registers){.number = number,
                                    .arg = {handle, shape, length > 0 ? (uint64_t)(uintptr_t)place(sent, round) : mark,
                                            room ? (uint64_t)(uintptr_t)place(got, round) : mark,
                                            general ? FOREVER - 1 : mark, mark},
                                    .marker = mark};
    for (unsigned i = 0; i < MESSAGE_WORDS; i++) {
        registers->message[i] = words + round + i;
    }
    registers_call(registers);
}

// The payload that the other side sent in that round of its own is there, and nothing is before or behind it.
static void check_payload(const char *who, unsigned round, uint64_t from, unsigned sent_in, unsigned length) {
    const unsigned char *at = place(got, round);
    for (unsigned i = 0; i < sizeof got; i++) {
        bool inside = &got[i] >= at && &got[i] < at + length;
        expect(who, round, "a byte of the payload", got[i],
               inside ? byte_of(from, sent_in, (unsigned)(&got[i] - at)) : 0xee);
    }
}

static int be_client(void) {
    long connection = channel_connect(path, clock_deadline(10 * SECOND));
    if (connection < 0) {
        return error_report(path, connection);
    }
    struct registers registers;
    for (unsigned round = 1; round <= ROUNDS; round++) {
        call(CALL_CALL, (handle_t)connection, round, call_length(round), CLIENT_WORDS, CLIENT_MARK, &registers);
        expect("client", round, "the status", registers.status, 0);
        for (unsigned i = 0; i < 4; i++) {
            expect("client", round, "a result", registers.result[i], i == 0 ? reply_length(round) : 0);
        }
        check_payload("client", round, SERVER_MARK, round + 1, reply_length(round));
        // The server replies in its next round.
        check_message("client", round + 1, &registers, SERVER_WORDS);
        check_rest("client", round, &registers);
    }
    // Nobody serves any more: the call is refused, and tells nothing else.
    clock_sleep(100 * MILLISECOND);
    call(CALL_CALL, (handle_t)connection, 0, 0, CLIENT_WORDS, CLIENT_MARK, &registers);
    expect("client", 0, "the status", registers.status, (uint64_t)(long)ERR_PEER_CLOSED);
    check_message("client", 0, &registers, 0);
    check_rest("client", 0, &registers);
    return failures > 0;
}

static int be_server(handle_t channel, handle_t client) {
    struct abi_process_info info;
    struct registers registers;
    long status = sys_process_info(client, &info);
    if (status < 0) {
        return error_report("client", status);
    }
    uint64_t connection = 0;
    for (unsigned round = 1; round <= ROUNDS; round++) {
        unsigned length = round > 1 ? reply_length(round - 1) : 0;
        call(CALL_REPLY_WAIT, channel, round, length, SERVER_WORDS, SERVER_MARK, &registers);
        connection = round == 1 ? registers.result[0] : connection;
        expect("server", round, "the status", registers.status, info.pid);
        expect("server", round, "the connection", registers.result[0], connection);
        for (unsigned i = 1; i < 4; i++) {
            expect("server", round, "a result", registers.result[i], i == 1 ? call_length(round) : 0);
        }
        check_payload("server", round, CLIENT_MARK, round, call_length(round));
        check_message("server", round, &registers, CLIENT_WORDS);
        check_rest("server", round, &registers);
    }
    uint64_t last[MESSAGE_WORDS];
    for (unsigned i = 0; i < MESSAGE_WORDS; i++) {
        last[i] = SERVER_WORDS + ROUNDS + 1 + i;
    }
    status = sys_reply_wait(channel, CALL_REPLY_ONLY, 0, 0, 0, last, nullptr, nullptr);
    expect("server", ROUNDS, "the last reply", (uint64_t)status, 0);
    file_close(channel);
    return failures > 0;
}

int main(int argc, char **argv) {
    bool client = false;
    struct option_state state = option_begin(&program, argc, argv);
    while (option_next(&state) != 0) {
        client = true;
    }
    option_operands(&state, 0, 0);
    if (client) {
        return be_client();
    }
    handle_t channel, process;
    long status = role_serve(path, "call-check", "-c", &channel, &process);
    if (status < 0) {
        return 1;
    }
    status = be_server(channel, process) | process_finish(process);
    print("%u rounds, %s\n", ROUNDS, status == 0 ? "nothing else arrived" : "more than that");
    return status != 0;
}
