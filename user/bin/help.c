// help: what there is to type.
#include "base/str.h"
#include "isthmus/calls.h"
#include "lib/error.h"
#include "lib/option.h"
#include "lib/print.h"
#include "lib/process.h"
#include "lib/search.h"
#include "lib/self.h"
#include "lib/spawn.h"

static const struct program program = {"[COMMAND]", "List the commands, or show the help text of one.", nullptr};

struct entry {
    const char *name;
    const char *about;
};

// By what one wants to do; a null name is a heading.
static const struct entry entries[] = {
    {nullptr, "Files and directories"},
    {"ls", "list directories"},
    {"cat", "show files"},
    {"head", "show the first lines"},
    {"tail", "show the last lines"},
    {"hexdump", "show bytes"},
    {"grep", "show lines that match"},
    {"wc", "count lines, words, bytes"},
    {"stat", "show what is known of a node"},
    {"mkdir", "make directories"},
    {"rm", "remove"},
    {"mv", "rename or move"},
    {"ln", "make links"},
    {"chmod", "change permissions"},
    {"write", "write text in one call, to a command file or a channel"},
    {"echo", "print text"},
    {nullptr, "Channels"},
    {"mkchan", "make a channel"},
    {"send", "send messages"},
    {"recv", "receive messages as a channel's server"},
    {"call", "send a message and show its answer"},
    {"ipc", "show conversations: channels, waits, holders, latency"},
    {"echo-server", "answer every message with itself"},
    {"echo-client", "talk to the echo server"},
    {"ping", "measure round trips"},
    {nullptr, "Processes and the system"},
    {"ps", "list processes"},
    {"top", "show what the system is busy with"},
    {"kill", "end processes"},
    {"time", "tell how long a command takes"},
    {"sleep", "wait"},
    {"watch", "show what happens to files, channels and processes"},
    {"uptime", "tell the time since boot"},
    {"dmesg", "show the kernel's log"},
    {"poweroff", "end the machine"},
    {"true", "succeed"},
    {"false", "fail"},
    {"sh", "the shell"},
    {"help", "this list"},
    {nullptr, "In the shell"},
    {"cd pwd", "change and show the current directory"},
    {"export set unset", "variables"},
    {"jobs fg wait", "what runs in the background"},
    {"test [ read shift", "for scripts"},
    {". : break continue", "the same"},
    {"type exit", "where a command is; leave"},
};

static void list(void) {
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
        if (entries[i].name == nullptr) {
            print("%s%s\n", i > 0 ? "\n" : "", entries[i].about);
        } else {
            print("  %-20s %s\n", entries[i].name, entries[i].about);
        }
    }
    print("\nTab completes, the arrows edit and bring back earlier lines, Ctrl-C ends what runs, Ctrl-D its input.\n");
    print("help COMMAND tells more. Statistics are files: try ls -R /kern, and cat one of them.\n");
}

int main(int argc, char **argv) {
    struct option_state state = option_begin(&program, argc, argv);
    (void)option_next(&state);
    option_operands(&state, 0, 1);
    if (state.argc == 0) {
        list();
        return 0;
    }
    char path[PATH_LEN_MAX + 1];
    long found = search_program(state.argv[0], self_env("PATH"), path);
    char *shell_arguments[] = {"sh", "-c", "\"$0\" --help", state.argv[0], nullptr};
    char *arguments[] = {state.argv[0], "--help", nullptr};
    struct spawn spawn = {.path = found < 0 ? "/bin/sh" : path,
                          .arguments = found < 0 ? shell_arguments : arguments,
                          .output = self_output(),
                          .error = self_error()};
    long status = process_finish(spawn_program(&spawn));
    return status < 0 ? error_report(state.argv[0], status) : (int)status;
}
