// Bodies of the seam's inline functions (kernel/include/arch.h) for arm64.
#pragma once

#include "base/bits.h"

#define ARM64_DIRECT_MAP 0xffff000000000000u // all RAM, from physical address 0
#define ARM64_IMAGE      0xffffffff80000000u // the kernel image, wherever it was loaded

// A table without any entry: what TTBR0 points to in the kernel's own address space.
extern uint64_t arm64_empty_table[512];
#define ARM64_ASID_SHIFT  48           // in TTBR0, and in the operand of an invalidation
#define ARM64_ASID_SHARED (1ull << 47) // in arch_space.translation: has none of its own

extern uint64_t arm64_image_offset; // of the image: its address minus where it was loaded

static inline void *arch_phys_to_virt(paddr_t address) {
    return (void *)(address + ARM64_DIRECT_MAP);
}

static inline paddr_t arch_virt_to_phys(const void *pointer) {
    uint64_t va = (uint64_t)pointer;
    return va >= ARM64_IMAGE ? va - arm64_image_offset : va - ARM64_DIRECT_MAP;
}

static inline void arch_cpu_relax(void) {
    __asm__ volatile("yield");
}

static inline uint64_t arch_frame_call(const struct arch_frame *frame, uint64_t arg[6]) {
    for (unsigned i = 0; i < 6; i++) {
        arg[i] = frame->x[i];
    }
    return frame->x[8];
}

static inline void arch_frame_number(struct arch_frame *frame, uint64_t number) {
    frame->x[8] = number;
}

static inline void arch_frame_argument(struct arch_frame *frame, unsigned index, uint64_t value) {
    frame->x[index] = value;
}

// x19 to x22.
static inline uint64_t *arch_frame_message(struct arch_frame *frame) {
    return &frame->x[19];
}

static inline uint64_t arch_stamp(void) {
    uint64_t ticks;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
}

// The answer: status in x1, words in x0 and x2 to x4: as a fast path has them in its registers when it ends. The registers
// that carry no answer are cleared on the way out (entry.S): a call's frame is always minimal.
static inline void arch_frame_answer(struct arch_frame *frame, int64_t status, const uint64_t word[4]) {
    frame->x[0] = word[0];
    frame->x[1] = (uint64_t)status;
    for (unsigned i = 1; i < 4; i++) {
        frame->x[i + 1] = word[i];
    }
}

// ---- fast paths ------------------------------------------------------------------------------------------------------

static inline bool arch_frame_is_call(const struct arch_frame *frame) {
    return frame->kind == ARM64_FRAME_CALL;
}

// Go to other translations. Those that share ASID 0, for want of another, leave nothing of each other in the TLB. No call,
// so that a fast path needs no stack frame.
[[gnu::always_inline]] static inline void arm64_translation_set(uint64_t translation) {
    if (__builtin_expect((translation & ARM64_ASID_SHARED) != 0, 0)) {
        translation ^= ARM64_ASID_SHARED;
        __asm__ volatile(
            "msr ttbr0_el1, %0\n\tisb\n\ttlbi aside1, xzr\n\tdsb nsh" ::"r"(arch_virt_to_phys(arm64_empty_table))
            : "memory");
    }
    __asm__ volatile("msr ttbr0_el1, %0" ::"r"(translation) : "memory");
}

// A copy of entry.S, a C function that changes fewer registers than others may.
#define ARM64_BULK_COPY(copy, to, from, length)                                                                        \
    register uint64_t x0 __asm__("x0") = to;                                                                           \
    register uint64_t x1 __asm__("x1") = from;                                                                         \
    register uint64_t x2 __asm__("x2") = length;                                                                       \
    __asm__ volatile("bl " copy                                                                                        \
                     : "+r"(x0), "+r"(x1), "+r"(x2)                                                                    \
                     :                                                                                                 \
                     : "x3", "x4", "x5", "x6", "x9", "x10", "x30", "cc", "memory");                                    \
    return x0 != 0

[[gnu::always_inline]] static inline bool arch_fast_bulk_in(void *to, uint64_t from, size_t length) {
    ARM64_BULK_COPY("arch_user_copy_in", (uint64_t)to, from, length);
}

[[gnu::always_inline]] static inline bool arch_fast_bulk_out(uint64_t to, const void *from, size_t length) {
    ARM64_BULK_COPY("arch_user_copy_out", to, (uint64_t)from, length);
}

