// Execution. Simple commands and builtins run from here; whatever needs a shell of its own (a compound command in a
// pipeline or in the background, parentheses, a substitution) becomes `sh -c` with the source text, since there is no
// fork. Such a subshell gets all variables as its environment.
#include "run.h"

#include "base/format.h"
#include "base/memory.h"
#include "base/str.h"
#include "builtin.h"
#include "expand.h"
#include "isthmus/calls.h"
#include "job.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "lib/pattern.h"
#include "lib/process.h"
#include "lib/search.h"
#include "lib/self.h"
#include "lib/spawn.h"
#include "parser.h"
#include "terminal.h"

enum { CREATE_MODE = 0644, INPUT_LINE_MAX = 65536 };

static const char shell_path[] = "/bin/sh";

static void run_list(struct shell *shell, const struct streams *streams, const struct syntax *list);
static void run_command(struct shell *shell, const struct streams *streams, const struct syntax *command);

int shell_say(const struct streams *streams, const char *form, ...) {
    char text[512] = "sh: ";
    va_list args;
    va_start(args, form);
    size_t length = 4 + vformat(text + 4, sizeof text - 5, form, args);
    va_end(args);
    if (length > sizeof text - 2) {
        length = sizeof text - 2;
    }
    text[length++] = '\n';
    (void)file_write(streams->error, text, length);
    return 1;
}

// Whether what surrounds the current command is being left.
static bool unwinding(const struct shell *shell) {
    return shell->exiting || shell->interrupted || shell->breaking > 0;
}

// ---- redirections
// ----------------------------------------------------------------------------------------------------

// Open the target of a redirection. Ordinary files are created and cut; a channel means its data file; everything else
// is opened as it stands.
static long open_target(const char *path, enum redirection_kind kind) {
    struct abi_stat stat;
    long status = file_stat(path, &stat);
    char data[PATH_LEN_MAX + 1];
    if (status == 0 && stat.kind == NODE_CHANNEL && path_join(path, "data", data) == 0) {
        return file_open(data, kind == REDIRECT_INPUT ? OPEN_READ : OPEN_WRITE, 0);
    }
    if (kind == REDIRECT_INPUT) {
        return file_open(path, OPEN_READ, 0);
    }
    bool plain = status == 0 && stat.kind != NODE_FILE && stat.kind != NODE_LINK;
    uint32_t further = OPEN_CREATE | (kind == REDIRECT_APPEND ? OPEN_APPEND : OPEN_TRUNCATE);
    long handle = file_open(path, OPEN_WRITE | (plain ? 0 : further), plain ? 0 : CREATE_MODE);
    if (handle < 0 && status == 0 && stat.kind == NODE_LINK) { // to something that is no ordinary file
        long other = file_open(path, OPEN_WRITE, 0);
        handle = other >= 0 ? other : handle;
    }
    return handle;
}

// The streams of a command, and what was opened for them.
struct redirected {
    struct streams streams;
    handle_t opened[3]; // by stream, 0: nothing
};

static handle_t *stream_of(struct streams *streams, unsigned index) {
    return index == 0 ? &streams->input : index == 1 ? &streams->output : &streams->error;
}

static void close_redirected(struct redirected *redirected) {
    for (unsigned i = 0; i < 3; i++) {
        file_close(redirected->opened[i]);
    }
}

// Whether an opened handle is still somebody's stream.
static bool in_use(const struct redirected *redirected, handle_t handle) {
    return redirected->streams.input == handle || redirected->streams.output == handle ||
           redirected->streams.error == handle;
}

