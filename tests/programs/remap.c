// remap: change what is mapped at one address again and again while other threads of this process, on other processors,
// read there. A processor that keeps a translation of what was unmapped shows the pages of an earlier round.
#include "isthmus/calls.h"
#include "lib/option.h"
#include "lib/print.h"
#include "lib/self.h"
#include "lib/thread.h"

static const struct program program = {"READERS ROUNDS", "Remap pages under readers on other processors.", nullptr};

enum { READERS_MAX = 16, PAGES_FEW = 2, PAGES_MANY = 80 };
constexpr uint64_t PLACE = 0x60000000;

// Even: the round whose pages are in place, doubled. Odd: nothing is, and whoever has seen that does not touch it.
static uint64_t phase = 1;
static uint64_t seen[READERS_MAX]; // by reader: the last phase it acted upon
static uint64_t stale;             // reads that gave another round's value

static void read_all(uint64_t now, uint64_t pages) {
    for (uint64_t page = 0; page < pages; page++) {
        uint64_t value = *(volatile uint64_t *)(PLACE + page * PAGE_SIZE);
        if (value != now && __atomic_load_n(&phase, __ATOMIC_ACQUIRE) == now) {
            __atomic_fetch_add(&stale, 1, __ATOMIC_RELAXED);
        }
    }
}

static uint64_t pages_in(uint64_t now) {
    return now % 4 == 0 ? PAGES_FEW : PAGES_MANY;
}

static void reader(void *argument) {
    uint64_t *mine = argument;
    for (;;) {
        uint64_t now = __atomic_load_n(&phase, __ATOMIC_ACQUIRE);
        if (now % 2 == 0) {
            read_all(now, pages_in(now));
        }
        __atomic_store_n(mine, now, __ATOMIC_RELEASE);
    }
}

static void announce(uint64_t next, unsigned readers) {
    __atomic_store_n(&phase, next, __ATOMIC_RELEASE);
    for (unsigned i = 0; i < readers; i++) {
        while (__atomic_load_n(&seen[i], __ATOMIC_ACQUIRE) != next) {
            (void)sys_yield();
        }
    }
}

static long place(uint64_t now) {
    long pages = sys_pages_create(pages_in(now) * PAGE_SIZE);
    if (pages < 0) {
        return pages;
    }
    for (uint64_t page = 0; page < pages_in(now); page++) {
        (void)sys_write((handle_t)pages, &now, sizeof now, page * PAGE_SIZE);
    }
    long status = sys_map(self_process(), (handle_t)pages, PLACE, 0, pages_in(now) * PAGE_SIZE, PROT_READ, nullptr);
    (void)sys_close((handle_t)pages); // unmapping frees the pages, and the next round gets them
    return status;
}

int main(int argc, char **argv) {
    struct option_state state = option_begin(&program, argc, argv);
    (void)option_next(&state);
    option_operands(&state, 2, 2);
    unsigned readers = (unsigned)option_operand_number(state.argv[0], 1, READERS_MAX);
    uint64_t rounds = option_operand_number(state.argv[1], 1, 1000000);
    for (unsigned i = 0; i < readers; i++) {
        if (thread_start(reader, &seen[i], 0) < 0) {
            print("no thread\n");
            return 1;
        }
    }
    for (uint64_t round = 1; round <= rounds; round++) {
        if (place(2 * round) < 0) {
            print("round %llu: cannot map\n", (unsigned long long)round);
            return 1;
        }
        announce(2 * round, readers);
        announce(2 * round + 1, readers);
        if (sys_unmap(self_process(), PLACE) < 0) {
            print("round %llu: cannot unmap\n", (unsigned long long)round);
            return 1;
        }
    }
    print("%llu rounds, %llu stale\n", (unsigned long long)rounds, (unsigned long long)stale);
    return stale > 0;
}
