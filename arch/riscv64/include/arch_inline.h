// Bodies of the seam's inline functions (kernel/include/arch.h) for riscv64.
#pragma once

#include "base/bits.h"

// The kernel image is linked here, at the top of every translation mode's upper half.
#define RISCV_IMAGE 0xffffffff80000000u

extern uint64_t riscv_image_offset; // link address minus load address
extern uint64_t riscv_direct_map;   // all RAM, from physical address 0; depends on the translation mode (map.h)

static inline void *arch_phys_to_virt(paddr_t address) {
    return (void *)(address + riscv_direct_map);
}

static inline paddr_t arch_virt_to_phys(const void *pointer) {
    uint64_t va = (uint64_t)pointer;
    return va >= RISCV_IMAGE ? va - riscv_image_offset : va - riscv_direct_map;
}

// The instruction `pause` of Zihintpause; elsewhere a fence without effect.
static inline void arch_cpu_relax(void) {
    __asm__ volatile(".insn i 0x0f, 0, x0, x0, 0x010" ::: "memory");
}

static inline uint64_t arch_frame_call(const struct arch_frame *frame, uint64_t arg[6]) {
    arg[0] = frame->a0;
    arg[1] = frame->a1;
    arg[2] = frame->a2;
    arg[3] = frame->a3;
    arg[4] = frame->a4;
    arg[5] = frame->a5;
    return frame->a7;
}

static inline void arch_frame_number(struct arch_frame *frame, uint64_t number) {
    frame->a7 = number;
}

static inline void arch_frame_argument(struct arch_frame *frame, unsigned index, uint64_t value) {
    (&frame->a0)[index] = value;
}

// s2 to s5.
static inline uint64_t *arch_frame_message(struct arch_frame *frame) {
    return &frame->s2;
}

static inline uint64_t arch_stamp(void) {
    uint64_t ticks;
    __asm__ volatile("rdtime %0" : "=r"(ticks));
    return ticks;
}

// ---- fast paths ----

static inline bool arch_frame_is_call(const struct arch_frame *frame) {
    return frame->cause == 0; // RISCV_CAUSE_CALL
}

// riscv_copy, a C function that changes fewer registers than others may (entry.S).
[[gnu::always_inline]] static inline bool riscv_bulk_copy(uint64_t to, uint64_t from, uint64_t length) {
    register uint64_t a0 __asm__("a0") = to;
    register uint64_t a1 __asm__("a1") = from;
    register uint64_t a2 __asm__("a2") = length;
    __asm__ volatile("call riscv_copy" : "+r"(a0), "+r"(a1), "+r"(a2) : : "ra", "t0", "t1", "t2", "t3", "t4", "memory");
    return a0 != 0;
}

[[gnu::always_inline]] static inline bool arch_fast_bulk_in(void *to, uint64_t from, size_t length) {
    return riscv_bulk_copy((uint64_t)to, from, length);
}

[[gnu::always_inline]] static inline bool arch_fast_bulk_out(uint64_t to, const void *from, size_t length) {
    return riscv_bulk_copy(to, (uint64_t)from, length);
}

extern uint64_t riscv_all_cpus; // a bit for each that the machine has

// To a process's space; here: it may be in place already. What `ready` and `settled` mean: space.c. No call, so that a fast
// path needs no stack frame.
[[gnu::always_inline]] static inline void riscv_space_enter(struct arch_space *space, bool here) {
    uint64_t satp = space->settled;
    if (__builtin_expect(satp == 0, 0)) {
        if (here) {
            return;
        }
        satp = space->satp;
        uint64_t cpu = ((struct arch_cpu *)arch_cpu_current())->bit, asid = satp >> 44 & 0xffff;
        if ((space->ready & cpu) == 0) {
            __asm__ volatile("csrw satp, %0\n\tsfence.vma x0, %1\n\tfence.i" ::"r"(satp), "r"(asid) : "memory");
            space->ready |= asid != 0 ? cpu : 0;
            space->settled = space->ready == riscv_all_cpus ? satp : 0;
        }
    }
    __asm__ volatile("csrw satp, %0" ::"r"(satp) : "memory");
}

[[gnu::always_inline]] static inline void arch_fast_space(struct arch_space *space) {
    riscv_space_enter(space, false);
}

[[gnu::always_inline]] static inline void arch_fast_space_last(struct arch_space *space, bool here) {
    riscv_space_enter(space, here);
}

#define RISCV_SUM              (1ul << 18) // in sstatus: the kernel may access user memory
#define RISCV_FIXUP(at, label) ".pushsection .fixups, \"a\"\n\t.quad " at ", " label "\n\t.popsection\n\t"

// Of the addresses below this, those that are not the user's fault; those right behind it, too.
#define RISCV_USER_BITS 38
static_assert(ARCH_USER_TOP < 1ull << RISCV_USER_BITS);

// Words, as what they are in memory to the compiler.
struct riscv_word {
    uint64_t word;
};