static bool redirect_one(struct shell *shell, const struct streams *outer, const struct redirection *redirection,
                         struct redirected *redirected) {
    struct arena arena = {};
    char *target = expand_text(shell, outer, &redirection->target, &arena);
    if (target == nullptr) {
        arena_free(&arena);
        return false;
    }
    handle_t *stream = stream_of(&redirected->streams, redirection->stream);
    bool fine = true;
    if (redirection->kind == REDIRECT_COPY) {
        bool number = target[0] >= '0' && target[0] <= '2' && target[1] == 0;
        fine = number || str_equal(target, "-");
        if (fine) {
            *stream = number ? *stream_of(&redirected->streams, (unsigned)(target[0] - '0')) : 0;
        } else {
            (void)shell_say(outer, "%s: not a stream: 0, 1, 2 or -", target);
        }
    } else {
        long handle = open_target(target, redirection->kind);
        if (handle < 0) {
            (void)shell_say(outer, "%s: %s", target, error_text(handle));
            fine = false;
        } else {
            // An earlier one for the same stream goes, unless another stream copied it.
            handle_t *opened = &redirected->opened[redirection->stream];
            *stream = (handle_t)handle;
            if (*opened != 0 && !in_use(redirected, *opened)) {
                file_close(*opened);
            }
            *opened = (handle_t)handle;
        }
    }
    arena_free(&arena);
    return fine;
}

// Apply redirections on top of `outer`. False after an error, which has been told; nothing is then open.
static bool redirect(struct shell *shell, const struct streams *outer, const struct redirection *redirection,
                     struct redirected *redirected) {
    *redirected = (struct redirected){.streams = *outer};
    for (; redirection != nullptr; redirection = redirection->next) {
        if (!redirect_one(shell, outer, redirection, redirected)) {
            close_redirected(redirected);
            shell->status = 1;
            return false;
        }
    }
    return true;
}

// ---- starting programs
// -----------------------------------------------------------------------------------------------

long run_search(const struct shell *shell, const char *name, char path[PATH_LEN_MAX + 1]) {
    return search_program(name, variable_get(shell->variables, "PATH", 4), path);
}

// What a program gets as its input when the stream is the terminal: the feed, or nothing.
static handle_t child_input(const struct streams *streams, const struct terminal_feed *feed) {
    if (!terminal_is(streams->input)) {
        return streams->input;
    }
    return feed != nullptr ? feed->reader : 0;
}

// Start `path` and add it to the job.
static void start(struct shell *shell, const struct streams *streams, const char *path, char **arguments,
                  char *const *assignments, bool all_variables, const struct terminal_feed *feed, struct job *job) {
    struct arena arena = {};
    char columns[24];
    struct strings further = {};
    for (; assignments != nullptr && *assignments != nullptr; assignments++) {
        strings_add(&further, &arena, *assignments);
    }
    if (feed != nullptr && child_input(streams, feed) == feed->reader) {
        strings_add(&further, &arena, "TERMINAL=1"); // for a shell: a person types what it reads
    }
    if (terminal_shows(streams->output)) {
        (void)format(columns, sizeof columns, "COLUMNS=%u", terminal_width());
        strings_add(&further, &arena, columns);
    }
    struct spawn spawn = {
        .path = path,
        .arguments = arguments,
        .environment = variable_environment(shell->variables, all_variables, further.items, &arena),
        .input = child_input(streams, feed),
        .output = streams->output,
        .error = streams->error,
    };
    long process = spawn_program(&spawn);
    if (process == ERR_NOT_EXEC && !str_equal(path, shell_path)) { // a script
        struct strings script = {};
        strings_add(&script, &arena, "sh");
        strings_add(&script, &arena, (char *)path);
        for (char **at = arguments + 1; *at != nullptr; at++) {
            strings_add(&script, &arena, *at);
        }
        struct abi_stat stat;
        char magic[4] = "";
        long file = file_open(path, OPEN_READ, 0);
        bool text = file >= 0 && file_stat(path, &stat) == 0 && sys_read((handle_t)file, magic, 4, 0) > 0 &&
                    magic[0] != 0x7f && magic[0] != 0;
        file_close(file >= 0 ? (handle_t)file : 0);
        if (text) {
            spawn.path = shell_path;
            spawn.arguments = script.items;
            process = spawn_program(&spawn);
        }
    }
    if (process < 0) {
        (void)shell_say(streams, "%s: %s", path, error_text(process));
    }
    job_add(job, process, process < 0 ? search_status(process) : 0);
    arena_free(&arena);
}

