// The port's types for the seam (kernel/include/arch.h): a machine that exists only in the memory of a test.
#pragma once

#include "base/types.h"

#define ARCH_NAME        "host"
#define ARCH_ELF_MACHINE 62 // EM_X86_64, so that a test can hand it a real one

#define ARCH_ELF_MACHINE 62 // programs are never executed here, but their files must be good: those of x86-64

#define ARCH_USER_BASE 0x0000000000010000u
#define ARCH_USER_TOP  0x00007ffffffff000u

struct cpu;
struct thread;

// What a user program has in registers: the call it makes, the answer it got, where it is.
struct arch_frame {
    uint64_t number;
    uint64_t arg[6];
    int64_t status;
    uint64_t word[4];
    uint64_t message[4];
    bool again;       // the next instruction of its thread makes that call anew
    uint64_t answers; // ever given: the driver checks that a call gets exactly one
    uint64_t pc, sp, fp;
    uint64_t argument; // of the entry function
};

struct arch_thread {
    void *user; // the driver's own, for whoever plays the program; the core never looks
};

struct arch_space {
    uint64_t id;      // never reused: tags translations
    uint64_t root;    // physical address of the top table; 0: none
    uint64_t running; // CPUs that are in this space
    uint64_t cached;  // CPUs that may hold translations of it
    uint64_t flush;   // of those, the ones that drop them when they next switch to it
};

struct arch_cpu {
    alignas(8) unsigned index;
};

// The CPU that this host thread is playing. The machine of the suites is one thread; lock_threads_test has more.
extern thread_local struct cpu *host_cpu_current;

#define ARCH_CPU_FIELD(type, field) (arch_cpu_current()->field)

static inline struct cpu *arch_cpu_current(void) {
    return host_cpu_current;
}
