// The builtins, one function each.
#include "builtin.h"

#include "base/format.h"
#include "base/memory.h"
#include "base/str.h"
#include "isthmus/calls.h"
#include "job.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/memory.h"
#include "lib/self.h"
#include "lib/text.h"
#include "lib/wait.h"
#include "parser.h"
#include "run.h"
#include "terminal.h"

typedef int (*builtin_function)(struct shell *shell, const struct streams *streams, int argc, char **argv);

enum { LOOPS_MAX = 1000000 };

[[gnu::format(printf, 2, 3)]] static void show(const struct streams *streams, const char *form, ...) {
    char text[PATH_LEN_MAX + 256];
    va_list args;
    va_start(args, form);
    size_t length = vformat(text, sizeof text, form, args);
    va_end(args);
    (void)file_write(streams->output, text, length < sizeof text ? length : sizeof text - 1);
}

static int usage(const struct streams *streams, const char *text) {
    (void)shell_say(streams, "usage: %s", text);
    return SHELL_USAGE;
}

static int do_true(struct shell *, const struct streams *, int, char **) {
    return 0;
}
static int do_false(struct shell *, const struct streams *, int, char **) {
    return 1;
}

static int do_cd(struct shell *shell, const struct streams *streams, int argc, char **argv) {
    const char *path = argc > 1 ? argv[1] : variable_get(shell->variables, "HOME", 4);
    if (argc > 2) {
        return usage(streams, "cd [PATH]");
    }
    bool back = argc > 1 && str_equal(argv[1], "-");
    if (back) {
        path = variable_get(shell->variables, "OLDPWD", 6);
    }
    char old[PATH_LEN_MAX + 1];
    (void)str_copy(old, sizeof old, self_cwd());
    long status = self_chdir(path != nullptr ? path : "/");
    if (status < 0) {
        return shell_say(streams, "cd: %s: %s", path, error_text(status));
    }
    variable_set(&shell->variables, "OLDPWD", 6, old, false);
    variable_set(&shell->variables, "PWD", 3, self_cwd(), false);
    if (back) {
        show(streams, "%s\n", self_cwd());
    }
    return 0;
}

static int do_pwd(struct shell *, const struct streams *streams, int, char **) {
    show(streams, "%s\n", self_cwd());
    return 0;
}

// A number from 0 to `high`, or a complaint.
static bool take_number(const struct streams *streams, const char *name, const char *text, uint64_t high,
                        uint64_t *value) {
    if (str_to_u64(text, value) && *value <= high) {
        return true;
    }
    (void)shell_say(streams, "%s: '%s' is not a number from 0 to %lu", name, text, (unsigned long)high);
    return false;
}

static int do_exit(struct shell *shell, const struct streams *streams, int argc, char **argv) {
    uint64_t status = (uint64_t)shell->status;
    if (argc > 2) {
        return usage(streams, "exit [STATUS]");
    }
    if (argc == 2 && !take_number(streams, "exit", argv[1], 255, &status)) {
        return SHELL_USAGE;
    }
    shell->exiting = true;
    return (int)status;
}

static bool name_valid(const char *name, size_t length) {
    size_t size;
    char probe[64];
    if (length + 1 >= sizeof probe) {
        return false;
    }
    memcpy(probe, name, length);
    probe[length] = '=';
    return syntax_is_assignment(probe, length + 1, &size) && size == length;
}

static int do_export(struct shell *shell, const struct streams *streams, int argc, char **argv) {
    if (argc == 1) {
        for (const struct variable *at = shell->variables; at != nullptr; at = at->next) {
            if (at->exported) {
                show(streams, "export %s=%s\n", at->name, at->value);
            }
        }
    }
    int status = 0;
    for (int i = 1; i < argc; i++) {
        size_t length = 0;
        while (argv[i][length] != 0 && argv[i][length] != '=') {
            length++;
        }
        if (!name_valid(argv[i], length)) {
            status = shell_say(streams, "export: '%s' is not a variable's name", argv[i]);
            continue;
        }
        const char *value =
            argv[i][length] == '=' ? argv[i] + length + 1 : variable_get(shell->variables, argv[i], length);
        variable_set(&shell->variables, argv[i], length, value != nullptr ? value : "", true);
    }
    return status;
}

