// random-calls: make system calls at random, valid and invalid, from processes of an ordinary user, and see that the
// system is alive afterwards. Each round is a child that makes its share of the calls in a sandbox directory; most end
// by a fault or an exit that they chose at random, which is as good as any other end. Arguments are drawn by their type:
// mostly plausible ones (a call that is refused at its first argument tests little), with every kind of nonsense mixed
// in. The seed and the number of the round determine everything but timing.
#include "../support/draw.h"
#include "abi/shapes.h"
#include "base/format.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/str.h"
#include "isthmus/calls.h"
#include "lib/clock.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/memory.h"
#include "lib/option.h"
#include "lib/print.h"
#include "lib/process.h"
#include "lib/self.h"
#include "lib/spawn.h"

static const struct option options[] = {{'s', "seed", "N", "seed, 1 if not given"},
                                        {'r', "round", "N", "calls in one round, 20000 if not given"},
                                        {'c', "child", "N", "(make the calls of round N)"},
                                        {}};
static const struct program program = {"[-s SEED] [-r CALLS] CALLS", "Make system calls at random.", options};

static char sandbox[32]; // the directory where the calls are made, one for each seed
enum { USER = 1000, ROUND_SECONDS = 120, EXIT_UNPREPARED = 99 };

// ---- the child ------------------------------------------------------------------------------------------------------

static uint64_t random_state;

static uint64_t draw(void) {
    return draw_next(&random_state);
}

static uint64_t below(uint64_t limit) {
    return draw_below(&random_state, limit);
}

static bool one_in(uint64_t n) {
    return below(n) == 0;
}

enum { KNOWN = 64 };
static uint64_t known[KNOWN]; // handles that calls gave, some closed since
static uint64_t known_count;

static void remember(uint64_t handle) {
    known[known_count < KNOWN ? known_count++ : below(KNOWN)] = handle;
}

// Memory that the kernel may write to, with nothing mapped behind it.
static char *scratch;
enum { SCRATCH = 4 * PAGE_SIZE };

static const char *const paths[] = {"",         "/",          "a",       "b",       "a/b",  "c",         "a/../b",
                                    "..",       "//a///b",    "link",    "a/c",     "chan", "chan/data", "chan/stats",
                                    "chan/ctl", "chan2/data", "deep/er", "nowhere", "a\0b", ".",         "/kern/stage"};

static uint64_t nonsense(void) {
    static const uint64_t edges[] = {0,
                                     1,
                                     UINT64_MAX,
                                     INT64_MAX,
                                     (uint64_t)INT64_MIN,
                                     UINT32_MAX,
                                     (uint64_t)UINT32_MAX + 1,
                                     INT32_MAX,
                                     0x00007fffffffffff,
                                     0x0000800000000000,
                                     0xffff800000000000,
                                     0xffffffff80000000,
                                     0xfffffffffffff000};
    uint64_t value = one_in(2) ? edges[below(sizeof edges / sizeof *edges)] : draw() >> below(64);
    return one_in(4) ? value + below(17) - 8 : value;
}

static uint64_t draw_handle(void) {
    return known_count > 0 && !one_in(10) ? known[below(known_count)] : nonsense();
}

static uint64_t draw_u32(void) {
    switch (below(8)) {
    case 0:
        return nonsense();
    case 1:
    case 2:
        return below(20);
    case 3:
        return below(0x800); // open flags, modes
    case 4:
        return below(0x100); // rights
    case 5:
        return (uint64_t)1 << below(12);
    default:
        return below(8);
    }
}

static uint64_t draw_length(void) {
    static const uint64_t lengths[] = {0, 1, 2, 3, 16, 31, 32, 63, 64, 255, 256, 257, 4095, 4096, 4097, 65536, 65537};
    return one_in(12) ? nonsense() : lengths[below(sizeof lengths / sizeof *lengths)];
}

static uint64_t draw_address(void) {
    switch (below(6)) {
    case 0:
        return nonsense();
    case 1:
        return 0;
    case 2:
        return (uint64_t)(uintptr_t)scratch + below(SCRATCH);
    default:
        return 0x100000000 + below(1 << 16) * PAGE_SIZE; // a range that the child maps and unmaps
    }
}

static uint64_t draw_out(void) {
    switch (below(12)) {
    case 0:
        return nonsense();
    case 1:
        return (uint64_t)(uintptr_t)draw; // program text
    case 2:
        return (uint64_t)(uintptr_t)scratch + SCRATCH - below(64); // runs into nothing
    default:
        return (uint64_t)(uintptr_t)scratch + below(8) * 256;
    }
}

