// sh: the shell. Interactive on the console, or running a script, a text, or its standard input.
#include "base/format.h"
#include "base/str.h"
#include "isthmus/calls.h"
#include "job.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/memory.h"
#include "lib/option.h"
#include "lib/print.h"
#include "lib/self.h"
#include "parser.h"
#include "run.h"
#include "shell.h"
#include "terminal.h"

static const struct option options[] = {{'c', "command", "TEXT", "run TEXT; operands become $0, $1, and so on"},
                                        {'i', "interactive", nullptr, "read commands from the console"},
                                        {'e', "exit-on-error", nullptr, "end at the first command that fails"},
                                        {'x', "trace", nullptr, "show each command before it runs"},
                                        {}};
static const struct program program = {
    "[-eix] [-c TEXT | FILE] [ARGUMENT…]",
    "The shell: run a text, a script, or, without either, what is typed or comes through standard input.", options};

void arena_exhausted(void) {
    (void)error_say("there is no memory left");
    program_exit(1);
}

static struct shell shell = {.name = "sh"};

// Take over the environment as exported variables.
static void import_environment(void) {
    const char *entry;
    for (unsigned i = 0; (entry = self_env_at(i)) != nullptr; i++) {
        size_t length;
        if (syntax_is_assignment(entry, strlen(entry), &length)) {
            variable_set(&shell.variables, entry, length, entry + length + 1, true);
        }
    }
    // These are told to each program anew.
    variable_remove(&shell.variables, "COLUMNS");
    variable_remove(&shell.variables, "TERMINAL");
    variable_set(&shell.variables, "PWD", 3, self_cwd(), false);
}

static void tell_ended_jobs(const struct streams *streams) {
    for (struct job *job = job_list; job != nullptr;) {
        struct job *next = job->next;
        if (job_ended(job)) {
            char text[160];
            size_t length = format(text, sizeof text, "[%u] ended with %d  %s\n", job->id, job_status(job), job->text);
            (void)file_write(streams->error, text, length < sizeof text ? length : sizeof text - 1);
            job_remove(job);
            job_free(job);
        }
        job = next;
    }
}

// Add a line to the commands typed so far; whether they go on, such as within quotes or a loop.
static bool extend(struct text *whole, const struct text *line) {
    if (!text_add(whole, text_string(line), line->length) || !text_add_char(whole, '\n')) {
        arena_exhausted();
    }
    struct parser parser;
    struct arena arena = {};
    struct syntax *tree;
    parser_init(&parser, whole->bytes, &arena);
    enum parse_result result;
    do {
        result = parser_next(&parser, &tree);
    } while (result == PARSE_LINE);
    arena_free(&arena);
    return result == PARSE_INCOMPLETE;
}

// Read until a whole command is there, and run it. False at the end of the input.
static bool interact(const struct streams *streams, const char *sign) {
    static struct text line;
    static struct text whole;
    char prompt[PATH_LEN_MAX + 8];
    const char *own = variable_get(shell.variables, "PS1", 3);
    (void)(own != nullptr ? str_copy(prompt, sizeof prompt, own)
                          : format(prompt, sizeof prompt, "%s %s ", self_cwd(), sign));
    text_clear(&whole);
    for (;;) {
        enum terminal_input input = terminal_read(whole.length == 0 ? prompt : "> ", &line);
        if (input == TERMINAL_INTERRUPT) {
            shell.status = SHELL_INTERRUPTED;
            return true;
        }
        if (input == TERMINAL_END && whole.length == 0) {
            return false;
        }
        terminal_remember(text_string(&line));
        if (!extend(&whole, &line) || input == TERMINAL_END) {
            break;
        }
    }
    run_text(&shell, streams, whole.bytes);
    shell.interrupted = false;
    shell.breaking = 0;
    return !shell.exiting;
}

static void run_interactive(struct streams *streams) {
    struct abi_process_info info = {};
    (void)sys_process_info(self_process(), &info);
    if (streams->input == 0 || self_output() == 0) {
        long console = file_open("/dev/console", OPEN_READ | OPEN_WRITE, 0);
        if (console < 0) {
            (void)error_report("/dev/console", console);
            program_exit(1);
        }
        *streams =
            (struct streams){.input = (handle_t)console, .output = (handle_t)console, .error = (handle_t)console};
    }
    shell.interactive = true;
    terminal_init(&shell, streams->input);
    do {
        tell_ended_jobs(streams);
    } while (interact(streams, info.owner == 0 ? "#" : "$"));
}

// Commands from standard input, one line after another, so that they can read what follows them. When a person types
// them to another shell, which passes them on, a prompt says that this one is listening.
static void run_input(const struct streams *streams) {
    bool prompted = self_env("TERMINAL") != nullptr;
    struct text whole = {};
    struct text line = {};
    long more;
    do {
        text_clear(&line);
        if (prompted) {
            print("%s", whole.length == 0 ? "sh> " : "> ");
            print_flush();
        }
        more = run_read_line(&shell, streams, &line);
        if (more < 0) {
            (void)error_report("standard input", more);
            shell.status = 1;
            return;
        }
        if (!extend(&whole, &line) || more == 0) {
            run_text(&shell, streams, whole.bytes);
            text_clear(&whole);
        }
    } while (more > 0 && !shell.exiting);
}

static void run_file(const struct streams *streams, const char *path) {
    char *text;
    long length = file_load_all(path, &text);
    if (length < 0) {
        (void)error_report(path, length);
        shell.status = length == ERR_NOT_FOUND ? 127 : 126;
        return;
    }
    run_text(&shell, streams, text);
}

static bool is_device(handle_t handle) {
    struct abi_stat stat;
    return handle != 0 && sys_stat(handle, "", 0, &stat) == 0 && stat.kind == NODE_DEVICE;
}

int main(int argc, char **argv) {
    const char *text = nullptr;
    bool interactive = false;
    struct option_state state = option_begin(&program, argc, argv);
    for (int option; (option = option_next(&state)) != 0;) {
        if (option == 'c') {
            text = state.value;
            break; // what follows are its arguments, even if they look like options
        }
        interactive |= option == 'i';
        shell.exit_on_error |= option == 'e';
        shell.trace |= option == 'x';
    }
    const char *file = text == nullptr && state.argc > 0 ? state.argv[0] : nullptr;
    if (state.argc > 0) {
        shell.name = state.argv[0];
        shell.parameters = state.argv + 1;
        shell.parameter_count = (unsigned)state.argc - 1;
    }
    struct abi_process_info info = {};
    (void)sys_process_info(self_process(), &info);
    shell.pid = info.pid;
    import_environment();
    struct streams streams = {.input = self_input(), .output = self_output(), .error = self_error()};
    if (text != nullptr) {
        run_text(&shell, &streams, text);
    } else if (file != nullptr) {
        run_file(&streams, file);
    } else if (interactive || is_device(streams.input)) {
        run_interactive(&streams);
    } else {
        run_input(&streams);
    }
    return shell.status;
}