static int do_unset(struct shell *shell, const struct streams *, int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        variable_remove(&shell->variables, argv[i]);
    }
    return 0;
}

// Make copies of the strings the parameters $1 …; the old ones are freed if the shell made them.
static void set_parameters(struct shell *shell, int argc, char **argv) {
    static char **own;
    char **fresh = calloc((size_t)argc + 1, sizeof *fresh);
    for (int i = 0; i < argc && fresh != nullptr; i++) {
        size_t size = strlen(argv[i]) + 1;
        fresh[i] = malloc(size);
        if (fresh[i] == nullptr) {
            arena_exhausted();
        }
        memcpy(fresh[i], argv[i], size);
    }
    if (fresh == nullptr) {
        arena_exhausted();
    }
    for (char **at = own; at != nullptr && *at != nullptr; at++) {
        free(*at);
    }
    free(own);
    own = fresh;
    shell->parameters = fresh;
    shell->parameter_count = (unsigned)argc;
}

static int do_set(struct shell *shell, const struct streams *streams, int argc, char **argv) {
    if (argc == 1) {
        for (const struct variable *at = shell->variables; at != nullptr; at = at->next) {
            show(streams, "%s=%s\n", at->name, at->value);
        }
        return 0;
    }
    int i = 1;
    for (; i < argc && (argv[i][0] == '-' || argv[i][0] == '+') && argv[i][1] != 0; i++) {
        if (str_equal(argv[i], "--")) {
            i++;
            set_parameters(shell, argc - i, argv + i);
            return 0;
        }
        for (const char *letter = argv[i] + 1; *letter != 0; letter++) {
            if (*letter != 'e' && *letter != 'x') {
                return usage(streams, "set [-ex] [+ex] [--] [PARAMETER...]");
            }
            *(*letter == 'e' ? &shell->exit_on_error : &shell->trace) = argv[i][0] == '-';
        }
    }
    if (i < argc) {
        set_parameters(shell, argc - i, argv + i);
    }
    return 0;
}

static int do_shift(struct shell *shell, const struct streams *streams, int argc, char **argv) {
    uint64_t count = 1;
    if (argc > 1 && !take_number(streams, "shift", argv[1], UINT32_MAX, &count)) {
        return SHELL_USAGE;
    }
    if (count > shell->parameter_count) {
        return shell_say(streams, "shift: there are only %u parameters", shell->parameter_count);
    }
    struct arena arena = {};
    unsigned left = shell->parameter_count - (unsigned)count;
    char **rest = arena_take(&arena, (left + 1) * sizeof *rest);
    for (unsigned i = 0; i < left; i++) {
        const char *text = shell->parameters[count + i];
        rest[i] = arena_copy(&arena, text, strlen(text));
    }
    set_parameters(shell, (int)left, rest);
    arena_free(&arena);
    return 0;
}

static int leave_loops(struct shell *shell, const struct streams *streams, int argc, char **argv, bool go_on) {
    uint64_t count = 1;
    if (argc > 1 && (!take_number(streams, argv[0], argv[1], LOOPS_MAX, &count) || count == 0)) {
        return SHELL_USAGE;
    }
    if (shell->loops == 0) {
        return shell_say(streams, "%s: there is no loop here", argv[0]);
    }
    shell->breaking = count < shell->loops ? (unsigned)count : shell->loops;
    shell->continuing = go_on;
    return 0;
}

static int do_break(struct shell *shell, const struct streams *streams, int argc, char **argv) {
    return leave_loops(shell, streams, argc, argv, false);
}

static int do_continue(struct shell *shell, const struct streams *streams, int argc, char **argv) {
    return leave_loops(shell, streams, argc, argv, true);
}