// A path and its length, or bytes that are anything.
static uint64_t draw_in(uint64_t *length) {
    if (one_in(10)) {
        *length = draw_length();
        return draw_out();
    }
    if (one_in(3)) {
        for (int i = 0; i < 8; i++) {
            ((uint64_t *)scratch)[below(64)] = one_in(2) ? draw_u32() : draw_handle();
        }
        *length = draw_length();
        return (uint64_t)(uintptr_t)scratch;
    }
    const char *path = paths[below(sizeof paths / sizeof *paths)];
    *length = strlen(path) + (one_in(20) ? below(300) : 0);
    return (uint64_t)(uintptr_t)path;
}

// Draw the arguments of a call.
static void draw_arguments(uint32_t number, uint64_t arg[6]) {
    const struct call_shape *shape = &call_shapes[number];
    uint64_t length = 0;
    for (int i = 0; i < 6; i++) {
        switch (shape->arg[i]) {
        case SHAPE_HANDLE:
            arg[i] = draw_handle();
            break;
        case SHAPE_U32:
        case SHAPE_I32:
            arg[i] = draw_u32();
            break;
        case SHAPE_U64:
            arg[i] = i > 0 && shape->arg[i - 1] == SHAPE_IN && !one_in(20) ? length : draw_length();
            break;
        case SHAPE_ADDRESS:
            arg[i] = draw_address();
            break;
        case SHAPE_IN:
            arg[i] = draw_in(&length);
            break;
        case SHAPE_OUT:
            arg[i] = draw_out();
            break;
        case SHAPE_NONE:
            arg[i] = nonsense();
            break;
        }
    }
}

// Whether a call's result is a handle.
static bool gives_handle(uint32_t number) {
    switch (number) {
    case CALL_DUP:
    case CALL_OPEN:
    case CALL_CHANNEL_CREATE:
    case CALL_CONNECT:
    case CALL_ATTACH:
    case CALL_PROCESS_CREATE:
    case CALL_THREAD_CREATE:
    case CALL_PAGES_CREATE:
    case CALL_NOTIFIER_CREATE:
        return true;
    default:
        return false;
    }
}

static void one_call(void) {
    uint64_t number = below(CALL_COUNT + 1);
    bool last = number == CALL_EXIT || number == CALL_THREAD_EXIT || number == CALL_KILL;
    if (last && !one_in(2000)) {
        number = CALL_OPEN;
    }
    uint64_t arg[6] = {};
    if (number < CALL_COUNT) {
        draw_arguments((uint32_t)number, arg);
    }
    number = one_in(200) ? nonsense() : number;
    uint64_t soon = one_in(2) ? 0 : clock_now() + below(MILLISECOND); // a round has to end
    if (number == CALL_WAIT || number == CALL_TAKE) {
        arg[2] = soon;
    } else if (number == CALL_CALL || number == CALL_REPLY_WAIT) {
        arg[1] |= CALL_TIMED;
        arg[4] = soon;
    }
    if (number == CALL_CLOSE && arg[0] == known[0] && !one_in(50)) {
        return; // without the directory, little is left to do
    }
    uint64_t results[4];
    uint64_t message[MESSAGE_WORDS] = {draw_handle(), nonsense()}; // some calls change it, whatever they say
    long status = arch_call_message(number, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5], message, results);
    if (status > 0 && number < CALL_COUNT && gives_handle((uint32_t)number)) {
        remember((uint64_t)status);
    }
}

// Make the calls; what is done is counted in memory shared with the parent.
static int child(uint64_t calls) {
    uint64_t address;
    long status = sys_map(self_process(), self_handle(0), 0, 0, PAGE_SIZE, PROT_READ | PROT_WRITE, &address);
    if (status < 0) {
        (void)error_report("progress", status);
        return EXIT_UNPREPARED;
    }
    volatile uint64_t *progress = (uint64_t *)address;
    long pages = sys_pages_create(SCRATCH);
    status =
        pages < 0 ? pages : sys_map(self_process(), (handle_t)pages, 0, 0, SCRATCH, PROT_READ | PROT_WRITE, &address);
    if (status < 0) {
        (void)error_report("scratch", status);
        return EXIT_UNPREPARED;
    }
    scratch = (char *)address;
    long directory = file_open(sandbox, OPEN_READ | OPEN_WRITE | OPEN_DIR, 0);
    if (directory < 0) {
        (void)error_report(sandbox, directory);
        return EXIT_UNPREPARED;
    }
    known[known_count++] = (uint64_t)directory;
    remember(self_process());
    remember((uint64_t)pages);
    for (uint64_t i = 0; i < calls; i++) {
        one_call();
        *progress = i + 1;
    }
    return 0;
}

