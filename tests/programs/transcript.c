// transcript: make the sequences of calls that seeds stand for, and print what they gave, line by line, or a digest of it
// for each seed. The same seeds give the same text on every machine: see tests/transcript/transcript.h. The partner is
// another process of this program; it makes the calls that it is told to make, one at a time, by a channel.
#include "../transcript/transcript.h"

#include "base/format.h"
#include "base/memory.h"
#include "base/str.h"
#include "isthmus/calls.h"
#include "lib/channel.h"
#include "lib/error.h"
#include "lib/option.h"
#include "lib/print.h"
#include "lib/process.h"
#include "lib/self.h"
#include "lib/spawn.h"

static const struct option options[] = {
    {'q', "quiet", nullptr, "only a digest for each seed"}, {'p', "partner", nullptr, "(be the partner)"}, {}};
static const struct program program = {"[-q] SEED[..LAST] COUNT", "Print transcripts of random calls.", options};

struct request {
    uint64_t number, arg[6];
};

struct answer {
    int64_t status;
    uint64_t result[4];
};

// Any call: some give message words, which are not told.
static int64_t make(uint64_t number, const uint64_t arg[6], uint64_t result[4]) {
    uint64_t message[MESSAGE_WORDS] = {};
    return arch_call_message(number, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5], message, result);
}

// ---- the partner -----------------------------------------------------------------------------------------------------

static int be_partner(void) {
    handle_t connection = self_handle(0);
    uint64_t process = self_process();
    long status = channel_send(connection, &process, sizeof process, 0, FOREVER);
    while (status >= 0) {
        struct message message;
        status = channel_recv(connection, &message, FOREVER);
        if (status == 0) {
            struct request request;
            struct answer answer;
            memcpy(&request, message.payload, sizeof request);
            answer.status = make(request.number, request.arg, answer.result);
            status = channel_send(connection, &answer, sizeof answer, 0, FOREVER);
        }
    }
    return status == ERR_PEER_CLOSED ? 0 : 1;
}

// ---- the first actor -------------------------------------------------------------------------------------------------

static handle_t server;
static uint64_t connection;
static uint64_t digest;

[[noreturn]] static void give_up(long status) {
    (void)error_report("the partner", status);
    program_exit(1);
}

static int64_t call(void *, enum transcript_actor actor, uint64_t number, const uint64_t arg[6], uint64_t result[4]) {
    if (actor == TRANSCRIPT_FIRST) {
        return make(number, arg, result);
    }
    struct request request = {.number = number};
    memcpy(request.arg, arg, sizeof request.arg);
    struct message message;
    struct answer answer;
    long status = channel_reply(server, connection, &request, sizeof request, 0, 1);
    status = status < 0 ? status : channel_recv(server, &message, FOREVER);
    if (status < 0 || message.length != sizeof answer) {
        give_up(status);
    }
    memcpy(&answer, message.payload, sizeof answer);
    memcpy(result, answer.result, sizeof answer.result);
    return answer.status;
}

static void load(void *, void *to, uint64_t from, size_t length) {
    memcpy(to, (const void *)(uintptr_t)from, length);
}

static void store(void *, uint64_t to, const void *from, size_t length) {
    memcpy((void *)(uintptr_t)to, from, length);
}

static void print_line(void *, const char *text) {
    print("%s\n", text);
}

static void digest_line(void *, const char *text) {
    digest = transcript_digest(digest, text);
}

// Start the partner; its process, and as *its_own the handle by which it names itself.
static long start_partner(handle_t *its_own) {
    long channel = sys_channel_create(0, nullptr, 0, nullptr);
    if (channel < 0) {
        return channel;
    }
    server = (handle_t)channel;
    long end = sys_connect(server, RIGHTS_ALL & ~(RIGHT_MAP | RIGHT_EXEC | RIGHT_CALL | RIGHT_ADMIN));
    if (end < 0) {
        return end;
    }
    char *arguments[] = {"transcript", "-p", "1", "1", nullptr};
    handle_t handles[] = {(handle_t)end};
    struct spawn spawn = {.path = "/test/transcript",
                          .error = self_error(),
                          .arguments = arguments,
                          .handles = handles,
                          .handle_count = 1,
                          .other_identity = true,
                          .owner = TRANSCRIPT_USER,
                          .group = TRANSCRIPT_USER};
    long process = spawn_program(&spawn);
    (void)sys_close((handle_t)end);
    if (process < 0) {
        return process;
    }
    struct message message;
    long status = channel_recv(server, &message, FOREVER);
    if (status < 0 || message.length != sizeof(uint64_t)) {
        return status < 0 ? status : ERR_INVALID;
    }
    uint64_t own;
    memcpy(&own, message.payload, sizeof own);
    *its_own = (handle_t)own;
    connection = message.connection;
    return process;
}

// "7" or "7..9"
static void parse_seeds(const char *text, uint64_t *seed, uint64_t *last) {
    size_t length = strlen(text);
    for (size_t i = 1; i + 2 < length; i++) {
        if (str_starts(text + i, "..")) {
            if (!str_to_u64_bytes(text, i, seed)) {
                option_refuse("'%s' is no range of seeds", text);
            }
            *last = option_operand_number(text + i + 2, *seed, UINT64_MAX - 1);
            return;
        }
    }
    *seed = *last = option_operand_number(text, 0, UINT64_MAX - 1);
}

int main(int argc, char **argv) {
    bool quiet = false, partner = false;
    struct option_state state = option_begin(&program, argc, argv);
    for (int option; (option = option_next(&state)) != 0;) {
        quiet = quiet || option == 'q';
        partner = partner || option == 'p';
    }
    option_operands(&state, 2, 2);
    if (partner) {
        return be_partner();
    }
    uint64_t seed, last;
    parse_seeds(state.argv[0], &seed, &last);
    unsigned count = (unsigned)option_operand_number(state.argv[1], 1, TRANSCRIPT_CALLS_MAX);
    handle_t its_own;
    long process = start_partner(&its_own);
    if (process < 0) {
        return error_report("the partner", process);
    }
    struct transcript_machine machine = {.call = call,
                                         .load = load,
                                         .store = store,
                                         .line = quiet ? digest_line : print_line,
                                         .root = self_root(),
                                         .process = {self_process(), its_own},
                                         .partner = (handle_t)process};
    for (; seed <= last; seed++) {
        digest = 0;
        if (!transcript_run(&machine, seed, count)) {
            return error_say("seed %lu: its directory could not be made or emptied", (unsigned long)seed);
        }
        if (quiet) {
            print("%lu %016lx\n", (unsigned long)seed, (unsigned long)digest);
        }
    }
    (void)sys_close(server);
    return process_finish(process) == 0 ? 0 : error_say("the partner did not end well");
}