static int do_jobs(struct shell *, const struct streams *streams, int, char **) {
    for (struct job *job = job_list; job != nullptr;) {
        struct job *next = job->next;
        bool ended = job_ended(job);
        if (!ended) {
            show(streams, "[%u] running %u  %s\n", job->id, job_pid(job), job->text);
        } else {
            show(streams, "[%u] ended with %d  %s\n", job->id, job_status(job), job->text);
            job_remove(job);
            job_free(job);
        }
        job = next;
    }
    return 0;
}

// Wait for one background job, and forget it. Its status.
static int wait_for_job(struct shell *shell, struct job *job) {
    if (terminal_follow(job, nullptr, false)) {
        shell->interrupted = true;
        return SHELL_INTERRUPTED;
    }
    int status = job_status(job);
    job_remove(job);
    job_free(job);
    return status;
}

// The job that `%n` or a pid names, or null and a complaint.
static struct job *named_job(const struct streams *streams, const char *command, const char *text) {
    uint64_t id;
    bool by_pid = *text != '%';
    struct job *job = str_to_u64(text + !by_pid, &id) && id <= UINT32_MAX ? job_find((uint32_t)id, by_pid) : nullptr;
    if (job == nullptr) {
        (void)shell_say(streams, "%s: %s: no such job", command, text);
    }
    return job;
}

static int do_wait(struct shell *shell, const struct streams *streams, int argc, char **argv) {
    int status = 0;
    while (argc == 1 && job_list != nullptr && !shell->interrupted) {
        (void)wait_for_job(shell, job_list);
    }
    for (int i = 1; i < argc && !shell->interrupted; i++) {
        struct job *job = named_job(streams, "wait", argv[i]);
        status = job == nullptr ? 127 : wait_for_job(shell, job);
    }
    return shell->interrupted ? SHELL_INTERRUPTED : status;
}

static int do_read(struct shell *shell, const struct streams *streams, int argc, char **argv) {
    int first = argc > 1 && str_equal(argv[1], "-r") ? 2 : 1;
    static char *whole[] = {"REPLY", nullptr};
    char **names = first < argc ? argv + first : whole;
    struct text line = {};
    long status = run_read_line(shell, streams, &line);
    if (status < 0) {
        (void)shell_say(streams, "read: %s", error_text(status));
    }
    const char *at = text_string(&line);
    for (; *names != nullptr; names++) {
        while (*at == ' ' || *at == '\t') {
            at++;
        }
        size_t length = 0;
        while (at[length] != 0 && (names[1] == nullptr || (at[length] != ' ' && at[length] != '\t'))) {
            length++;
        }
        while (names[1] == nullptr && length > 0 && (at[length - 1] == ' ' || at[length - 1] == '\t')) {
            length--;
        }
        if (!name_valid(*names, strlen(*names))) {
            (void)shell_say(streams, "read: '%s' is not a variable's name", *names);
            status = -1;
            break;
        }
        struct text value = {};
        if (!text_add(&value, at, length)) {
            arena_exhausted();
        }
        variable_set(&shell->variables, *names, strlen(*names), text_string(&value), false);
        text_free(&value);
        at += length;
    }
    text_free(&line);
    return status == 1 ? 0 : 1;
}

static int do_source(struct shell *shell, const struct streams *streams, int argc, char **argv) {
    if (argc != 2) {
        return usage(streams, ". PATH");
    }
    char *text;
    long length = file_load_all(argv[1], &text);
    if (length < 0) {
        return shell_say(streams, "%s: %s", argv[1], error_text(length));
    }
    run_text(shell, streams, text);
    free(text);
    return shell->status;
}

static int do_fg(struct shell *shell, const struct streams *streams, int argc, char **argv) {
    struct job *job = job_list;
    while (argc == 1 && job != nullptr && job->next != nullptr) {
        job = job->next;
    }
    if (argc > 1) {
        job = named_job(streams, "fg", argv[1]);
    } else if (job == nullptr) {
        (void)shell_say(streams, "fg: there is no job");
    }
    if (job == nullptr) {
        return 1;
    }
    show(streams, "%s\n", job->text);
    if (terminal_follow(job, nullptr, true)) {
        shell->interrupted = true;
    }
    int status = job_status(job);
    job_remove(job);
    job_free(job);
    return status;
}

