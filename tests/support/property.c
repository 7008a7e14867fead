#define _DEFAULT_SOURCE
#include "property.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ATTEMPTS_MAX = 4000, SHRINK_SECONDS = 60, FAILED = 17, FINISHED = 18 };

// One case. It lies in memory that both processes see, so that its tape outlives a crash.
struct property {
    bool replay; // take values from the tape up to given, then 0
    size_t given;
    size_t length;
    uint64_t random;
    unsigned number; // of the case
    uint64_t choices;
    uint64_t operations;
    size_t notes_length;
    char notes[PROPERTY_TEXT_MAX];
    char message[1024];
    struct property_choice tape[PROPERTY_TAPE_MAX];
};

static struct property *shared;
static struct property_result *result;
static bool in_child;

static uint64_t mix(uint64_t x) {
    x += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

uint64_t property_choose(struct property *p, const char *label, uint64_t bound) {
    if (bound == 0) {
        property_fail(p, "%s: nothing to choose from", label);
    }
    if (p->length == PROPERTY_TAPE_MAX) {
        property_fail(p, "%s: the tape is full", label);
    }
    struct property_choice *choice = &p->tape[p->length];
    uint64_t value = 0;
    if (!p->replay) {
        p->random = mix(p->random);
        value = p->random % bound;
    } else if (p->length < p->given) {
        value = choice->value < bound ? choice->value : bound - 1;
    }
    *choice = (struct property_choice){value, bound, label};
    p->length++;
    p->choices++;
    return value;
}

uint64_t property_between(struct property *p, const char *label, uint64_t low, uint64_t high) {
    uint64_t bound = high - low + 1;
    return low + property_choose(p, label, bound == 0 ? UINT64_MAX : bound);
}

bool property_chance(struct property *p, const char *label, unsigned percent) {
    return property_choose(p, label, 100) >= 100 - percent;
}

bool property_more(struct property *p, unsigned average) {
    bool more = property_choose(p, "more", (uint64_t)average + 1) != 0;
    p->operations += more;
    return more;
}

uint64_t property_word(struct property *p, const char *label) {
    switch (property_choose(p, label, 6)) {
    case 0:
        return property_choose(p, label, 8);
    case 1:
        return property_choose(p, label, 4096);
    case 2:
        return (uint64_t)1 << property_choose(p, label, 64);
    case 3:
        return ((uint64_t)1 << property_choose(p, label, 64)) - 1 - property_choose(p, label, 2);
    case 4:
        return ~property_choose(p, label, 16);
    default:
        return mix(property_choose(p, label, UINT64_MAX));
    }
}

void property_note(struct property *p, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    size_t room = sizeof p->notes - p->notes_length;
    int length = vsnprintf(p->notes + p->notes_length, room, format, arguments);
    va_end(arguments);
    if (length > 0 && (size_t)length + 2 < room) {
        p->notes_length += (size_t)length;
        p->notes[p->notes_length++] = '\n';
        p->notes[p->notes_length] = 0;
    }
}

void property_fail(struct property *p, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(p->message, sizeof p->message, format, arguments);
    va_end(arguments);
    if (!in_child) { // a replay for a debugger
        fprintf(stderr, "%s%s\n", p->notes, p->message);
        abort();
    }
    _exit(FAILED);
}

static void begin_case(struct property *p, unsigned number, uint64_t seed) {
    p->replay = false;
    p->length = 0;
    p->number = number;
    p->random = mix(seed ^ mix(number));
    p->notes_length = 0;
    p->notes[0] = 0;
    p->message[0] = 0;
}

// What a child has covered counts as well: where coverage is measured, the compiler's runtime is there to write it.
[[gnu::weak]] int __llvm_profile_write_file(void);

static void coverage_write(void) {
    if (__llvm_profile_write_file != nullptr) {
        (void)__llvm_profile_write_file();
    }
}

// Run `body` in a child; true when it finished, else shared->message tells why not.
static bool in_new_process(const struct property_options *options, void (*body)(const struct property_options *options),
                           bool silent) {
    fflush(nullptr);
    pid_t child = fork();
    if (child == 0) {
        in_child = true;
        if (silent) {
            int null = open("/dev/null", O_WRONLY);
            dup2(null, STDERR_FILENO);
        }
        signal(SIGABRT, SIG_DFL); // not the test framework's
        signal(SIGSEGV, SIG_DFL);
        body(options);
        coverage_write();
        _exit(FINISHED);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) < 0) {
        perror("fork");
        abort();
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == FINISHED) {
        return true;
    }
    if (shared->message[0] == 0) {
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
            snprintf(shared->message, sizeof shared->message, "it does not end");
        } else if (WIFSIGNALED(status)) {
            snprintf(shared->message, sizeof shared->message, "ended by signal %d (%s)", WTERMSIG(status),
                     strsignal(WTERMSIG(status)));
        } else {
            snprintf(shared->message, sizeof shared->message, "exited with status %d", WEXITSTATUS(status));
        }
    }
    return false;
}

