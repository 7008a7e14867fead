// fast-hammer: threads on as many CPUs as there are make calls that have fast paths, all at once, so that CPUs wait for the
// kernel lock there, and rest until it is their turn, while interrupts come: those of the lock, of preemption, and of the
// shoot-downs that another thread causes all the time by unmapping. Nothing of that may be seen: each call returns to where
// it was made, with the answer that it must have, the stack and the message words in place.
#include "isthmus/calls.h"
#include "lib/clock.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/memory.h"
#include "lib/option.h"
#include "lib/print.h"
#include "lib/self.h"
#include "lib/thread.h"
#include "lib/wait.h"

enum { GROUPS_MAX = 8, KINDS = 5, MAPPED = 128 * 4096 };

static const struct option options[] = {{'g', "groups", "N", "so many groups of threads, 2 if not given"},
                                        {'n', "count", "N", "rounds of each thread, 2000 if not given"},
                                        {}};
static const struct program program = {"[-g N] [-n N]", "Check calls by fast paths, on several CPUs at once.", options};

// A client and its server, one who signals, polls and takes alone, and two who do so to each other.
struct group {
    uint64_t index;
    handle_t channel, connection, own, there, back;
};

static uint64_t count = 2000;
static struct group groups[GROUPS_MAX];
static uint64_t failures;
static bool finished;

static void expect(const struct group *group, const char *what, uint64_t round, long got, long wanted) {
    if (got != wanted && __atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED) < 20) {
        print("group %lu, round %lu: %s is %ld, not %ld\n", (unsigned long)group->index, (unsigned long)round, what,
              got, wanted);
    }
}

static void set_words(const struct group *group, uint64_t round, uint64_t kind, uint64_t *word) {
    for (unsigned i = 0; i < MESSAGE_WORDS; i++) {
        word[i] = group->index << 48 | kind << 40 | (uint64_t)i << 32 | round;
    }
}

static void check_words(const struct group *group, uint64_t round, uint64_t kind, const uint64_t *word) {
    uint64_t wanted[MESSAGE_WORDS];
    set_words(group, round, kind, wanted);
    for (unsigned i = 0; i < MESSAGE_WORDS; i++) {
        expect(group, "a message word", round, (long)word[i], (long)wanted[i]);
    }
}

static void be_client(void *argument) {
    const struct group *group = argument;
    for (uint64_t round = 0; round < count; round++) {
        uint64_t word[MESSAGE_WORDS];
        set_words(group, round, 1, word);
        expect(group, "the status of call", round, sys_call(group->connection, 0, 0, 0, 0, word, nullptr), 0);
        check_words(group, round, 2, word);
    }
}

static void be_server(void *argument) {
    const struct group *group = argument;
    struct abi_process_info info;
    uint64_t word[MESSAGE_WORDS] = {};
    expect(group, "the status of process_info", 0, sys_process_info(self_process(), &info), 0);
    for (uint64_t round = 0; round < count; round++) {
        long status = sys_reply_wait(group->channel, 0, 0, 0, 0, word, nullptr, nullptr);
        expect(group, "the status of reply_wait", round, status, (long)info.pid);
        check_words(group, round, 1, word);
        set_words(group, round, 2, word);
    }
    expect(group, "the status of the last reply", count,
           sys_reply_wait(group->channel, CALL_REPLY_ONLY, 0, 0, 0, word, nullptr, nullptr), 0);
}

static void be_alone(void *argument) {
    const struct group *group = argument;
    for (uint64_t round = 0; round < count; round++) {
        uint64_t bits = round % 1000 + 1, got = 0;
        expect(group, "the version", round, sys_abi_version(), ABI_VERSION);
        expect(group, "the status of a poll", round, sys_take(group->own, UINT64_MAX, 0, &got), ERR_TIMED_OUT);
        expect(group, "the status of signal", round, sys_signal(group->own, bits), 0);
        expect(group, "the status of take", round, sys_take(group->own, UINT64_MAX, 0, &got), 0);
        expect(group, "what was taken", round, (long)got, (long)bits);
        expect(group, "the status of yield", round, sys_yield(), 0);
    }
}

