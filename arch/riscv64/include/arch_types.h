// The port's types for the seam (kernel/include/arch.h): what of a thread, an address space and a CPU belongs to riscv64.
#pragma once

#include "base/types.h"

#include "fast_path.h"

#define ARCH_NAME        "riscv64"
#define ARCH_ELF_MACHINE 243 // EM_RISCV

// The lowest 64 KiB stay unmapped, for null pointers. User space is what Sv39 offers, in Sv48 too: a program sees the same
// addresses on every machine. Its topmost page is not used, so that no instruction ends at the edge.
#define ARCH_USER_BASE 0x0000000000010000u
#define ARCH_USER_TOP  0x0000003ffffff000u

struct cpu;
struct thread;

// User registers at kernel entry; and all registers, on the kernel stack, for a trap in the kernel itself. A minimal
// frame (cause RISCV_CAUSE_CALL) holds only what a call keeps and its arguments: pc, sp, gp, tp, s0, the message
// words s2 to s5, a0 to a5, a7; the rest of it is stale. The cause is RISCV_CAUSE_CALL but while the frame is full.
struct arch_frame {
    alignas(16) uint64_t pc; // of a call: behind the instruction
    uint64_t ra, sp, gp, tp;
    uint64_t t0, t1, t2;
    uint64_t s0, s1;
    uint64_t a0, a1, a2, a3, a4, a5, a6, a7;
    uint64_t s2, s3, s4, s5, s6, s7, s8, s9, s10, s11;
    uint64_t t3, t4, t5, t6;
    uint64_t cause;  // scause; also tells minimal from full
    uint64_t status; // of a trap in the kernel: sstatus
    uint64_t reserved;
};
static_assert(sizeof(struct arch_frame) % 16 == 0);

enum { RISCV_FLOAT_REGISTERS = 32 };

// Floating-point state: absent until the thread first uses it, then switched with the thread.
struct arch_thread {
    alignas(16) uint64_t f[RISCV_FLOAT_REGISTERS];
    uint32_t fcsr;
    bool float_used;
};

struct arch_space {
    uint64_t satp;    // mode, ASID and top table; 0: there is none. ASID 0: translations go with every switch
    uint64_t settled; // satp, when every CPU of the machine is in `ready`; else 0
    uint64_t ready;   // CPUs that may enter it as they left it: their translations and fetches are those it has
    uint64_t freed;   // being destroyed: below this address no tables are left
};

enum { RISCV_FAST_MAX = 16 }; // calls that may have a fast path

// Per-CPU data of the port, where tp points in the kernel. It begins the core's struct cpu.
struct arch_cpu {
    alignas(64) uint64_t scratch; // a register, for a few instructions of an entry
    uint64_t stack_top;           // this CPU's kernel stack
    uint64_t stack_limit;         // below this address a trap in the kernel finds no room for its frame
    uint64_t spare_top;           // and uses this stack, which lies above the other
    uint64_t deadline;            // what the timer is armed for
    uint64_t hart;                // the machine's number for this CPU
    uint64_t start_satp;          // for its first instructions, which know its physical address only
    struct arch_cpu *self;
    uint64_t bit;        // 1 << index
    uint64_t fast_limit; // as the core's, and its table: near at hand for the entry
    fast_path_t fast[RISCV_FAST_MAX];
    uint32_t index;
};

#define ARCH_CPU_FIELD(type, field) (arch_cpu_current()->field)

register struct cpu *riscv_this_cpu __asm__("tp");

static inline struct cpu *arch_cpu_current(void) {
    return riscv_this_cpu;
}
