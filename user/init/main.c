// init, the first process. With a file /boot/commands it runs that through the shell, tells the status and powers off;
// otherwise it keeps an interactive shell running on the console.
//
// What the run script relies on, for /boot/commands: the console shows the byte 0x1e and "begin" on a line, then the
// commands' output, then 0x1e and "exit N" on the last line; then the machine goes off with status N.
#include "base/format.h"
#include "base/str.h"
#include "isthmus/calls.h"
#include "lib/clock.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/process.h"
#include "lib/self.h"
#include "lib/spawn.h"

static const char commands_path[] = "/boot/commands";
static const char shell_path[] = "/bin/sh";

static handle_t console;

[[gnu::format(printf, 1, 2)]] static void tell(const char *form, ...) {
    char text[160];
    va_list args;
    va_start(args, form);
    size_t length = vformat(text, sizeof text, form, args);
    va_end(args);
    (void)file_write(console, text, length < sizeof text ? length : sizeof text - 1);
}

// Run the shell to its end, on a script or (null) interactively. Its status, or 127 if it could not be started.
static int run_shell(const char *script) {
    char *arguments[] = {"sh", (char *)script, nullptr};
    static char *const environment[] = {"PATH=/bin", "HOME=/", nullptr};
    struct spawn spawn = {
        .path = shell_path,
        .arguments = arguments,
        .environment = environment,
        .cwd = "/",
        .input = script == nullptr ? console : 0,
        .output = console,
        .error = console,
    };
    long status = process_finish(spawn_program(&spawn));
    if (status < 0) {
        tell("init: %s: %s\n", shell_path, error_text(status));
        return 127;
    }
    return (int)status;
}

[[noreturn]] static void run_commands(void) {
    tell("\x1e"
         "begin\n");
    int status = run_shell(commands_path);
    tell("\x1e"
         "exit %d\n",
         status);
    char command[16];
    (void)format(command, sizeof command, "off %d", status);
    long failure = file_command("/dev/power", command);
    tell("init: /dev/power: %s\n", error_text(failure));
    for (;;) {
        clock_sleep(FOREVER);
    }
}

static bool asked_for_quiet(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        if (str_equal(argv[i], "quiet")) {
            return true;
        }
    }
    return false;
}

int main(int argc, char **argv) {
    struct abi_process_info info;
    if (sys_process_info(self_process(), &info) == 0 && info.pid != 1) {
        return error_say("only the kernel starts init");
    }
    long handle = file_open("/dev/console", OPEN_READ | OPEN_WRITE, 0);
    console = handle < 0 ? self_output() : (handle_t)handle;
    struct abi_stat stat;
    if (file_stat(commands_path, &stat) == 0) {
        run_commands();
    }
    if (!asked_for_quiet(argc, argv)) {
        tell("Isthmus. `help` lists the commands, `poweroff` or Ctrl-A X ends the machine.\n");
    }
    for (;;) {
        uint64_t started = clock_now();
        (void)run_shell(nullptr);
        if (clock_now() - started < SECOND / 10) {
            clock_sleep(SECOND); // a shell that cannot live must not keep the machine busy
        }
    }
}
