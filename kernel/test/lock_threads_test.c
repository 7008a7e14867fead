// Real threads as CPUs around the kernel lock and TLB shoot-downs: built with ThreadSanitizer, which reports any access
// that those do not order. The port below is this file: an interrupt is a flag behind a mutex, a translation is a plain
// variable that only the protocol of tlb.h keeps apart from the page table's entry.
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernel/cpu.h"
#include "kernel/lock.h"
#include "kernel/panic.h"
#include "kernel/tlb.h"

// No fast path runs here.
uint64_t cpu_count_total(enum cpu_counter) {
    return 0;
}

enum { CPUS = 4, ROUNDS = 20000, SHOOT_EVERY = 16 };

thread_local struct cpu *host_cpu_current;
unsigned char *host_direct_map;
struct cpu *cpu_table[CPU_MAX];

static struct cpu cpus[CPUS];
static struct space space;
static uint64_t entry;             // of the one page table; under the lock
static uint64_t translation[CPUS]; // what each CPU has cached of it: its own, until it has answered
static uint64_t guarded[2];        // under the lock: always equal
static _Atomic unsigned finished;

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t arrived;
    bool pending;
} line[CPUS];

void panic(const char *text, ...) {
    va_list args;
    va_start(args, text);
    vfprintf(stderr, text, args);
    va_end(args);
    abort();
}

// Mostly spin, so that some CPU comes to rest; but let the one that everybody waits for run.
void host_cpu_relax(void) {
    static thread_local unsigned turns;
    if (++turns % 1024 == 0) {
        sched_yield();
    }
}

void arch_cpu_ipi(unsigned index) {
    pthread_mutex_lock(&line[index].mutex);
    line[index].pending = true;
    pthread_cond_signal(&line[index].arrived);
    pthread_mutex_unlock(&line[index].mutex);
}

// Take the interrupt, if there is one, or wait until there is.
static void interrupt(bool wait) {
    unsigned self = host_cpu_current->index;
    pthread_mutex_lock(&line[self].mutex);
    while (wait && !line[self].pending) {
        pthread_cond_wait(&line[self].arrived, &line[self].mutex);
    }
    bool taken = line[self].pending;
    line[self].pending = false;
    pthread_mutex_unlock(&line[self].mutex);
    if (taken) {
        tlb_answer();
    }
}

void arch_cpu_rest(void) {
    interrupt(true);
}

uint64_t arch_space_stale(struct arch_space *) {
    return (1u << CPUS) - 1;
}

void arch_tlb_flush(struct arch_space *, uint64_t, uint64_t) {
    translation[host_cpu_current->index] = entry;
}

static void round_of(struct cpu *cpu, unsigned number) {
    kernel_lock();
    if (guarded[0] != guarded[1]) {
        panic("what the lock guards was seen half done\n");
    }
    guarded[0]++;
    if ((number + cpu->index) % SHOOT_EVERY == 0) {
        entry++;
        tlb_shootdown(&space, 0, 1);
        for (unsigned i = 0; i < CPUS; i++) {
            if (translation[i] != entry) {
                panic("CPU %u kept an old translation\n", i);
            }
        }
    }
    guarded[1]++;
    kernel_unlock();
}

static void *run(void *argument) {
    host_cpu_current = argument;
    for (unsigned i = 0; i < ROUNDS; i++) {
        round_of(host_cpu_current, i);
        interrupt(false);
    }
    finished++;
    while (finished < CPUS) {
        interrupt(false);
        sched_yield();
    }
    return nullptr;
}

int main(void) {
    pthread_t threads[CPUS];
    printf("1..1\n");
    for (unsigned i = 0; i < CPUS; i++) {
        pthread_mutex_init(&line[i].mutex, nullptr);
        pthread_cond_init(&line[i].arrived, nullptr);
        cpus[i].index = i;
        cpu_table[i] = &cpus[i];
    }
    // As a boot does: alone, until further CPUs are about to start.
    host_cpu_current = &cpus[0];
    kernel_lock();
    kernel_lock_share(1);
    kernel_unlock();
    for (unsigned i = 0; i < CPUS; i++) {
        if (pthread_create(&threads[i], nullptr, run, &cpus[i]) != 0) {
            panic("no threads\n");
        }
    }
    for (unsigned i = 0; i < CPUS; i++) {
        pthread_join(threads[i], nullptr);
    }
    struct lock_stats stats = kernel_lock_stats();
    bool right = guarded[0] == (uint64_t)CPUS * ROUNDS && stats.acquisitions == (uint64_t)CPUS * ROUNDS + 1;
    printf("%s 1 - %u CPUs, %u rounds each, %llu shoot-downs, %llu rests\n", right ? "ok" : "not ok", CPUS, ROUNDS,
           (unsigned long long)entry, (unsigned long long)stats.rests);
    return right ? 0 : 1;
}
