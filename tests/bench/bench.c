// bench: run the loops of operations.toml, for scripts/bench, which counts the instructions from outside. Each loop is run
// once for its warm-up and its iterations together; bench_mark is called before each, so that the counts of one run can
// be told from those of another. For each run a line tells its operation, its iterations, and the machine's own counter
// over the loop, which scripts/bench compares with what it counted. That the loops do what they are meant to do is
// checked by the process's own books: so many calls, so many of them refused, on both sides.
#include "base/format.h"
#include "base/str.h"
#include "isthmus/calls.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/option.h"
#include "lib/print.h"
#include "lib/process.h"
#include "lib/self.h"
#include "lib/spawn.h"
#include "loops.h"
#include "prepare.h"

enum { ITERATIONS = 11001, STATUS_MAX = 1024, SLACK = 256 }; // SLACK: calls made around a loop

static const struct option options[] = {
    {'n', "count", "N", "so many iterations, 11001 if not given"},
    {'p', "partner", "NAME", "be the other side of this operation (used by itself)"},
    {'l', "list", nullptr, "only tell the names of the operations"},
    {}};
static const struct program program = {"[-n N] [OPERATION…]", "Run operations in minimal loops, to be counted.",
                                       options};

// What the kernel has in its books of a process.
struct books {
    uint64_t calls;
    uint64_t refused;
};

// Where the plugin sees that a run begins; a call to it must not be optimised away.
[[gnu::noinline]] void bench_mark(void);
void bench_mark(void) {
    __asm__ volatile("");
}

// ---- books -----------------------------------------------------------------------------------------------------------

// The n-th word of a line.
static bool word_at(const char *line, unsigned n, const char **word, size_t *length) {
    for (;; n--) {
        while (*line == ' ') {
            line++;
        }
        size_t size = 0;
        while (line[size] != ' ' && line[size] != '\n' && line[size] != 0) {
            size++;
        }
        if (size == 0) {
            return false;
        }
        if (n == 0) {
            *word = line;
            *length = size;
            return true;
        }
        line += size;
    }
}

// The number below the column `name` of a table of one line.
static bool column(const char *text, const char *name, uint64_t *value) {
    const char *line = text;
    while (*line != '\n' && *line != 0) {
        line++;
    }
    const char *word;
    size_t length;
    for (unsigned n = 0; *line == '\n' && word_at(text, n, &word, &length); n++) {
        if (length == strlen(name) && strncmp(word, name, length) == 0) {
            return word_at(line + 1, n, &word, &length) && str_to_u64_bytes(word, length, value);
        }
    }
    return false;
}

static long read_books(handle_t process, struct books *books) {
    char path[32];
    char text[STATUS_MAX];
    struct abi_process_info info;
    long status = sys_process_info(process, &info);
    if (status < 0) {
        return status;
    }
    (void)format(path, sizeof path, "/proc/%u/status", info.pid);
    status = file_load(path, text, sizeof text);
    if (status < 0) {
        return status;
    }
    bool found = column(text, "calls", &books->calls) && column(text, "call_errors", &books->refused);
    return found ? 0 : ERR_NOT_FOUND;
}

// ---- the partner -----------------------------------------------------------------------------------------------------

static const struct operation *find(const char *name) {
    for (unsigned i = 0; i < OPERATION_COUNT; i++) {
        if (str_equal(operations[i].name, name)) {
            return &operations[i];
        }
    }
    option_refuse("no operation is called '%s'", name);
}

static int be_partner(const char *name) {
    const struct operation *operation = find(name);
    struct prepared prepared;
    if (operation->partner == nullptr) {
        return error_say("%s has no partner", name);
    }
    prepare_words(&prepared);
    for (unsigned i = 0; i < self_handle_count(); i++) {
        prepared.words[WORD_H0 + i] = self_handle(i);
    }
    operation->partner(UINT64_MAX, prepared.words);
    return 1;
}

static long start_partner(const struct operation *operation, const struct prepared *prepared) {
    char *arguments[] = {"bench", "-p", (char *)operation->name, nullptr};
    struct spawn spawn = {.path = "/test/bench",
                          .arguments = arguments,
                          .output = self_output(),
                          .error = self_error(),
                          .handles = prepared->partner,
                          .handle_count = PARTNER_HANDLES};
    return spawn_program(&spawn);
}

// ---- one run ---------------------------------------------------------------------------------------------------------

static long count_one(const struct operation *operation, uint64_t iterations, const struct prepared *prepared,
                      long partner) {
    struct books before;
    struct books after;
    struct books partner_books = {};
    long status = read_books(self_process(), &before);
    if (status < 0) {
        return status;
    }
    bench_mark();
    uint64_t begin = bench_counter();
    operation->client(iterations, prepared->words);
    uint64_t counted = bench_counter() - begin;
    status = read_books(self_process(), &after);
    if (status >= 0 && partner > 0) {
        status = read_books((handle_t)partner, &partner_books);
    }
    if (status < 0) {
        return status;
    }
    uint64_t calls = after.calls - before.calls;
    if (after.refused - before.refused != operation->refused * iterations || partner_books.refused != 0) {
        return error_say("%s: %lu calls refused, %lu of the partner's", operation->name,
                         (unsigned long)(after.refused - before.refused), (unsigned long)partner_books.refused);
    }
    if (calls < operation->calls * iterations || calls > operation->calls * iterations + SLACK) {
        return error_say("%s: %lu calls in %lu iterations", operation->name, (unsigned long)calls,
                         (unsigned long)iterations);
    }
    if (partner > 0 && partner_books.calls < iterations) {
        return error_say("%s: the partner made only %lu calls", operation->name, (unsigned long)partner_books.calls);
    }
    print("run %s %lu %lu\n", operation->name, (unsigned long)iterations, (unsigned long)counted);
    return 0;
}

// Prepare an operation, run it, and take everything back. 0, 1 when the loop did not do what it should (which has been
// told), or an error.
static long run(const struct operation *operation, uint64_t iterations) {
    struct prepared prepared;
    long partner = 0;
    long status = prepare(operation->name, &prepared);
    if (status >= 0 && operation->partner != nullptr) {
        partner = start_partner(operation, &prepared);
        status = partner;
    }
    if (status >= 0) {
        status = count_one(operation, iterations, &prepared, partner);
    }
    if (partner > 0) {
        (void)sys_kill((handle_t)partner, 0);
        (void)process_finish(partner);
    }
    prepare_undo(&prepared);
    return status;
}

int main(int argc, char **argv) {
    uint64_t iterations = ITERATIONS;
    struct option_state state = option_begin(&program, argc, argv);
    for (int option; (option = option_next(&state)) != 0;) {
        if (option == 'n') {
            iterations = option_number(&state, 1, UINT32_MAX);
        } else if (option == 'p') {
            return be_partner(state.value);
        } else {
            for (unsigned i = 0; i < OPERATION_COUNT; i++) {
                print("%s\n", operations[i].name);
            }
            return 0;
        }
    }
    int wrong = 0;
    for (unsigned i = 0; i < (state.argc == 0 ? OPERATION_COUNT : (unsigned)state.argc); i++) {
        const struct operation *operation = state.argc == 0 ? &operations[i] : find(state.argv[i]);
        long status = run(operation, iterations);
        if (status < 0) {
            error_report(operation->name, status);
        }
        wrong |= status != 0;
    }
    return wrong;
}
