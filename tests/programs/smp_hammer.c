// smp-hammer: many clients and several servers exchange messages over one channel, on as many CPUs as there are, and every
// promise of a channel is checked: each message arrives exactly once and whole, with the sender that the kernel saw; the
// sequence numbers are one total order without gaps; in it, each client's messages stand in the order in which it sent
// them; each answer comes back exactly once. Clients are threads of this process or, with -p, processes.
#include "base/format.h"
#include "base/memory.h"
#include "base/str.h"
#include "isthmus/calls.h"
#include "lib/channel.h"
#include "lib/clock.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/memory.h"
#include "lib/option.h"
#include "lib/print.h"
#include "lib/process.h"
#include "lib/self.h"
#include "lib/spawn.h"
#include "lib/thread.h"
#include "lib/wait.h"

enum { CLIENTS_MAX = 64, SERVERS_MAX = 16, WINDOW = 48, MESSAGES_MAX = 1 << 20 };
constexpr uint64_t PATIENCE = 240 * SECOND; // an emulated machine can be very slow

static const struct option options[] = {{'c', "clients", "N", "so many clients, 4 if not given"},
                                        {'s', "servers", "N", "so many servers, 2 if not given"},
                                        {'n', "count", "N", "messages of each client, 2000 if not given"},
                                        {'d', "depth", "N", "depth of the queues, 64 if not given"},
                                        {'p', "processes", nullptr, "the clients are processes"},
                                        {'k', "client", "N", "be client N on the handle given (used by -p)"},
                                        {}};
static const struct program program = {"[-c N] [-s N] [-n N] [-d N] [-p]", "Check what channels promise, under load.",
                                       options};

struct payload {
    uint32_t client;
    uint32_t number;
    uint8_t fill[MESSAGE_MAX - 8];
};

struct client {
    uint32_t index;
    handle_t connection;
    uint32_t pid;      // that the server must see
    const char *wrong; // null: nothing
};

static uint64_t client_count = 4;
static uint64_t server_count = 2;
static uint64_t count = 2000;
static handle_t channel;
static struct client clients[CLIENTS_MAX];
static uint64_t *order; // by sequence number: client + 1 in the high half, the message's number in the low one
static uint64_t received;
static const char *server_wrong;
static uint64_t server_deadline;

static size_t fill(struct payload *payload, uint32_t client, uint32_t number) {
    size_t extra = (client * 7 + number) % sizeof payload->fill;
    payload->client = client;
    payload->number = number;
    memset(payload->fill, (int)(uint8_t)(client * 31 + number), extra);
    return 8 + extra;
}

// Whether a message is what its client made.
static bool intact(const struct message *message, struct payload *got) {
    struct payload wanted;
    if (message->length < 8) {
        return false;
    }
    memcpy(got, message->payload, message->length);
    return fill(&wanted, got->client, got->number) == message->length && memcmp(got, &wanted, message->length) == 0;
}

// ---- servers ---------------------------------------------------------------------------------------------------------

static const char *serve_one(const struct message *message) {
    struct payload got;
    if (!intact(message, &got)) {
        return "a message was damaged";
    }
    if (got.client >= client_count || got.number >= count) {
        return "a message that nobody sent";
    }
    if (message->sender != clients[got.client].pid) {
        return "a wrong sender";
    }
    if (message->sequence == 0 || message->sequence > client_count * count) {
        return "a sequence number out of range";
    }
    uint64_t mark = (uint64_t)(got.client + 1) << 32 | got.number;
    if (__atomic_exchange_n(&order[message->sequence], mark, __ATOMIC_ACQ_REL) != 0) {
        return "a sequence number twice";
    }
    long status = channel_reply(channel, message->connection, message->payload, message->length, message->id, 0);
    return status < 0 ? error_name(status) : nullptr;
}

static void serve(void *) {
    struct message message;
    uint64_t total = client_count * count;
    while (__atomic_load_n(&received, __ATOMIC_ACQUIRE) < total && server_wrong == nullptr) {
        long status = channel_recv(channel, &message, clock_deadline(100 * MILLISECOND));
        if (status == ERR_TIMED_OUT) {
            server_wrong = clock_now() > server_deadline ? "messages are missing" : server_wrong;
            continue;
        }
        if (status < 0) {
            server_wrong = error_name(status);
            break;
        }
        if (message.kind != MESSAGE_DATA) {
            continue;
        }
        const char *wrong = serve_one(&message);
        if (wrong != nullptr) {
            server_wrong = wrong;
        }
        (void)__atomic_add_fetch(&received, 1, __ATOMIC_ACQ_REL);
    }
}

// ---- clients ---------------------------------------------------------------------------------------------------------

// Take one answer; `seen` has a byte for each message.
static const char *take_answer(const struct client *client, uint8_t *seen, uint64_t *sequence) {
    struct message message;
    struct payload got;
    long status = channel_recv(client->connection, &message, clock_deadline(PATIENCE));
    if (status < 0) {
        return error_name(status);
    }
    if (!intact(&message, &got) || got.client != client->index || got.number >= count || message.id != got.number) {
        return "an answer was damaged";
    }
    if (seen[got.number]++ != 0) {
        return "an answer twice";
    }
    if (message.sequence <= *sequence) {
        return "answers out of order";
    }
    *sequence = message.sequence;
    return nullptr;
}