// Start a shell of its own on a piece of source text.
static void start_subshell(struct shell *shell, const struct streams *streams, const char *text, size_t length,
                           const struct terminal_feed *feed, struct job *job) {
    struct arena arena = {};
    struct strings arguments = {};
    strings_add(&arguments, &arena, "sh");
    strings_add(&arguments, &arena, "-c");
    strings_add(&arguments, &arena, arena_copy(&arena, text, length));
    strings_add(&arguments, &arena, (char *)shell->name);
    for (unsigned i = 0; i < shell->parameter_count; i++) {
        strings_add(&arguments, &arena, shell->parameters[i]);
    }
    start(shell, streams, shell_path, arguments.items, nullptr, true, feed, job);
    arena_free(&arena);
}

static void start_program(struct shell *shell, const struct streams *streams, char **arguments,
                          char *const *assignments, const struct terminal_feed *feed, struct job *job) {
    char path[PATH_LEN_MAX + 1];
    long found = run_search(shell, arguments[0], path);
    if (found < 0) {
        (void)shell_say(streams, "%s: %s", arguments[0],
                        found == ERR_NOT_FOUND ? "no such command; try help" : error_text(found));
        job_add(job, found, search_status(found));
        return;
    }
    start(shell, streams, path, arguments, assignments, false, feed, job);
}

// Wait for a job in the foreground; its status becomes the shell's.
static void finish(struct shell *shell, struct job *job, struct terminal_feed *feed) {
    if (terminal_follow(job, feed, true)) {
        shell->interrupted = true;
    }
    shell->status = shell->interrupted ? SHELL_INTERRUPTED : job_status(job);
    if (feed != nullptr) {
        terminal_feed_close(feed);
    }
    job_free(job);
}

// ---- simple commands
// -------------------------------------------------------------------------------------------------

static void trace(const struct shell *shell, const struct streams *streams, char **arguments) {
    if (!shell->trace) {
        return;
    }
    struct text line = {};
    bool fine = text_add_char(&line, '+');
    for (; fine && *arguments != nullptr; arguments++) {
        fine = text_add_char(&line, ' ') && text_add_string(&line, *arguments);
    }
    if (fine && text_add_char(&line, '\n')) {
        (void)file_write(streams->error, line.bytes, line.length);
    }
    text_free(&line);
}

// Evaluate NAME=word: as strings for a program's environment, or (null) into the shell's own variables.
static bool assign(struct shell *shell, const struct streams *streams, const struct word *assignment,
                   struct arena *arena, struct strings *environment) {
    for (; assignment != nullptr; assignment = assignment->next) {
        size_t length;
        (void)syntax_is_assignment(assignment->text, assignment->length, &length);
        struct word value = {.text = assignment->text + length + 1, .length = assignment->length - length - 1};
        char *text = expand_text(shell, streams, &value, arena);
        if (text == nullptr) {
            return false;
        }
        if (environment == nullptr) {
            variable_set(&shell->variables, assignment->text, length, text, false);
            continue;
        }
        size_t size = strlen(text);
        char *entry = arena_take(arena, length + size + 2);
        memcpy(entry, assignment->text, length + 1);
        memcpy(entry + length + 1, text, size);
        strings_add(environment, arena, entry);
    }
    return true;
}

// Start a program as the job in the foreground and wait for it.
static void run_program(struct shell *shell, const struct streams *streams, const struct syntax *command,
                        char **arguments, char *const *environment) {
    struct job *job = job_new(command->text, command->length);
    struct terminal_feed feed;
    bool fed = terminal_is(streams->input) && terminal_feed_open(&feed) == 0;
    start_program(shell, streams, arguments, environment, fed ? &feed : nullptr, job);
    finish(shell, job, fed ? &feed : nullptr);
}

