// A thread as the CPU that is started, and one as who starts it and loses patience at times: both are always of one mind
// about whether it has come, and what each wrote before is there for the other. Built with ThreadSanitizer.
#define _POSIX_C_SOURCE 200809L // barriers
#include <pthread.h>
#include <sched.h>
#include <stdio.h>

#include "kernel/include/arrival.h"

enum { ROUNDS = 20000, TURNS_MAX = 60 };

static enum arrival arrival;
static pthread_barrier_t round_begins, round_ends;
static uint64_t asked_with, came_with; // plain: the word orders them
static bool has_come;
static unsigned delay; // of the one that is started
static bool failed[2];

uint64_t arch_time_now(void) { // as many turns of waiting
    static uint64_t turns;
    return ++turns;
}

void host_cpu_relax(void) {
    sched_yield();
}

static void *started(void *) {
    for (uint64_t round = 1; round <= ROUNDS; round++) {
        pthread_barrier_wait(&round_begins);
        for (unsigned i = 0; i < delay; i++) {
            sched_yield();
        }
        bool able = round % 7 != 0;
        came_with = round;
        has_come = arrival_decide(&arrival, able ? ARRIVAL_COME : ARRIVAL_FAILED) && able;
        failed[0] |= has_come && asked_with != round;
        pthread_barrier_wait(&round_ends);
    }
    return nullptr;
}

int main(void) {
    pthread_t other;
    unsigned came = 0, given_up = 0, unable = 0;
    printf("1..1\n");
    pthread_barrier_init(&round_begins, nullptr, 2);
    pthread_barrier_init(&round_ends, nullptr, 2);
    if (pthread_create(&other, nullptr, started, nullptr) != 0) {
        printf("not ok 1 - no threads\n");
        return 1;
    }
    for (uint64_t round = 1; round <= ROUNDS; round++) {
        delay = (unsigned)(round * 7 % 11);
        pthread_barrier_wait(&round_begins);
        asked_with = round;
        arrival_write(&arrival, ARRIVAL_ASKED);
        bool good = arrival_await(&arrival, round * 13 % TURNS_MAX);
        failed[1] |= good && came_with != round;
        pthread_barrier_wait(&round_ends);
        failed[1] |= good != has_come || good != (arrival == ARRIVAL_COME);
        came += good;
        given_up += arrival == ARRIVAL_GIVEN_UP;
        unable += arrival == ARRIVAL_FAILED;
        arrival = ARRIVAL_NONE;
    }
    pthread_join(other, nullptr);
    bool right = !failed[0] && !failed[1] && came > 0 && given_up > 0 && came + given_up + unable == ROUNDS;
    printf("%s 1 - of %u CPUs %u came, %u could not, %u were given up\n", right ? "ok" : "not ok", ROUNDS, came, unable,
           given_up);
    return right ? 0 : 1;
}