[[gnu::always_inline]] static inline void arch_fast_space(struct arch_space *space) {
    arm64_translation_set(space->translation);
    __asm__ volatile("isb" ::: "memory");
}

// The exception return does what an ISB would (SCTLR_EL1.EOS). Being there already is not worth two instructions to find out.
[[gnu::always_inline]] static inline void arch_fast_space_last(struct arch_space *space, bool) {
    arm64_translation_set(space->translation);
}

// What the caller's return needs: a fault in the kernel takes its place.
struct arm64_return {
    uint64_t pc, spsr;
};

[[gnu::always_inline]] static inline struct arm64_return arm64_return_read(void) {
    struct arm64_return back;
    __asm__ volatile("mrs %0, elr_el1\n\tmrs %1, spsr_el1" : "=r"(back.pc), "=r"(back.spsr));
    return back;
}

[[gnu::always_inline]] static inline void arm64_return_write(struct arm64_return back) {
    __asm__ volatile("msr elr_el1, %0\n\tmsr spsr_el1, %1" ::"r"(back.pc), "r"(back.spsr));
}

#define ARM64_FIXUP(first, end, label)                                                                                 \
    ".pushsection .fixups, \"a\"\n\t.quad " first ", " end ", " label "\n\t.popsection"

// The user's side is accessed as the user would: so what is not the user's faults. The first word, then the others from the
// last one down: it need not be a whole one beyond the first. Less than a word goes by bytes. The body of a function that
// copies in or out: how the first word, another word and a byte are moved.
#define ARM64_FAST_COPY(va_, other_, length, move_first, move_word, move_byte)                                         \
    struct arm64_return back = arm64_return_read();                                                                    \
    uint64_t left = (length), word, at;                                                                                \
    __asm__ volatile goto("subs %[left], %[left], #8\n\t"                                                              \
                          "b.lo 3f\n"                                                                                  \
                          "1: " move_first "b.eq 5f\n"                                                                 \
                          "2: add %[at], %[va], %[left]\n\t" move_word "subs %[left], %[left], #8\n\t"                 \
                          "b.hi 2b\n\t"                                                                                \
                          "b 5f\n"                                                                                     \
                          "3: adds %[left], %[left], #8\n\t"                                                           \
                          "b.eq 5f\n"                                                                                  \
                          "4: sub %[left], %[left], #1\n\t"                                                            \
                          "add %[at], %[va], %[left]\n\t" move_byte "cbnz %[left], 4b\n"                               \
                          "5:\n\t" ARM64_FIXUP("1b", "5b", "%l[fault]")                                                \
                          : [left] "+&r"(left), [word] "=&r"(word), [at] "=&r"(at)                                     \
                          : [va] "r"(va_), [other] "r"(other_)                                                         \
                          : "memory", "cc"                                                                             \
                          : fault);                                                                                    \
    return true;                                                                                                       \
    fault:                                                                                                             \
    arm64_return_write(back);                                                                                          \
    return false

[[gnu::always_inline]] static inline bool arch_fast_copy_in(void *to, uint64_t va, size_t length) {
    ARM64_FAST_COPY(va, to, length, "ldtr %[word], [%[va]]\n\tstr %[word], [%[other]]\n\t",
                    "ldtr %[word], [%[at]]\n\tstr %[word], [%[other], %[left]]\n\t",
                    "ldtrb %w[word], [%[at]]\n\tstrb %w[word], [%[other], %[left]]\n\t");
}

[[gnu::always_inline]] static inline bool arch_fast_copy_out(uint64_t va, const void *from, size_t length) {
    ARM64_FAST_COPY(va, from, length, "ldr %[word], [%[other]]\n\tsttr %[word], [%[va]]\n\t",
                    "ldr %[word], [%[other], %[left]]\n\tsttr %[word], [%[at]]\n\t",
                    "ldrb %w[word], [%[other], %[left]]\n\tsttrb %w[word], [%[at]]\n\t");
}

static inline uint64_t arch_fast_width(uint64_t word) {
    return bits_highest(word << 1 | 1);
}

#define ARCH_FAST_WORDS(status, word0, word1, word2, word3, self) word0, status, word1, word2, word3, self

[[gnu::always_inline]] static inline void arch_fast_frames(void) {
    __asm__ volatile("mov x29, xzr" ::: "x29");
}

// The caller's registers are where they were: there is nothing to know of it.
static inline uint64_t arch_fast_stay(struct thread *) {
    return fast_any();
}