static int do_type(struct shell *shell, const struct streams *streams, int argc, char **argv) {
    int status = 0;
    for (int i = 1; i < argc; i++) {
        char path[PATH_LEN_MAX + 1];
        if (builtin_exists(argv[i])) {
            show(streams, "%s is a shell builtin\n", argv[i]);
        } else if (run_search(shell, argv[i], path) == 0) {
            show(streams, "%s is %s\n", argv[i], path);
        } else {
            status = shell_say(streams, "type: %s: not found", argv[i]);
        }
    }
    return status;
}

static const struct builtin {
    const char *name;
    builtin_function function;
    const char *usage;
    const char *about;
} builtins[] = {
    {".", do_source, "PATH", "Run the commands in a file in this shell."},
    {":", do_true, "[ANYTHING...]", "Do nothing, successfully."},
    {"[", builtin_test, "CONDITION ]", "The same as test."},
    {"break", do_break, "[N]", "Leave the innermost loop, or N loops."},
    {"cd", do_cd, "[PATH | -]", "Change the current directory: to PATH, to $HOME, or with - back."},
    {"continue", do_continue, "[N]", "Go on with the next round of the innermost loop, or of the N-th one."},
    {"exit", do_exit, "[STATUS]", "End the shell, with STATUS or that of the last command."},
    {"export", do_export, "[NAME[=VALUE]...]", "Give variables to programs as their environment; or list those."},
    {"false", do_false, "", "Do nothing, unsuccessfully."},
    {"fg", do_fg, "[%N | PID]", "Wait for a background job; Ctrl-C then ends it."},
    {"jobs", do_jobs, "", "List the background jobs."},
    {"pwd", do_pwd, "", "Show the current directory."},
    {"read", do_read, "[NAME...]", "Read a line and put its words into variables, the rest into the last."},
    {"set", do_set, "[-ex] [+ex] [--] [PARAMETER...]",
     "Set options (e: end at the first failure, x: show commands) and $1 ...; or list the variables."},
    {"shift", do_shift, "[N]", "Drop the first parameter, or the first N."},
    {"source", do_source, "PATH", "Run the commands in a file in this shell."},
    {"test", builtin_test, "CONDITION",
     "Check: -e -f -d -c -L -s -r -w -x PATH, -n -z TEXT, TEXT = != TEXT, N -eq -ne -lt -le -gt -ge N, ! -a -o ( )."},
    {"true", do_true, "", "Do nothing, successfully."},
    {"type", do_type, "NAME...", "Tell where a command is."},
    {"unset", do_unset, "NAME...", "Forget variables."},
    {"wait", do_wait, "[%N | PID...]", "Wait for background jobs, all or those named."},
};

static const struct builtin *find(const char *name) {
    for (size_t i = 0; i < sizeof builtins / sizeof builtins[0]; i++) {
        if (str_equal(builtins[i].name, name)) {
            return &builtins[i];
        }
    }
    return nullptr;
}

bool builtin_exists(const char *name) {
    return find(name) != nullptr;
}

int builtin_run(struct shell *shell, const struct streams *streams, int argc, char **argv) {
    const struct builtin *builtin = find(argv[0]);
    if (argc == 2 && str_equal(argv[1], "--help") && !str_equal(argv[0], "test") && !str_equal(argv[0], "[")) {
        show(streams, "usage: %s %s\n%s\n  %-20s %s\n", builtin->name, builtin->usage, builtin->about, "--help",
             "show this");
        return 0;
    }
    return builtin->function(shell, streams, argc, argv);
}

const char *builtin_name(unsigned index) {
    return index < sizeof builtins / sizeof builtins[0] ? builtins[index].name : nullptr;
}
