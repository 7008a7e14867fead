// The ring primitive on the workstation's own processor, against what others offer: Concurrency Kit's ring, a pipe, and a
// Unix socket of whole messages. Messages of 256 bytes, copied in and out. Two measurements, each repeated, in turn for
// each contestant, so that what disturbs the workstation disturbs all alike:
//
//   round trip   one thread puts a message in and takes it out
//   stream       one thread puts messages in, another takes them out; for who finds a ring full or empty, both rings spin,
//                and after a while yield
//
// Prints a line "MEASUREMENT CONTESTANT NANOSECONDS" for each: the median over the repetitions, per message. Built and run
// by scripts/bench native.
#include <ck_ring.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "ipc/ring.h"
#include "kernel/panic.h"

enum { SIZE = MESSAGE_MAX, DEPTH = CHANNEL_DEPTH, REPETITIONS = 31, TRIPS = 20000, STREAM = 50000, SPINS = 2000 };

struct message {
    uint64_t number;
    uint8_t rest[SIZE - sizeof(uint64_t)];
};

CK_RING_PROTOTYPE(message, message)

// Put one message in or take one out; false when there is no room or none is there.
struct contestant {
    const char *name;
    bool (*put)(const struct message *message);
    bool (*take)(struct message *message);
    bool waits; // by itself
};

[[noreturn]] static void fail(const char *what) {
    perror(what);
    exit(1);
}

// What a broken invariant of the ring calls.
void panic(const char *format, ...) {
    va_list args;
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    abort();
}

// ---- contestants -----------------------------------------------------------------------------------------------------

// Each side has cache lines of its own, as in a kernel queue the private ends have.
static alignas(64) struct ring_shared shared;
static alignas(64) struct ring_producer producer;
static alignas(64) struct ring_consumer consumer;

static bool ring_put(const struct message *message) {
    struct ring_header header = {.length = SIZE, .id = message->number};
    return ring_enqueue(&producer, &header, message) == RING_OK;
}

static bool ring_take_out(struct message *message) {
    struct ring_header header;
    return ring_dequeue(&consumer, &header, message, SIZE) == RING_OK;
}

static void ring_begin(void) {
    static struct ring_slot *page[DEPTH];
    for (uint32_t i = 0; i < ring_pages(DEPTH); i++) {
        page[i] = aligned_alloc(PAGE_SIZE, PAGE_SIZE);
        if (page[i] == nullptr) {
            fail("memory");
        }
        memset(page[i], 0, PAGE_SIZE);
    }
    ring_init(&shared);
    ring_init_producer(&producer, &shared, page, DEPTH, SIZE);
    ring_init_consumer(&consumer, &shared, page, DEPTH, SIZE);
}

static ck_ring_t ck;
static struct message ck_slots[DEPTH];

static bool ck_put(const struct message *message) {
    return ck_ring_enqueue_spsc_message(&ck, ck_slots, (struct message *)message);
}

static bool ck_take(struct message *message) {
    return ck_ring_dequeue_spsc_message(&ck, ck_slots, message);
}

static int pipe_ends[2];

static bool pipe_put(const struct message *message) {
    return write(pipe_ends[1], message, sizeof *message) == sizeof *message;
}

static bool pipe_take(struct message *message) {
    return read(pipe_ends[0], message, sizeof *message) == sizeof *message;
}

static int socket_ends[2];

static bool socket_put(const struct message *message) {
    return send(socket_ends[1], message, sizeof *message, 0) == sizeof *message;
}

static bool socket_take(struct message *message) {
    return recv(socket_ends[0], message, sizeof *message, 0) == sizeof *message;
}

static const struct contestant contestants[] = {
    {"isthmus-ring", ring_put, ring_take_out, false},
    {"ck-ring", ck_put, ck_take, false},
    {"pipe", pipe_put, pipe_take, true},
    {"unix-socket", socket_put, socket_take, true},
};
enum { CONTESTANTS = sizeof contestants / sizeof *contestants };

// ---- measurements ----------------------------------------------------------------------------------------------------

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void expect(const struct message *message, uint64_t number) {
    if (message->number != number) {
        (void)fprintf(stderr, "native: message %llu came as %llu\n", (unsigned long long)number,
                      (unsigned long long)message->number);
        exit(1);
    }
}

static double round_trip(const struct contestant *contestant) {
    struct message sent = {};
    struct message received = {};
    double begin = now();
    for (uint64_t i = 0; i < TRIPS; i++) {
        sent.number = i;
        if (!contestant->put(&sent) || !contestant->take(&received)) {
            fail(contestant->name);
        }
        expect(&received, i);
    }
    return (now() - begin) / TRIPS;
}

static void hold_on(unsigned *spins) {
    if (++*spins < SPINS) {
        ck_pr_stall();
    } else {
        *spins = 0;
        (void)sched_yield();
    }
}

static void *produce(void *argument) {
    const struct contestant *contestant = argument;
    struct message message = {};
    unsigned spins = 0;
    for (uint64_t i = 0; i < STREAM; i++) {
        message.number = i;
        while (!contestant->put(&message)) {
            if (contestant->waits) {
                fail(contestant->name);
            }
            hold_on(&spins);
        }
    }
    return nullptr;
}

static double stream(const struct contestant *contestant) {
    struct message message = {};
    pthread_t thread;
    unsigned spins = 0;
    double begin = now();
    if (pthread_create(&thread, nullptr, produce, (void *)contestant) != 0) {
        fail("thread");
    }
    for (uint64_t i = 0; i < STREAM; i++) {
        while (!contestant->take(&message)) {
            if (contestant->waits) {
                fail(contestant->name);
            }
            hold_on(&spins);
        }
        expect(&message, i);
    }
    double time = now() - begin;
    (void)pthread_join(thread, nullptr);
    return time / STREAM;
}

static int compare(const void *a, const void *b) {
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

static void measure(const char *name, double (*how)(const struct contestant *contestant)) {
    static double times[CONTESTANTS][REPETITIONS];
    for (unsigned repetition = 0; repetition <= REPETITIONS; repetition++) {
        for (unsigned i = 0; i < CONTESTANTS; i++) {
            double time = how(&contestants[i]);
            if (repetition > 0) { // the first warms up
                times[i][repetition - 1] = time;
            }
        }
    }
    for (unsigned i = 0; i < CONTESTANTS; i++) {
        qsort(times[i], REPETITIONS, sizeof(double), compare);
        printf("%s %s %.2f\n", name, contestants[i].name, times[i][REPETITIONS / 2]);
    }
}

int main(void) {
    ring_begin();
    ck_ring_init(&ck, DEPTH);
    if (pipe(pipe_ends) != 0 || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, socket_ends) != 0) {
        fail("pipe or socket");
    }
    measure("round-trip", round_trip);
    measure("stream", stream);
    return 0;
}