static void talk(void *argument) {
    struct client *client = argument;
    uint8_t *seen = calloc(count, 1);
    struct payload payload;
    uint64_t sequence = 0;
    if (seen == nullptr) {
        client->wrong = "no memory";
        return;
    }
    for (uint32_t sent = 0, got = 0; got < count && client->wrong == nullptr;) {
        while (sent < count && sent - got < WINDOW) {
            // With answers to come, a full queue is no reason to wait.
            uint64_t deadline = sent == got ? clock_deadline(PATIENCE) : 0;
            long status =
                channel_send(client->connection, &payload, fill(&payload, client->index, sent), sent, deadline);
            if (status < 0) {
                client->wrong = status == ERR_TIMED_OUT && deadline == 0 ? nullptr : error_name(status);
                break;
            }
            sent++;
        }
        if (client->wrong == nullptr) {
            client->wrong = take_answer(client, seen, &sequence);
            got++;
        }
    }
    free(seen);
}

static long start_process(struct client *client) {
    char index[16];
    char number[24];
    char total[24];
    (void)format(index, sizeof index, "%u", client->index);
    (void)format(number, sizeof number, "%lu", (unsigned long)count);
    (void)format(total, sizeof total, "%lu", (unsigned long)client_count);
    char *arguments[] = {"smp-hammer", "-k", index, "-n", number, "-c", total, nullptr};
    struct spawn spawn = {.path = "/test/smp-hammer",
                          .arguments = arguments,
                          .output = self_output(),
                          .error = self_error(),
                          .handles = &client->connection,
                          .handle_count = 1};
    long process = spawn_program(&spawn);
    struct abi_process_info info;
    if (process >= 0 && sys_process_info((handle_t)process, &info) == 0) {
        client->pid = info.pid; // before its first message can be looked at: servers start later
    }
    return process;
}

// ---- the whole -------------------------------------------------------------------------------------------------------

// Walk through the total order: no gap, and each client's messages one after another.
static const char *check_order(void) {
    static uint32_t next[CLIENTS_MAX];
    for (uint64_t sequence = 1; sequence <= client_count * count; sequence++) {
        uint64_t mark = order[sequence];
        if (mark == 0) {
            return "the sequence numbers have a gap";
        }
        if (next[(mark >> 32) - 1]++ != (uint32_t)mark) {
            return "a client's messages are out of order";
        }
    }
    return nullptr;
}

static long connect_all(void) {
    struct abi_process_info info;
    long status = sys_process_info(self_process(), &info);
    for (uint32_t i = 0; status >= 0 && i < client_count; i++) {
        status = sys_connect(channel, RIGHT_READ | RIGHT_WRITE | RIGHT_WATCH | RIGHT_GRANT);
        clients[i] = (struct client){.index = i, .connection = (handle_t)status, .pid = info.pid};
    }
    return status;
}

// Run everything. 0, or an error of starting it.
static long hammer(bool processes) {
    static handle_t runners[CLIENTS_MAX + SERVERS_MAX];
    long status = connect_all();
    unsigned started = 0;
    for (uint64_t i = 0; status >= 0 && i < client_count; i++) {
        status = processes ? start_process(&clients[i]) : thread_start(talk, &clients[i], 0);
        runners[started++] = (handle_t)status;
    }
    server_deadline = clock_deadline(PATIENCE);
    for (uint64_t i = 0; status >= 0 && i < server_count; i++) {
        status = thread_start(serve, nullptr, 0);
        runners[started++] = (handle_t)status;
    }
    for (unsigned i = 0; status >= 0 && i < started; i++) {
        if (processes && i < client_count) {
            status = process_finish(runners[i]);
            clients[i].wrong = status == 0 ? clients[i].wrong : "a client process failed";
        } else {
            status = wait_for(runners[i], EVENT_EXITED, FOREVER);
            file_close(runners[i]);
        }
    }
    return status;
}

static int be_client(uint32_t index) {
    clients[0] = (struct client){.index = index, .connection = self_handle(0)};
    talk(&clients[0]);
    return clients[0].wrong == nullptr ? 0 : error_say("client %u: %s", index, clients[0].wrong);
}

int main(int argc, char **argv) {
    struct abi_channel_config config = {.depth = 64};
    bool processes = false;
    uint64_t client = UINT64_MAX;
    struct option_state state = option_begin(&program, argc, argv);
    for (int option; (option = option_next(&state)) != 0;) {
        if (option == 'c') {
            client_count = option_number(&state, 1, CLIENTS_MAX);
        } else if (option == 's') {
            server_count = option_number(&state, 1, SERVERS_MAX);
        } else if (option == 'n') {
            count = option_number(&state, 1, MESSAGES_MAX / CLIENTS_MAX);
        } else if (option == 'd') {
            config.depth = (uint32_t)option_number(&state, WINDOW + 1, CHANNEL_DEPTH_MAX);
        } else if (option == 'p') {
            processes = true;
        } else {
            client = option_number(&state, 0, CLIENTS_MAX - 1);
        }
    }
    option_operands(&state, 0, 0);
    if (client != UINT64_MAX) {
        return be_client((uint32_t)client);
    }
    order = calloc(client_count * count + 1, sizeof *order);
    long status = order == nullptr ? ERR_NO_MEMORY : sys_channel_create(0, "", 0, &config);
    channel = (handle_t)status;
    uint64_t begin = clock_now();
    status = status < 0 ? status : hammer(processes);
    if (status < 0) {
        return error_report(nullptr, status);
    }
    const char *wrong = server_wrong;
    for (uint64_t i = 0; wrong == nullptr && i < client_count; i++) {
        wrong = clients[i].wrong;
    }
    wrong = wrong == nullptr ? check_order() : wrong;
    if (wrong != nullptr) {
        return error_say("%s", wrong);
    }
    uint64_t time = clock_now() - begin;
    print("%lu messages and answers, %lu %s, %lu servers: all in order, %lu ns each\n",
          (unsigned long)(client_count * count), (unsigned long)client_count,
          processes ? "client processes" : "client threads", (unsigned long)server_count,
          (unsigned long)(time / (client_count * count)));
    return 0;
}
