// The port's types for the seam (kernel/include/arch.h): what of a thread, an address space and a CPU belongs to x86_64.
#pragma once

#include "base/types.h"

#define ARCH_NAME        "x86_64"
#define ARCH_ELF_MACHINE 62 // EM_X86_64

// The lowest 64 KiB stay unmapped, for null pointers. The topmost user page too, so that no instruction that enters the
// kernel can end at a non-canonical address.
#define ARCH_USER_BASE 0x0000000000010000u
#define ARCH_USER_TOP  0x00007ffffffff000u

struct cpu;
struct thread;

// User registers at kernel entry, in the order in which entry.S and the processor push them, and the same for a trap in
// the kernel itself. A minimal frame (vector X86_FRAME_CALL) holds only what a call keeps and its arguments: rip,
// rflags, rsp, rbp, rax, rdi, rsi, rdx, r10, r8, r9, and the message words; the rest of it is stale. The fast paths fill in
// even less (entry.S). The vector is X86_FRAME_CALL but while the frame is full.
struct arch_frame {
    alignas(16) uint64_t r15;
    uint64_t r14, r13, r12, rbx; // of a call: the message words
    uint64_t r11, r10, r9, r8;
    uint64_t rax, rcx, rdx, rsi, rdi;
    uint64_t rbp;
    uint64_t vector; // also tells minimal from full
    uint64_t error;  // the processor's error code, or 0
    uint64_t rip, cs, rflags, rsp, ss;
};
static_assert(sizeof(struct arch_frame) % 16 == 0);

enum { X86_FRAME_CALL = 256 }; // no vector: marks the minimal frame of a call

enum { X86_VECTOR_STATE_SIZE = 512 };

// Vector state: absent until the thread first uses it, then switched with the thread.
struct arch_thread {
    alignas(16) uint8_t vector_state[X86_VECTOR_STATE_SIZE]; // FXSAVE image
    bool vector_used;
};

struct arch_space {
    uint64_t root;   // physical address of the top table, and the PCID: as CR3 takes it
    uint64_t cached; // CPUs that may hold translations of it under its PCID
    bool tagged;     // has a PCID other than 0; else translations go with every switch
    uint64_t freed;  // being destroyed: below this address no tables are left
};

// The processor's task state segment: stacks only. Packed as the processor reads it.
struct [[gnu::packed]] x86_tss {
    uint32_t reserved0;
    uint64_t rsp[3]; // rsp[0]: this CPU's kernel stack
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t io_map;
};
static_assert(sizeof(struct x86_tss) == 104);

// Per-CPU data of the port; the kernel's gs base points here.
struct arch_cpu {
    alignas(64) struct cpu *self; // what arch_cpu_current returns
    uint64_t scratch;             // the user's stack pointer, for a few instructions of the call entry
    uint64_t stack_top;           // this CPU's kernel stack
    uint64_t deadline;            // what the timer is armed for
    uint64_t tsc_offset;          // added to this CPU's time-stamp counter
    uint64_t bit;                 // 1 << index
    uint32_t index;
    uint32_t apic_id;
    bool vector_enabled; // CR0.TS is clear: the current thread's vector state is loaded
    uint64_t gdt[8];
    uint32_t tss_pad; // so that rsp[0] is aligned
    struct x86_tss tss;
};
static_assert(offsetof(struct arch_cpu, tss.rsp) % 8 == 0);

#define ARCH_CPU_FIELD(type, field) (*(typeof(((type *)nullptr)->field) __seg_gs *)offsetof(type, field))

static inline struct cpu *arch_cpu_current(void) {
    struct cpu *self;
    __asm__("mov %%gs:0, %0" : "=r"(self));
    return self;
}
static_assert(offsetof(struct arch_cpu, self) == 0);