static void run_simple(struct shell *shell, const struct streams *outer, const struct syntax *command) {
    struct arena arena = {};
    struct strings words = {};
    struct strings environment = {};
    struct redirected redirected;
    unsigned captures = shell->captures;
    if (!expand_words(shell, outer, command->words, &arena, &words)) {
        shell->status = shell->status == 0 ? 1 : shell->status;
        arena_free(&arena);
        return;
    }
    if (!redirect(shell, outer, command->redirections, &redirected)) {
        arena_free(&arena);
        return;
    }
    const struct streams *streams = &redirected.streams;
    bool builtin = words.count > 0 && builtin_exists(words.items[0]);
    bool own = words.count == 0 || builtin;
    if (!assign(shell, streams, command->assignments, &arena, own ? nullptr : &environment)) {
        shell->status = shell->status == 0 ? 1 : shell->status;
    } else if (words.count == 0) {
        // The status is that of the last substitution, if there was one; until here $? was that of the command before.
        shell->status = shell->captures == captures ? 0 : shell->status;
    } else {
        trace(shell, outer, words.items);
        if (builtin) {
            shell->status = builtin_run(shell, streams, (int)words.count, words.items);
        } else {
            run_program(shell, streams, command, words.items, environment.items);
        }
    }
    close_redirected(&redirected);
    arena_free(&arena);
}

// ---- compound commands
// -----------------------------------------------------------------------------------------------

// Whether the condition holds; set -e means nothing in there.
static bool holds(struct shell *shell, const struct streams *streams, const struct syntax *condition) {
    shell->conditions++;
    run_list(shell, streams, condition);
    shell->conditions--;
    return shell->status == 0 && !unwinding(shell);
}

static void run_if(struct shell *shell, const struct streams *streams, const struct syntax *command) {
    bool yes = holds(shell, streams, command->first);
    if (unwinding(shell)) {
        return;
    }
    shell->status = 0;
    if (yes) {
        run_list(shell, streams, command->second);
    } else if (command->third != nullptr && command->third->kind == SYNTAX_IF) {
        run_if(shell, streams, command->third);
    } else if (command->third != nullptr) {
        run_list(shell, streams, command->third);
    }
}

// After one round of a loop: whether there may be another.
static bool goes_on(struct shell *shell) {
    if (shell->interactive && terminal_interrupted()) {
        shell->interrupted = true;
        shell->status = SHELL_INTERRUPTED;
    }
    if (shell->breaking > 0) {
        shell->breaking--;
        return shell->breaking == 0 && shell->continuing && !shell->exiting && !shell->interrupted;
    }
    return !unwinding(shell);
}

static void run_while(struct shell *shell, const struct streams *streams, const struct syntax *command) {
    bool until = command->kind == SYNTAX_UNTIL;
    int status = 0;
    shell->loops++;
    while (holds(shell, streams, command->first) != until && !unwinding(shell)) {
        run_list(shell, streams, command->second);
        status = shell->status;
        if (!goes_on(shell)) {
            break;
        }
    }
    if (shell->breaking > 0) { // out of the condition
        (void)goes_on(shell);
    }
    shell->loops--;
    if (!shell->exiting && !shell->interrupted) {
        shell->status = status;
    }
}

static void run_for(struct shell *shell, const struct streams *streams, const struct syntax *command) {
    struct arena arena = {};
    struct strings items = {};
    bool fine = true;
    if (command->all_parameters) {
        for (unsigned i = 0; i < shell->parameter_count; i++) {
            strings_add(&items, &arena, arena_copy(&arena, shell->parameters[i], strlen(shell->parameters[i])));
        }
    } else {
        fine = expand_words(shell, streams, command->words, &arena, &items);
    }
    shell->status = fine ? 0 : 1;
    shell->loops++;
    for (size_t i = 0; fine && i < items.count; i++) {
        variable_set(&shell->variables, command->name.text, command->name.length, items.items[i], false);
        run_list(shell, streams, command->second);
        if (!goes_on(shell)) {
            break;
        }
    }
    shell->loops--;
    arena_free(&arena);
}

