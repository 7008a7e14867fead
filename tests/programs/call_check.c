// call-check: calls between two processes, by the fast path and by the general one, with every register that the ABI lets
// a program use full of markers: nothing but the message, who sent it and how long it is may arrive on either side.
#include "isthmus/calls.h"
#include "lib/call.h"
#include "lib/channel.h"
#include "lib/clock.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/option.h"
#include "lib/print.h"
#include "lib/process.h"
#include "lib/self.h"
#include "lib/spawn.h"
#include "registers.h"

enum { ROUNDS = 400, CLIENT_WORDS = 0x100, SERVER_WORDS = 0x200 };
static constexpr uint64_t CLIENT_MARK = 0x5a5ac11e5a5a0000, SERVER_MARK = 0x3c3c5e7e3c3c0000;

static const struct option options[] = {{'c', "client", nullptr, "be the client that the server starts"}, {}};
static const struct program program = {"[-c]", "Check what registers tell after calls to servers.", options};
static const char path[] = "/ipc/call-check";
static unsigned failures;

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

static void call(uint64_t number, handle_t handle, unsigned round, uint64_t words, uint64_t mark,
                 struct registers *registers) {
    // Every other round with a deadline: no fast path does that. The address is one that no payload is put to.
    bool general = round % 4 == 3;
    *registers =
        (struct registers){.number = number,
                           .arg = {handle, general ? CALL_TIMED : 0, mark, mark, general ? FOREVER - 1 : mark, mark},
                           .marker = mark};
    for (unsigned i = 0; i < MESSAGE_WORDS; i++) {
        registers->message[i] = words + round + i;
    }
    registers_call(registers);
}

static int be_client(void) {
    long connection = channel_connect(path, clock_deadline(10 * SECOND));
    if (connection < 0) {
        return error_report(path, connection);
    }
    struct registers registers;
    for (unsigned round = 1; round <= ROUNDS; round++) {
        call(CALL_CALL, (handle_t)connection, round, CLIENT_WORDS, CLIENT_MARK, &registers);
        expect("client", round, "the status", registers.status, 0);
        for (unsigned i = 0; i < 4; i++) {
            expect("client", round, "a result", registers.result[i], 0);
        }
        // The server replies in its next round.
        check_message("client", round + 1, &registers, SERVER_WORDS);
        check_rest("client", round, &registers);
    }
    // Nobody serves any more: the call is refused, and tells nothing else.
    clock_sleep(100 * MILLISECOND);
    call(CALL_CALL, (handle_t)connection, 0, CLIENT_WORDS, CLIENT_MARK, &registers);
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
        call(CALL_REPLY_WAIT, channel, round, SERVER_WORDS, SERVER_MARK, &registers);
        connection = round == 1 ? registers.result[0] : connection;
        expect("server", round, "the status", registers.status, info.pid);
        expect("server", round, "the connection", registers.result[0], connection);
        for (unsigned i = 1; i < 4; i++) {
            expect("server", round, "a result", registers.result[i], 0);
        }
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
    const struct abi_channel_config config = {.flags = CHANNEL_TEMPORARY};
    long channel = channel_serve(path, &config);
    if (channel < 0) {
        return error_report(path, channel);
    }
    char name[] = "/test/call-check", option[] = "-c";
    char *arguments[] = {name, option, nullptr};
    long process = spawn_program(
        &(struct spawn){.path = name, .arguments = arguments, .output = self_output(), .error = self_error()});
    if (process < 0) {
        return error_report(name, process);
    }
    int status = be_server((handle_t)channel, (handle_t)process) | process_finish(process);
    print("%u rounds, %s\n", ROUNDS, status == 0 ? "nothing else arrived" : "more than that");
    return status;
}