static void ring(const struct group *group, handle_t bell, uint64_t round) {
    expect(group, "the status of a bell's signal", round, sys_signal(bell, round % 7 + 1), 0);
}

static void await(const struct group *group, handle_t bell, uint64_t round) {
    uint64_t got = 0;
    expect(group, "the status of waiting for a bell", round, sys_take(bell, UINT64_MAX, FOREVER, &got), 0);
    expect(group, "what a bell said", round, (long)got, (long)(round % 7 + 1));
}

static void be_first(void *argument) {
    const struct group *group = argument;
    for (uint64_t round = 0; round < count; round++) {
        ring(group, group->there, round);
        await(group, group->back, round);
    }
}

static void be_second(void *argument) {
    const struct group *group = argument;
    for (uint64_t round = 0; round < count; round++) {
        await(group, group->there, round);
        ring(group, group->back, round);
    }
}

// What holds the lock for long, and interrupts all others: memory that is touched and given back.
static void disturb(void *) {
    static const struct group nobody = {};
    for (uint64_t round = 0; !__atomic_load_n(&finished, __ATOMIC_ACQUIRE); round++) {
        volatile char *memory = memory_map(MAPPED);
        expect(&nobody, "memory that is there", round, memory != nullptr, true);
        for (unsigned i = 0; memory != nullptr && i < MAPPED; i += 4096) {
            expect(&nobody, "fresh memory", round, memory[i], 0);
            memory[i] = 1;
        }
        memory_unmap((void *)memory);
    }
}

static long make(struct group *group) {
    long made[] = {sys_channel_create(0, "", 0, nullptr), sys_notifier_create(0), sys_notifier_create(0),
                   sys_notifier_create(0)};
    for (unsigned i = 0; i < sizeof made / sizeof made[0]; i++) {
        if (made[i] < 0) {
            return made[i];
        }
    }
    group->channel = (handle_t)made[0];
    group->own = (handle_t)made[1];
    group->there = (handle_t)made[2];
    group->back = (handle_t)made[3];
    long connection = sys_connect(group->channel, RIGHT_CALL);
    group->connection = (handle_t)connection;
    return connection;
}

int main(int argc, char **argv) {
    static void (*const body[KINDS])(void *) = {be_server, be_client, be_alone, be_first, be_second};
    handle_t thread[GROUPS_MAX * KINDS];
    uint64_t group_count = 2;
    struct option_state state = option_begin(&program, argc, argv);
    for (int option; (option = option_next(&state)) != 0;) {
        if (option == 'g') {
            group_count = option_number(&state, 1, GROUPS_MAX);
        } else {
            count = option_number(&state, 1, UINT32_MAX);
        }
    }
    option_operands(&state, 0, 0);
    long status = 0;
    for (uint64_t i = 0; status >= 0 && i < group_count; i++) {
        groups[i].index = i + 1;
        status = make(&groups[i]);
    }
    long disturber = status < 0 ? status : thread_start(disturb, nullptr, 0);
    status = disturber;
    unsigned started = 0;
    for (uint64_t i = 0; status >= 0 && i < group_count * KINDS; i++) {
        status = thread_start(body[i % KINDS], &groups[i / KINDS], 0);
        thread[started++] = (handle_t)status;
    }
    if (status < 0) {
        return error_report("starting", status);
    }
    for (unsigned i = 0; status >= 0 && i < started; i++) {
        status = wait_for(thread[i], EVENT_EXITED, FOREVER);
    }
    __atomic_store_n(&finished, true, __ATOMIC_RELEASE);
    status = status < 0 ? status : wait_for((handle_t)disturber, EVENT_EXITED, FOREVER);
    if (status < 0) {
        return error_report("waiting", status);
    }
    print("%lu rounds, %lu failures\n", (unsigned long)count, (unsigned long)failures);
    return failures > 0;
}