static void run_case(struct shell *shell, const struct streams *streams, const struct syntax *command) {
    struct arena arena = {};
    char *subject = expand_text(shell, streams, command->words, &arena);
    const struct syntax *chosen = nullptr;
    bool done = subject == nullptr;
    for (const struct case_branch *branch = command->branches; !done && branch != nullptr; branch = branch->next) {
        for (const struct word *word = branch->patterns; !done && word != nullptr; word = word->next) {
            char *pattern = expand_pattern(shell, streams, word, &arena);
            done = pattern == nullptr || pattern_match(pattern, subject);
            chosen = done && pattern != nullptr ? branch->body : nullptr;
        }
    }
    if (subject != nullptr) {
        shell->status = 0;
    }
    arena_free(&arena);
    if (chosen != nullptr) {
        run_list(shell, streams, chosen);
    }
}

static void run_subshell(struct shell *shell, const struct streams *streams, const struct syntax *command) {
    struct job *job = job_new(command->text, command->length);
    struct terminal_feed feed;
    bool fed = terminal_is(streams->input) && terminal_feed_open(&feed) == 0;
    start_subshell(shell, streams, command->first->text, command->first->length, fed ? &feed : nullptr, job);
    finish(shell, job, fed ? &feed : nullptr);
}

static void run_compound(struct shell *shell, const struct streams *outer, const struct syntax *command) {
    struct redirected redirected;
    if (!redirect(shell, outer, command->redirections, &redirected)) {
        return;
    }
    const struct streams *streams = &redirected.streams;
    switch (command->kind) {
    case SYNTAX_GROUP:
        run_list(shell, streams, command->first);
        break;
    case SYNTAX_SUBSHELL:
        run_subshell(shell, streams, command);
        break;
    case SYNTAX_IF:
        run_if(shell, streams, command);
        break;
    case SYNTAX_WHILE:
    case SYNTAX_UNTIL:
        run_while(shell, streams, command);
        break;
    case SYNTAX_FOR:
        run_for(shell, streams, command);
        break;
    default:
        run_case(shell, streams, command);
        break;
    }
    close_redirected(&redirected);
}

static void run_command(struct shell *shell, const struct streams *streams, const struct syntax *command) {
    if (command->kind == SYNTAX_SIMPLE) {
        run_simple(shell, streams, command);
    } else {
        run_compound(shell, streams, command);
    }
}

// ---- pipelines and lists
// ---------------------------------------------------------------------------------------------

// Start one member of a pipeline or of a background job; it never runs in this shell.
static void start_member(struct shell *shell, const struct streams *outer, const struct syntax *command,
                         const struct terminal_feed *feed, struct job *job) {
    struct arena arena = {};
    struct strings words = {};
    struct strings environment = {};
    bool simple = command->kind == SYNTAX_SIMPLE && command->words != nullptr;
    char *name = simple ? arena_copy(&arena, command->words->text, command->words->length) : nullptr;
    if (!simple || builtin_exists(name)) {
        start_subshell(shell, outer, command->text, command->length, feed, job);
        arena_free(&arena);
        return;
    }
    struct redirected redirected;
    if (!expand_words(shell, outer, command->words, &arena, &words) ||
        !redirect(shell, outer, command->redirections, &redirected)) {
        job_add(job, ERR_INVALID, 1);
        arena_free(&arena);
        return;
    }
    if (words.count == 0 || builtin_exists(words.items[0])) {
        start_subshell(shell, outer, command->text, command->length, feed, job);
    } else if (!assign(shell, outer, command->assignments, &arena, &environment)) {
        job_add(job, ERR_INVALID, 1);
    } else {
        trace(shell, outer, words.items);
        start_program(shell, &redirected.streams, words.items, environment.items, feed, job);
    }
    close_redirected(&redirected);
    arena_free(&arena);
}