// ---- the parent -----------------------------------------------------------------------------------------------------

static void remove_tree(const char *path) { // NOLINT(misc-no-recursion): as deep as the paths above
    struct abi_dirent *entries;
    long count = file_list(path, &entries);
    for (long i = 0; i < count; i++) {
        char below_path[PATH_LEN_MAX + 1];
        if (format(below_path, sizeof below_path, "%s/%s", path, entries[i].name) < sizeof below_path) {
            if (entries[i].stat.kind == NODE_DIR) {
                remove_tree(below_path);
            } else {
                (void)file_remove(below_path);
            }
        }
    }
    if (count >= 0) {
        free(entries);
    }
    (void)file_remove(path);
}

// One round; the number of calls that the child made, or an error.
static long run_round(uint64_t seed, uint64_t round, uint64_t calls, int *status) {
    long pages = sys_pages_create(PAGE_SIZE);
    if (pages < 0) {
        return pages;
    }
    remove_tree(sandbox);
    long made = file_make_dir(sandbox, 0777);
    made = made == 0 ? file_set_mode(sandbox, 0777) : made;
    if (made < 0) {
        (void)sys_close((handle_t)pages);
        return made;
    }
    char texts[3][24];
    (void)format(texts[0], sizeof texts[0], "%lu", (unsigned long)seed);
    (void)format(texts[1], sizeof texts[1], "%lu", (unsigned long)round);
    (void)format(texts[2], sizeof texts[2], "%lu", (unsigned long)calls);
    char *arguments[] = {"random-calls", "-s", texts[0], "-c", texts[1], texts[2], nullptr};
    handle_t handles[] = {(handle_t)pages};
    struct spawn spawn = {.path = "/test/random-calls",
                          .error = self_error(),
                          .arguments = arguments,
                          .handles = handles,
                          .handle_count = 1,
                          .other_identity = true,
                          .owner = USER,
                          .group = USER};
    long process = spawn_program(&spawn);
    long done = process;
    if (process >= 0) {
        struct abi_process_info info;
        done = process_wait((handle_t)process, clock_deadline(ROUND_SECONDS * SECOND), &info);
        *status = done == 0 ? process_status(&info) : -1;
        if (done == ERR_TIMED_OUT) { // it hangs: that is a failure, but not one of the rounds and tests after it
            (void)sys_kill((handle_t)process, 1);
            (void)process_wait((handle_t)process, FOREVER, &info);
        }
        (void)sys_close((handle_t)process);
        uint64_t count = 0;
        if (done == 0) {
            done = sys_read((handle_t)pages, &count, sizeof count, 0);
        }
        if (done >= 0) {
            done = count <= calls ? (long)count : 0;
        }
    }
    (void)sys_close((handle_t)pages);
    return done;
}

static int parent(uint64_t seed, uint64_t calls, uint64_t share) {
    uint64_t made = 0, rounds = 0, faults = 0;
    while (made < calls) {
        int status = 0;
        uint64_t left = calls - made;
        long done = run_round(seed, rounds, left < share ? left : share, &status);
        bool unprepared = status == EXIT_UNPREPARED && done == 0; // else it chose that status at random
        if (done < 0 || unprepared) {
            print("seed %lu, round %lu: ", (unsigned long)seed, (unsigned long)rounds);
            print_flush();
            return unprepared ? error_say("the child could not prepare") : error_report("round", done);
        }
        faults += status == STATUS_FAULTED;
        made += (uint64_t)done;
        rounds++;
    }
    remove_tree(sandbox);
    print("%lu calls in %lu rounds, %lu of which ended by a fault\n", (unsigned long)made, (unsigned long)rounds,
          (unsigned long)faults);
    return 0;
}

int main(int argc, char **argv) {
    uint64_t seed = 1, share = 20000, round = 0;
    bool is_child = false;
    struct option_state state = option_begin(&program, argc, argv);
    for (int option; (option = option_next(&state)) != 0;) {
        if (option == 's') {
            seed = option_number(&state, 0, UINT64_MAX);
        } else if (option == 'r') {
            share = option_number(&state, 1, UINT32_MAX);
        } else {
            is_child = true;
            round = option_number(&state, 0, UINT64_MAX);
        }
    }
    option_operands(&state, 1, 1);
    uint64_t calls = option_operand_number(state.argv[0], 1, UINT64_MAX);
    (void)format(sandbox, sizeof sandbox, "/tmp/random%lu", (unsigned long)seed);
    if (!is_child) {
        return parent(seed, calls, share);
    }
    random_state = hash_u64(seed * 0x10001 + round);
    return child(calls);
}
