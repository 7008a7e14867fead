// Bodies of the seam's inline functions (kernel/include/arch.h) for x86_64.
#pragma once

#define X86_CR3_KEEP     (1ull << 63)        // translations under this PCID stay
#define X86_DIRECT_MAP   0xffff800000000000u // all RAM, from physical address 0
#define X86_IMAGE_OFFSET 0xffffffff80000000u // the kernel image: link address minus load address

static inline void *arch_phys_to_virt(paddr_t address) {
    return (void *)(address + X86_DIRECT_MAP);
}

static inline paddr_t arch_virt_to_phys(const void *pointer) {
    uint64_t va = (uint64_t)pointer;
    return va >= X86_IMAGE_OFFSET ? va - X86_IMAGE_OFFSET : va - X86_DIRECT_MAP;
}

static inline void arch_cpu_relax(void) {
    __asm__ volatile("pause");
}

static inline uint64_t arch_frame_call(const struct arch_frame *frame, uint64_t arg[6]) {
    arg[0] = frame->rdi;
    arg[1] = frame->rsi;
    arg[2] = frame->rdx;
    arg[3] = frame->r10;
    arg[4] = frame->r8;
    arg[5] = frame->r9;
    return frame->rax;
}

static inline void arch_frame_number(struct arch_frame *frame, uint64_t number) {
    frame->rax = number;
}

// r14, r13, r12, rbx.
static inline uint64_t *arch_frame_message(struct arch_frame *frame) {
    return &frame->r14;
}

// The time-stamp counter, with what makes this CPU's agree with the others'.
static inline uint64_t arch_stamp(void) {
    uint64_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (high << 32 | low) + ARCH_CPU_FIELD(struct arch_cpu, tsc_offset);
}

// ---- fast paths ----

static inline bool arch_frame_is_call(const struct arch_frame *frame) {
    return frame->vector == X86_FRAME_CALL;
}

[[gnu::always_inline]] static inline void arch_fast_space(struct arch_space *space) {
    uint64_t cr3 = space->root;
    if (space->tagged) {
        uint64_t bit = ARCH_CPU_FIELD(struct arch_cpu, bit);
        cr3 |= (space->cached & bit) != 0 ? X86_CR3_KEEP : 0;
        space->cached |= bit;
    }
    __asm__ volatile("mov %0, %%cr3" ::"r"(cr3) : "memory");
}

// The registers that carry no answer are cleared on the way out (entry.S): a call's frame is always minimal.
static inline void arch_frame_answer(struct arch_frame *frame, int64_t status, const uint64_t word[4]) {
    frame->rax = (uint64_t)status;
    frame->rdi = word[0];
    frame->rsi = word[1];
    frame->rdx = word[2];
    frame->r10 = word[3];
}

static inline uint64_t arch_fast_stay(struct thread *self) {
    return (uint64_t)self;
}