static unsigned first_case;

static void run_cases(const struct property_options *options) {
    for (unsigned i = first_case; i < options->cases || shared->operations < options->operations; i++) {
        begin_case(shared, i, options->seed);
        alarm(options->seconds_per_case == 0 ? 60 : options->seconds_per_case);
        uint64_t before = shared->operations;
        options->run(shared);
        shared->operations += shared->operations == before;
    }
}

static void replay_once(const struct property_options *options) {
    alarm(options->seconds_per_case == 0 ? 20 : options->seconds_per_case);
    options->run(shared);
}

// ---- shrinking
// -------------------------------------------------------------------------------------------------------

static struct property_choice *best, *trial; // tapes
static size_t best_length;
static struct timespec began;
static bool as_found; // not to be made smaller

static bool simpler_than_best(void) {
    if (shared->length != best_length) {
        return shared->length < best_length;
    }
    for (size_t i = 0; i < best_length; i++) {
        if (shared->tape[i].value != best[i].value) {
            return shared->tape[i].value < best[i].value;
        }
    }
    return false;
}

static bool may_go_on(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return !as_found && result->attempts < ATTEMPTS_MAX && now.tv_sec - began.tv_sec < SHRINK_SECONDS;
}

static void keep(void) {
    best_length = shared->length;
    memcpy(best, shared->tape, best_length * sizeof *best);
    memcpy(result->message, shared->message, sizeof result->message);
    memcpy(result->notes, shared->notes, sizeof result->notes);
}

// Replay the first `length` values of trial; keep them if they fail too and are simpler.
static bool attempt(const struct property_options *options, size_t length, bool always_keep) {
    result->attempts++;
    begin_case(shared, shared->number, 0);
    memcpy(shared->tape, trial, length * sizeof *trial);
    shared->replay = true;
    shared->given = length;
    if (in_new_process(options, replay_once, true) || (!always_keep && !simpler_than_best())) {
        return false;
    }
    keep();
    return true;
}

static bool leave_out(const struct property_options *options, size_t at, size_t size) {
    memcpy(trial, best, at * sizeof *trial);
    memcpy(trial + at, best + at + size, (best_length - at - size) * sizeof *trial);
    return attempt(options, best_length - size, false);
}

// Big blocks in steps of their size, small ones at every place.
static void leave_out_blocks(const struct property_options *options) {
    for (size_t size = best_length; size > 0; size = size > 8 ? size / 2 : size - 1) {
        size_t step = size > 8 ? size : 1;
        for (size_t at = best_length; may_go_on();) {
            at = at < best_length ? at : best_length;
            if (at >= size) {
                leave_out(options, at - size, size);
            }
            if (at <= step) {
                break;
            }
            at -= step;
        }
    }
}

static bool try_value(const struct property_options *options, size_t at, uint64_t value) {
    memcpy(trial, best, best_length * sizeof *trial);
    trial[at].value = value;
    return attempt(options, best_length, false);
}

static void lower_values(const struct property_options *options) {
    for (size_t i = 0; i < best_length && may_go_on(); i++) {
        if (best[i].value == 0 || try_value(options, i, 0)) {
            continue;
        }
        uint64_t low = 0; // does not fail; best[i].value does
        while (i < best_length && best[i].value - low > 1 && may_go_on()) {
            uint64_t middle = low + (best[i].value - low) / 2;
            if (!try_value(options, i, middle)) {
                low = middle;
            }
        }
    }
}

// Sums: what an earlier choice loses, a later one of the same name gains.
static void move_values(const struct property_options *options) {
    enum { SHORT = 64, NEAR = 8 };
    for (size_t i = 0; i < best_length && best_length <= SHORT; i++) {
        unsigned tried = 0;
        for (size_t j = i + 1; j < best_length && best[i].value > 0 && tried < NEAR && may_go_on(); j++) {
            uint64_t room = best[j].bound - 1 - best[j].value;
            if (strcmp(best[i].label, best[j].label) != 0 || room == 0) {
                continue;
            }
            uint64_t moved = best[i].value < room ? best[i].value : room;
            memcpy(trial, best, best_length * sizeof *trial);
            trial[i].value -= moved;
            trial[j].value += moved;
            attempt(options, best_length, false);
            tried++;
        }
    }
}

