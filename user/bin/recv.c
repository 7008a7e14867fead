// recv: receive messages: as a server of a channel that exists or is made for the time, and show them.
#include "lib/channel.h"
#include "lib/clock.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/option.h"
#include "lib/path.h"
#include "lib/print.h"

static const struct option options[] = {
    {'n', "count", "N", "stop after N messages, 1 if not given; 0 never stops"},
    {'t', "timeout", "TIME", "wait no longer than this for each message"},
    {'s', "serve", nullptr, "make the channel if it is not there, for the time"},
    {'v', "verbose", nullptr, "sender, id, connection, sequence and length before each message; hang-ups, too"},
    {}};
static const struct program program = {
    "[-n N] [-t TIME] [-sv] PATH", "Receive messages from a channel as its server, and show each on a line.", options};

static long open_channel(const char *path, bool make) {
    char data[PATH_LEN_MAX + 1];
    long status = path_join(path, "data", data);
    if (status < 0) {
        return status;
    }
    status = file_open(data, OPEN_READ | OPEN_SERVE, 0);
    if (status == ERR_NOT_FOUND && make) {
        struct abi_channel_config config = {.flags = CHANNEL_TEMPORARY};
        status = channel_serve(path, &config);
    }
    return status;
}

static void show(const struct message *message, bool verbose) {
    bool data = message->kind == MESSAGE_DATA;
    if (verbose) {
        print("sender %u id %lu connection %lu sequence %lu length %lu: %s", message->sender,
              (unsigned long)message->id, (unsigned long)message->connection, (unsigned long)message->sequence,
              (unsigned long)message->length, data ? "" : "hang-up\n");
    }
    if (data) {
        print_bytes(message->payload, message->length);
        print_char('\n');
    }
    print_flush();
}

int main(int argc, char **argv) {
    uint64_t count = 1;
    uint64_t timeout = FOREVER;
    bool make = false;
    bool verbose = false;
    struct option_state state = option_begin(&program, argc, argv);
    for (int option; (option = option_next(&state)) != 0;) {
        if (option == 'n') {
            count = option_number(&state, 0, UINT64_MAX);
        } else if (option == 's') {
            make = true;
        } else if (option == 'v') {
            verbose = true;
        } else if (!clock_parse(state.value, &timeout)) {
            option_refuse("'%s' is not a duration", state.value);
        }
    }
    option_operands(&state, 1, 1);
    long channel = open_channel(state.argv[0], make);
    if (channel < 0) {
        return error_report(state.argv[0], channel);
    }
    static struct message message;
    for (uint64_t got = 0; count == 0 || got < count;) {
        long status = channel_recv((handle_t)channel, &message, clock_deadline(timeout));
        if (status < 0) {
            return error_report(state.argv[0], status);
        }
        got += message.kind == MESSAGE_DATA; // a hang-up is no message of anybody
        show(&message, verbose);
    }
    return 0;
}
