// bench: run the loops of operations.toml, for scripts/bench, which counts the instructions from outside. Each loop is run
// for its warm-up and then, between two calls of bench_mark by which the counts of one run can be told from those of
// another, for its iterations. For each run a line tells its operation, its iterations, and the machine's own counter
// over the loop, which scripts/bench compares with what it counted. That the loops do what they are meant to do is
// checked by the process's own books: so many calls, so many of them refused, on both sides.
//
// With -g the operations are run again and again beside a growing number of channels, nodes, handles or threads; with -z
// such things are made and the memory is told that each takes.
#include "base/format.h"
#include "base/str.h"
#include "isthmus/calls.h"
#include "lib/clock.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/notify.h"
#include "lib/option.h"
#include "lib/print.h"
#include "lib/process.h"
#include "lib/self.h"
#include "lib/spawn.h"
#include "loops.h"
#include "populate.h"
#include "prepare.h"

enum { WARM_UP = 1000, ITERATIONS = 10001, STATUS_MAX = 1024, SLACK = 256 }; // SLACK: calls made around a loop
enum { OWN_HANDLES = 60000, MAKER_MAX = 25000, SIZE_WARM = 1000, SIZE_COUNT = 10000 };

static const struct option options[] = {
    {'n', "count", "N", "so many iterations, 10001 if not given"},
    {'p', "partner", "NAME", "be the other side of this operation (used by itself)"},
    {'g', "grow", "KIND", "run beside 10, 1,000 and 100,000 of this kind"},
    {'z', "size", "KIND", "only make 10,000 of this kind and tell the memory"},
    {'m', "make", "KIND", "make things of this kind and stay (used by itself)"},
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

// ---- things beside which operations are run --------------------------------------------------------------------------

static uint64_t present; // of them, beside what a run needs itself

static enum population kind_of(const char *name) {
    for (unsigned kind = 0; kind < POPULATION_COUNT; kind++) {
        if (str_equal(population_name[kind], name)) {
            return kind;
        }
    }
    option_refuse("there is no kind '%s'", name);
}

// Make things until the handles of one process are nearly used up, tell the maker's maker, and stay.
static int be_maker(const char *kind, uint64_t count) {
    long status = populate(kind_of(kind), count);
    if (status >= 0) {
        status = notify_signal(self_handle(0), 1);
    }
    if (status < 0) {
        return error_report(kind, status);
    }
    for (;;) {
        clock_sleep(FOREVER);
    }
}

static long start_maker(const char *kind, uint64_t count, handle_t notifier) {
    char number[24];
    (void)format(number, sizeof number, "%lu", (unsigned long)count);
    char *arguments[] = {"bench", "-n", number, "-m", (char *)kind, nullptr};
    struct spawn spawn = {.path = "/test/bench",
                          .arguments = arguments,
                          .output = self_output(),
                          .error = self_error(),
                          .handles = &notifier,
                          .handle_count = 1};
    return spawn_program(&spawn);
}

// Have `wanted` of a kind: handles in this very process, as many as fit, all else in processes of their own.
static long grow(const char *kind, uint64_t wanted) {
    uint64_t bits;
    long notifier = notify_create(0);
    long status = notifier;
    if (str_equal(kind, "handles") && present < OWN_HANDLES) {
        uint64_t count = (wanted < OWN_HANDLES ? wanted : OWN_HANDLES) - present;
        status = populate(POPULATION_HANDLES, count);
        present += count;
    }
    while (status >= 0 && present < wanted) {
        uint64_t count = wanted - present < MAKER_MAX ? wanted - present : MAKER_MAX;
        status = start_maker(kind, count, (handle_t)notifier); // its handle keeps nothing; the maker stays
        if (status >= 0) {
            struct abi_wait_item items[2] = {{(handle_t)notifier, EVENT_READABLE}, {(handle_t)status, EVENT_EXITED}};
            uint64_t ready;
            status = sys_wait(items, 2, FOREVER, &ready);
        }
        if (status >= 0 && notify_take((handle_t)notifier, 1, 0, &bits) < 0) {
            return ERR_NO_MEMORY; // it has told why
        }
        present += count;
    }
    file_close((handle_t)notifier);
    return status;
}

static long pages_used(uint64_t *used) {
    char text[STATUS_MAX];
    long status = file_load("/kern/mem/stats/pages", text, sizeof text);
    return status < 0 ? status : column(text, "used", used) ? 0 : ERR_NOT_FOUND;
}

// What one of a kind takes, from the memory in use before and after many are made; the first make what all share.
static int tell_size(const char *kind) {
    uint64_t before = 0;
    uint64_t after = 0;
    long status = populate(kind_of(kind), SIZE_WARM);
    status = status < 0 ? status : pages_used(&before);
    status = status < 0 ? status : populate(kind_of(kind), SIZE_COUNT);
    status = status < 0 ? status : pages_used(&after);
    if (status < 0) {
        return error_report(kind, status);
    }
    print("size %s %lu\n", kind, (unsigned long)((after - before) * PAGE_SIZE / SIZE_COUNT));
    return 0;
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
    operation->client(WARM_UP, prepared->words);
    bench_mark();
    uint64_t begin = bench_counter();
    operation->client(iterations, prepared->words);
    uint64_t counted = bench_counter() - begin;
    bench_mark();
    status = read_books(self_process(), &after);
    if (status >= 0 && partner > 0) {
        status = read_books((handle_t)partner, &partner_books);
    }
    if (status < 0) {
        return status;
    }
    uint64_t calls = after.calls - before.calls;
    uint64_t passes = WARM_UP + iterations;
    if (after.refused - before.refused != operation->refused * passes || partner_books.refused != 0) {
        return error_say("%s: %lu calls refused, %lu of the partner's", operation->name,
                         (unsigned long)(after.refused - before.refused), (unsigned long)partner_books.refused);
    }
    if (calls < operation->calls * passes || calls > operation->calls * passes + SLACK) {
        return error_say("%s: %lu calls in %lu iterations", operation->name, (unsigned long)calls,
                         (unsigned long)passes);
    }
    if (partner > 0 && partner_books.calls < passes) {
        return error_say("%s: the partner made only %lu calls", operation->name, (unsigned long)partner_books.calls);
    }
    print("run %s %lu %lu %lu\n", operation->name, (unsigned long)iterations, (unsigned long)counted,
          (unsigned long)present);
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

// Every operation that is wanted, or all. 0 if they did what they should.
static int run_all(char **names, int count, uint64_t iterations) {
    int wrong = 0;
    for (unsigned i = 0; i < (count == 0 ? OPERATION_COUNT : (unsigned)count); i++) {
        const struct operation *operation = count == 0 ? &operations[i] : find(names[i]);
        long status = run(operation, iterations);
        if (status < 0) {
            error_report(operation->name, status);
        }
        wrong |= status != 0;
    }
    return wrong;
}

static int run_growing(const char *kind, char **names, int count, uint64_t iterations) {
    static const uint64_t sizes[] = {10, 1000, 100000};
    int wrong = 0;
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        long status = grow(kind, sizes[i]);
        if (status < 0) {
            return error_report(kind, status);
        }
        wrong |= run_all(names, count, iterations);
    }
    return wrong;
}

int main(int argc, char **argv) {
    uint64_t iterations = ITERATIONS;
    const char *growing = nullptr;
    struct option_state state = option_begin(&program, argc, argv);
    for (int option; (option = option_next(&state)) != 0;) {
        if (option == 'n') {
            iterations = option_number(&state, 1, UINT32_MAX);
        } else if (option == 'p') {
            return be_partner(state.value);
        } else if (option == 'm') {
            return be_maker(state.value, iterations);
        } else if (option == 'z') {
            return tell_size(state.value);
        } else {
            growing = state.value;
        }
    }
    return growing == nullptr ? run_all(state.argv, state.argc, iterations)
                              : run_growing(growing, state.argv, state.argc, iterations);
}