static void shrink(const struct property_options *options) {
    best = malloc(PROPERTY_TAPE_MAX * sizeof *best);
    trial = malloc(PROPERTY_TAPE_MAX * sizeof *trial);
    clock_gettime(CLOCK_MONOTONIC, &began);
    result->attempts = 0;
    keep();
    // The same once more: a case that fails only after others is shown as it is.
    memcpy(trial, best, best_length * sizeof *trial);
    if (attempt(options, best_length, true)) {
        for (;;) {
            size_t length = best_length;
            memcpy(trial, best, length * sizeof *trial);
            uint64_t before = 0, after = 0;
            for (size_t i = 0; i < best_length; i++) {
                before = mix(before ^ best[i].value);
            }
            leave_out_blocks(options);
            lower_values(options);
            move_values(options);
            for (size_t i = 0; i < best_length; i++) {
                after = mix(after ^ best[i].value);
            }
            if ((best_length == length && before == after) || !may_go_on()) {
                break;
            }
        }
    } else {
        strncat(result->message, " (only after the cases before it)",
                sizeof result->message - strlen(result->message) - 1);
    }
    result->length = best_length;
    memcpy(result->tape, best, best_length * sizeof *best);
    free(best);
    free(trial);
}

const struct property_result *property_search(const struct property_options *options) {
    if (shared == nullptr) {
        shared = mmap(nullptr, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (shared == MAP_FAILED) {
            perror("mmap");
            abort();
        }
        result = calloc(1, sizeof *result);
    }
    shared->choices = 0;
    shared->operations = 0;
    result->failed = !in_new_process(options, run_cases, options->quiet);
    result->choices = shared->choices;
    result->operations = shared->operations;
    result->cases = shared->number + 1 - first_case;
    if (result->failed) {
        result->failed_case = shared->number;
        shrink(options);
    }
    return result;
}

static void replay_here(const char *tape, void (*run)(struct property *p)) {
    shared = calloc(1, sizeof *shared);
    begin_case(shared, 0, 0);
    shared->replay = true;
    for (const char *at = tape; *at != 0;) {
        char *end;
        shared->tape[shared->given++].value = strtoull(at, &end, 0);
        at = *end == ',' ? end + 1 : end;
    }
    run(shared);
    fprintf(stderr, "%sthe tape holds\n", shared->notes);
}

bool property_run(const char *name, unsigned cases, void (*run)(struct property *p)) {
    struct property_options options = {.name = name, .cases = cases, .run = run, .seed = 1};
    for (const char *at = name; *at != 0; at++) {
        options.seed = mix(options.seed ^ (unsigned char)*at);
    }
    const char *text = getenv("ISTHMUS_TAPE");
    if (text != nullptr) {
        replay_here(text, run);
        return true;
    }
    if ((text = getenv("ISTHMUS_SEED")) != nullptr) {
        options.seed = strtoull(text, nullptr, 0);
    }
    if ((text = getenv("ISTHMUS_CASES")) != nullptr) {
        options.cases = (unsigned)strtoul(text, nullptr, 0);
    }
    if ((text = getenv("ISTHMUS_OPERATIONS")) != nullptr) {
        options.operations = strtoull(text, nullptr, 0);
    }
    as_found = (text = getenv("ISTHMUS_SHRINK")) != nullptr && strcmp(text, "0") == 0;
    first_case = 0;
    if ((text = getenv("ISTHMUS_CASE")) != nullptr) {
        first_case = (unsigned)strtoul(text, nullptr, 0);
        options.cases = first_case + 1;
        options.operations = 0;
    }
    const struct property_result *found = property_search(&options);
    if (options.operations != 0) {
        fprintf(stderr, "# property %s: %llu operations in %u cases\n", name, (unsigned long long)found->operations,
                found->cases);
    }
    if (!found->failed) {
        return true;
    }
    fprintf(stderr, "property %s: %s\n", name, found->message);
    fprintf(stderr, "again: ISTHMUS_SEED=%#llx ISTHMUS_CASE=%u; shrunk in %u attempts to\nISTHMUS_TAPE=",
            (unsigned long long)options.seed, found->failed_case, found->attempts);
    for (size_t i = 0; i < found->length; i++) {
        fprintf(stderr, "%s%llu", i == 0 ? "" : ",", (unsigned long long)found->tape[i].value);
    }
    fputc('\n', stderr);
    for (size_t i = 0; i < found->length && i < 400; i++) {
        fprintf(stderr, "  %s %llu of %llu\n", found->tape[i].label, (unsigned long long)found->tape[i].value,
                (unsigned long long)found->tape[i].bound);
    }
    fputs(found->notes, stderr);
    begin_case(shared, 0, 0); // once more, aloud
    memcpy(shared->tape, found->tape, found->length * sizeof *found->tape);
    shared->replay = true;
    shared->given = found->length;
    in_new_process(&options, replay_once, false);
    return false;
}