// Make a pipe: a channel without a name. Its server's handle is the reader, a connection the writer.
static long make_pipe(handle_t *reader, handle_t *writer) {
    long channel = sys_channel_create(0, "", 0, nullptr);
    if (channel < 0) {
        return channel;
    }
    long connection = sys_connect((handle_t)channel, RIGHT_WRITE | RIGHT_WATCH | RIGHT_GRANT);
    if (connection < 0) {
        file_close((handle_t)channel);
        return connection;
    }
    *reader = (handle_t)channel;
    *writer = (handle_t)connection;
    return 0;
}

// Start all members of a pipeline.
static void start_pipeline(struct shell *shell, const struct streams *outer, const struct syntax *pipeline,
                           const struct terminal_feed *feed, struct job *job) {
    handle_t input = outer->input;
    for (const struct syntax *command = pipeline->first; command != nullptr; command = command->next) {
        struct streams streams = {.input = input, .output = outer->output, .error = outer->error};
        handle_t reader = 0;
        handle_t writer = 0;
        if (command->next != nullptr) {
            long status = make_pipe(&reader, &writer);
            if (status < 0) {
                (void)shell_say(outer, "a pipe: %s", error_text(status));
            }
            streams.output = writer;
        }
        start_member(shell, &streams, command, feed, job);
        file_close(writer);
        if (input != outer->input) {
            file_close(input);
        }
        input = reader;
    }
}

static void run_pipeline(struct shell *shell, const struct streams *streams, const struct syntax *pipeline) {
    if (pipeline->inverted) {
        shell->conditions++;
    }
    if (pipeline->first->next == nullptr) {
        run_command(shell, streams, pipeline->first);
    } else {
        struct job *job = job_new(pipeline->text, pipeline->length);
        struct terminal_feed feed;
        bool fed = terminal_is(streams->input) && terminal_feed_open(&feed) == 0;
        start_pipeline(shell, streams, pipeline, fed ? &feed : nullptr, job);
        finish(shell, job, fed ? &feed : nullptr);
    }
    if (pipeline->inverted) {
        shell->conditions--;
        shell->status = shell->interrupted || shell->exiting ? shell->status : !shell->status;
    }
    if (shell->exit_on_error && shell->status != 0 && shell->conditions == 0 && !pipeline->inverted) {
        shell->exiting = true;
    }
}

static void run_chain(struct shell *shell, const struct streams *streams, const struct syntax *chain) {
    if (chain->kind == SYNTAX_PIPELINE) {
        run_pipeline(shell, streams, chain);
        return;
    }
    shell->conditions++;
    run_chain(shell, streams, chain->first);
    shell->conditions--;
    if (!unwinding(shell) && (shell->status == 0) == (chain->kind == SYNTAX_AND)) {
        run_chain(shell, streams, chain->second);
    }
}

static void run_background(struct shell *shell, const struct streams *outer, const struct syntax *chain) {
    struct streams streams = *outer;
    streams.input = 0; // what is typed is not for it
    struct job *job = job_new(chain->text, chain->length);
    if (chain->kind == SYNTAX_PIPELINE && !chain->inverted) {
        start_pipeline(shell, &streams, chain, nullptr, job);
    } else {
        start_subshell(shell, &streams, chain->text, chain->length, nullptr, job);
    }
    shell->background = job_pid(job);
    shell->status = 0;
    job_to_background(job);
    if (shell->interactive) {
        char text[48];
        size_t length = format(text, sizeof text, "[%u] %u\n", job->id, job_pid(job));
        (void)file_write(outer->error, text, length);
    }
}

static void run_list(struct shell *shell, const struct streams *streams, const struct syntax *list) {
    for (const struct syntax *chain = list->first; chain != nullptr && !unwinding(shell); chain = chain->next) {
        if (chain->background) {
            run_background(shell, streams, chain);
        } else {
            run_chain(shell, streams, chain);
        }
    }
}

void run_tree(struct shell *shell, const struct streams *streams, const struct syntax *tree) {
    run_list(shell, streams, tree);
}

