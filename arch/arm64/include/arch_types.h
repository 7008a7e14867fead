// The port's types for the seam (kernel/include/arch.h): what of a thread, an address space and a CPU belongs to arm64.
#pragma once

#include "base/types.h"

#include "fast_path.h"

#define ARCH_NAME        "arm64"
#define ARCH_ELF_MACHINE 183 // EM_AARCH64

// The lowest 64 KiB stay unmapped, for null pointers. The upper half of what the processor could give to users is not
// used: so user space is the same on every port.
#define ARCH_USER_BASE 0x0000000000010000u
#define ARCH_USER_TOP  0x00007ffffffff000u

struct cpu;
struct thread;

enum arm64_frame_kind : uint64_t {
    ARM64_FRAME_CALL, // minimal
    ARM64_FRAME_SYNCHRONOUS,
    ARM64_FRAME_INTERRUPT,
    ARM64_FRAME_SYSTEM_ERROR,
};

// User registers at kernel entry, and the same for an exception in the kernel itself. A minimal frame (ARM64_FRAME_CALL)
// holds only what a call keeps and its arguments: sp, pc, spsr, x29, x19 to x22, x0 to x5 and x8; the rest of it is stale.
// What a switch takes lies in pairs: x29 and spsr, sp and pc. The kind is ARM64_FRAME_CALL but while the frame is full.
struct arch_frame {
    alignas(16) uint64_t x[30];
    uint64_t spsr;
    uint64_t sp;
    uint64_t pc;
    uint64_t lr; // x30
    enum arm64_frame_kind kind;
    uint64_t esr, far; // of the exception
    uint64_t tpidr;    // the user's thread pointer register
};
static_assert(sizeof(struct arch_frame) % 16 == 0);

// Vector state: absent until the thread first uses it, then switched with the thread.
struct arch_thread {
    alignas(16) uint8_t vector_state[32 * 16];
    uint64_t control, status; // FPCR, FPSR
    bool vector_used;
};

struct arch_space {
    // As TTBR0 takes it: physical address of the top table, and the ASID above it, or ARM64_ASID_SHARED; 0: no table.
    uint64_t translation;
    uint64_t freed; // being destroyed: below this address no tables are left
};

// Per-CPU data of the port; TPIDR_EL1 points here, and so to the struct cpu that begins with it.
struct arch_cpu {
    alignas(64) uint64_t stack_top;  // of this CPU's kernel stack, but for 16 bytes of zeroes (entry.S)
    uint64_t emergency_top;          // of the stack for reports when that has overflowed
    uint64_t deadline;               // what the timer is armed for
    uint64_t affinity;               // how the interrupt controller and the firmware name this CPU: MPIDR_EL1
    uint64_t model;                  // MIDR_EL1
    volatile uint8_t *redistributor; // GICv3: this CPU's
    uint32_t index;
    uint8_t gic_target;  // GICv2: this CPU's bit
    bool vector_enabled; // the current thread's vector state is loaded
};

enum { ARM64_FAST_MAX = 16 }; // calls that may have a fast path

// Where calls go, by number (entry.S).
extern fast_path_t arm64_fast[ARM64_FAST_MAX];

#define ARCH_CPU_FIELD(type, field) (arch_cpu_current()->field)

static inline struct cpu *arch_cpu_current(void) {
    struct cpu *self;
    __asm__("mrs %0, tpidr_el1" : "=r"(self));
    return self;
}