// By words if the user's side is aligned, what remains and everything else by bytes: a misaligned access may be an emulated
// one. The first word goes by itself, for often it is all. The body of a function that copies in or out: how that word,
// another one and a byte are moved, and which of it may fault (773, 774).
#define RISCV_FAST_COPY(va, other, length, move_first, move_word, move_byte)                                           \
    if ((va) >> RISCV_USER_BITS != 0) {                                                                                \
        return false;                                                                                                  \
    }                                                                                                                  \
    uint64_t user = (va), kernel = (uint64_t)(other), left = (length), word;                                           \
    __asm__ volatile("csrs sstatus, %0" ::"r"(RISCV_SUM) : "memory");                                                  \
    __asm__("" : "+r"(left)); /* not known to be positive: the difference serves twice */                              \
    if (user % 8 == 0 && (int64_t)(left - 8) >= 0) {                                                                   \
        __asm__ volatile goto(move_first RISCV_FIXUP("773b", "%l[fault]")                                              \
                              : [word] "=&r"(word)                                                                     \
                              : [user] "r"(user), [first] "m"(*(const struct riscv_word *)(other))                     \
                              : "memory"                                                                               \
                              : fault);                                                                                \
        left -= 8;                                                                                                     \
        if (left == 0) {                                                                                               \
            goto done;                                                                                                 \
        }                                                                                                              \
        user += 8;                                                                                                     \
        kernel += 8;                                                                                                   \
    }                                                                                                                  \
    __asm__ volatile goto("andi %[word], %[user], 7\n\t"                                                               \
                          "bnez %[word], 2f\n\t"                                                                       \
                          "addi %[left], %[left], -8\n\t"                                                              \
                          "bltz %[left], 1f\n"                                                                         \
                          "771: " move_word "addi %[user], %[user], 8\n\t"                                             \
                          "addi %[kernel], %[kernel], 8\n\t"                                                           \
                          "addi %[left], %[left], -8\n\t"                                                              \
                          "bgez %[left], 771b\n"                                                                       \
                          "1: addi %[left], %[left], 8\n"                                                              \
                          "2: beqz %[left], 5f\n"                                                                      \
                          "772: " move_byte "addi %[user], %[user], 1\n\t"                                             \
                          "addi %[kernel], %[kernel], 1\n\t"                                                           \
                          "addi %[left], %[left], -1\n\t"                                                              \
                          "bnez %[left], 772b\n"                                                                       \
                          "5:\n\t" RISCV_FIXUP("773b", "%l[fault]") RISCV_FIXUP("774b", "%l[fault]")                   \
                          : [user] "+&r"(user), [kernel] "+&r"(kernel), [left] "+&r"(left), [word] "=&r"(word)         \
                          :                                                                                            \
                          : "memory"                                                                                   \
                          : fault);                                                                                    \
    done:                                                                                                              \
    __asm__ volatile("csrc sstatus, %0" ::"r"(RISCV_SUM) : "memory");                                                  \
    return true;                                                                                                       \
    fault:                                                                                                             \
    __asm__ volatile("csrc sstatus, %0" ::"r"(RISCV_SUM) : "memory");                                                  \
    return false

[[gnu::always_inline]] static inline bool arch_fast_copy_in(void *to, uint64_t va, size_t length) {
    RISCV_FAST_COPY(va, to, length, "\n773: ld %[word], (%[user])\n\tsd %[word], %[first]\n\t",
                    "\n773: ld %[word], (%[user])\n\tsd %[word], (%[kernel])\n\t",
                    "\n774: lbu %[word], (%[user])\n\tsb %[word], (%[kernel])\n\t");
}

[[gnu::always_inline]] static inline bool arch_fast_copy_out(uint64_t va, const void *from, size_t length) {
    RISCV_FAST_COPY(va, from, length, "ld %[word], %[first]\n773: sd %[word], (%[user])\n\t",
                    "ld %[word], (%[kernel])\n773: sd %[word], (%[user])\n\t",
                    "lbu %[word], (%[kernel])\n774: sb %[word], (%[user])\n\t");
}

extern const uint8_t riscv_widths[256]; // of bytes

// There may be no instruction for it.
[[gnu::always_inline]] static inline uint64_t arch_fast_width(uint64_t word) {
    if (__builtin_expect(word >> 8 == 0, 1)) {
        return riscv_widths[word];
    }
    uint64_t at = word >> 32 != 0 ? 32 : 0;
    at += word >> at >> 16 != 0 ? 16 : 0;
    at += word >> at >> 8 != 0 ? 8 : 0;
    return at + riscv_widths[word >> at];
}

#define ARCH_FAST_WORDS(status, word0, word1, word2, word3, self) word0, status, word1, word2, word3, self

// The answer: status in a1, words in a0 and a2 to a4: as a fast path has them in its registers when it ends. The registers
// that carry no answer are cleared on the way out (entry.S): a call's frame is always minimal.
static inline void arch_frame_answer(struct arch_frame *frame, int64_t status, const uint64_t word[4]) {
    frame->a0 = word[0];
    frame->a1 = (uint64_t)status;
    frame->a2 = word[1];
    frame->a3 = word[2];
    frame->a4 = word[3];
}

[[gnu::always_inline]] static inline void arch_fast_frames(void) {
    __asm__ volatile("li s0, 0" ::: "s0");
}

// The caller's registers are where they were: there is nothing to know of it.
static inline uint64_t arch_fast_stay(struct thread *) {
    return fast_any();
}