void run_text(struct shell *shell, const struct streams *streams, const char *text) {
    struct parser parser;
    struct arena arena = {};
    parser_init(&parser, text, &arena);
    for (;;) {
        struct syntax *tree;
        enum parse_result result = parser_next(&parser, &tree);
        if (result == PARSE_END || unwinding(shell)) {
            break;
        }
        if (result != PARSE_LINE) {
            (void)shell_say(streams, "%s", parser.message);
            shell->status = SHELL_USAGE;
            break;
        }
        if (tree != nullptr) {
            run_tree(shell, streams, tree);
        }
        arena_free(&arena);
    }
    arena_free(&arena);
}

// ---- substitution and reading
// ----------------------------------------------------------------------------------------

// Collect what comes through a pipe. False: Ctrl-C.
static bool collect(handle_t reader, struct text *output) {
    char message[MESSAGE_MAX];
    for (;;) {
        long length = sys_read(reader, message, sizeof message, OFFSET_CURRENT);
        if (length == ERR_EMPTY) {
            if (terminal_wait(reader, EVENT_READABLE | EVENT_PEER_LOST)) {
                return false;
            }
        } else if (length <= 0) {
            return true;
        } else if (!text_add(output, message, (size_t)length)) {
            arena_exhausted();
        }
    }
}

char *shell_capture(struct shell *shell, const struct streams *streams, const char *text, size_t length,
                    struct arena *arena) {
    handle_t reader;
    handle_t writer;
    shell->captures++;
    long status = make_pipe(&reader, &writer);
    if (status < 0) {
        (void)shell_say(streams, "a pipe: %s", error_text(status));
        shell->status = 1;
        return nullptr;
    }
    struct streams inner = {
        .input = terminal_is(streams->input) ? 0 : streams->input, .output = writer, .error = streams->error};
    struct job *job = job_new(text, length);
    struct text output = {};
    start_subshell(shell, &inner, text, length, nullptr, job);
    file_close(writer);
    if (!collect(reader, &output)) {
        job_kill(job, SHELL_INTERRUPTED - STATUS_KILLED);
        shell->interrupted = true;
    }
    file_close(reader);
    finish(shell, job, nullptr);
    while (output.length > 0 && output.bytes[output.length - 1] == '\n') {
        output.length--;
    }
    char *copy = shell->interrupted ? nullptr : arena_copy(arena, text_string(&output), output.length);
    text_free(&output);
    return copy;
}

// What a message held behind the first line, for the next read from the same handle. From files, single bytes are read,
// so that whoever shares the handle finds the position right behind the line.
static struct text kept;
static handle_t kept_from;
static size_t piece;

long run_read_line(struct shell *shell, const struct streams *streams, struct text *line) {
    if (terminal_is(streams->input)) {
        enum terminal_input input = terminal_read("", line);
        shell->interrupted = input == TERMINAL_INTERRUPT;
        return input == TERMINAL_LINE;
    }
    if (kept_from != streams->input) {
        struct abi_stat stat;
        text_clear(&kept);
        kept_from = streams->input;
        piece = kept_from != 0 && sys_stat(kept_from, "", 0, &stat) == 0 ? 1 : MESSAGE_MAX;
    }
    for (;;) {
        size_t end = 0;
        while (end < kept.length && kept.bytes[end] != '\n') {
            end++;
        }
        bool whole = end < kept.length;
        if (whole || end > INPUT_LINE_MAX) {
            bool fine = text_add(line, kept.bytes, end);
            end += whole;
            memmove(kept.bytes, kept.bytes + end, kept.length - end);
            kept.length -= end;
            return fine ? 1 : ERR_NO_MEMORY;
        }
        char message[MESSAGE_MAX];
        long length = file_read(streams->input, message, piece);
        if (length <= 0) {
            bool fine = text_add(line, text_string(&kept), kept.length);
            text_clear(&kept);
            return length < 0 ? length : fine ? 0 : ERR_NO_MEMORY;
        }
        if (!text_add(&kept, message, (size_t)length)) {
            return ERR_NO_MEMORY;
        }
    }
}
