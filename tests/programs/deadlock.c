// deadlock: two processes, each waiting for the other for ever. `/kern/ipc/waits` must mark both; killing either frees
// the other. By default each waits for the other's end; with -c each waits for a message that only the other could send.
#include "isthmus/calls.h"
#include "lib/channel.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/option.h"
#include "lib/process.h"
#include "lib/self.h"
#include "lib/spawn.h"

static const struct option options[] = {{'c', "channels", nullptr, "wait for messages instead of ends"}, {}};
static const struct program program = {"[-c]", "Make two processes wait for each other for ever.", options};

static int wait_for_end(handle_t process) {
    long status = process_wait(process, FOREVER, nullptr);
    return status < 0 ? error_report("the other", status) : 0;
}

static int wait_for_message(handle_t connection) {
    static struct message message;
    long status = channel_recv(connection, &message, FOREVER);
    return status < 0 ? error_report("the other", status) : 0;
}

// The partner has two handles when it is about channels: the end that it serves, and the connection it listens to.
static int be_partner(void) {
    return self_handle_count() == 1 ? wait_for_end(self_handle(0)) : wait_for_message(self_handle(1));
}

static long spawn_partner(const handle_t *handles, unsigned count) {
    static char *arguments[] = {"deadlock", "partner", nullptr};
    const struct spawn spawn = {.path = "/test/deadlock",
                                .arguments = arguments,
                                .output = self_output(),
                                .error = self_error(),
                                .handles = handles,
                                .handle_count = count};
    return spawn_program(&spawn);
}

// A channel without a name: its server's handle, and a connection to it.
static long make_channel(handle_t ends[2]) {
    long server = sys_channel_create(0, "", 0, nullptr);
    if (server < 0) {
        return server;
    }
    long connection = sys_connect((handle_t)server, RIGHTS_ALL);
    ends[0] = (handle_t)server;
    ends[1] = connection < 0 ? 0 : (handle_t)connection;
    return connection;
}

static int deadlock_by_channels(void) {
    handle_t mine[2];
    handle_t partners[2];
    long status = make_channel(mine);
    if (status >= 0) {
        status = make_channel(partners);
    }
    if (status < 0) {
        return error_report(nullptr, status);
    }
    const handle_t given[] = {partners[0], mine[1]};
    status = spawn_partner(given, 2);
    if (status < 0) {
        return error_report(nullptr, status);
    }
    file_close(partners[0]);
    file_close(mine[1]);
    return wait_for_message(partners[1]);
}

int main(int argc, char **argv) {
    bool channels = false;
    struct option_state state = option_begin(&program, argc, argv);
    while (option_next(&state) != 0) {
        channels = true;
    }
    option_operands(&state, 0, 1);
    if (state.argc == 1) {
        return be_partner();
    }
    if (channels) {
        return deadlock_by_channels();
    }
    const handle_t self = self_process();
    long partner = spawn_partner(&self, 1);
    return partner < 0 ? error_report(nullptr, partner) : wait_for_end((handle_t)partner);
}
