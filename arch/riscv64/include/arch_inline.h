// Bodies of the seam's inline functions (kernel/include/arch.h) for riscv64.
#pragma once

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

// As arch_space_switch, which tells what `ready` means (space.c).
[[gnu::always_inline]] static inline void arch_fast_space(struct arch_space *space) {
    struct arch_cpu *cpu = (struct arch_cpu *)arch_cpu_current();
    cpu->space = space;
    __asm__ volatile("csrw satp, %0" ::"r"(space->satp) : "memory");
    if (__builtin_expect((space->ready & cpu->bit) == 0, 0)) {
        uint64_t asid = space->satp >> 44 & 0xffff;
        __asm__ volatile("sfence.vma x0, %0\n\tfence.i" ::"r"(asid) : "memory");
        space->ready |= asid != 0 ? cpu->bit : 0;
    }
}

#define RISCV_SUM              (1ul << 18) // in sstatus: the kernel may access user memory
#define RISCV_FIXUP(at, label) ".pushsection .fixups, \"a\"\n\t.quad " at ", " label "\n\t.popsection\n\t"

// Either side may be user memory. By words if both sides are aligned, what remains and everything else by bytes: a
// misaligned access may be an emulated one.
[[gnu::always_inline]] static inline bool riscv_fast_copy(uint64_t to, uint64_t from, size_t length) {
    uint64_t end = from + length, word, limit;
    __asm__ volatile goto("csrs sstatus, %[sum]\n\t"
                          "or %[limit], %[from], %[to]\n\t"
                          "andi %[limit], %[limit], 7\n\t"
                          "bnez %[limit], 2f\n\t"
                          "addi %[limit], %[end], -8\n\t"
                          "bgtu %[from], %[limit], 2f\n"
                          "1: ld %[word], (%[from])\n"
                          "771: sd %[word], (%[to])\n\t"
                          "addi %[from], %[from], 8\n\t"
                          "addi %[to], %[to], 8\n\t"
                          "bleu %[from], %[limit], 1b\n"
                          "2: bgeu %[from], %[end], 4f\n"
                          "3: lbu %[word], (%[from])\n"
                          "773: sb %[word], (%[to])\n\t"
                          "addi %[from], %[from], 1\n\t"
                          "addi %[to], %[to], 1\n\t"
                          "bltu %[from], %[end], 3b\n"
                          "4: csrc sstatus, %[sum]\n\t" RISCV_FIXUP("1b", "%l[fault]") RISCV_FIXUP("771b", "%l[fault]")
                              RISCV_FIXUP("3b", "%l[fault]") RISCV_FIXUP("773b", "%l[fault]")
                          : [to] "+&r"(to), [from] "+&r"(from), [word] "=&r"(word), [limit] "=&r"(limit)
                          : [end] "r"(end), [sum] "r"(RISCV_SUM)
                          : "memory"
                          : fault);
    return true;
fault:
    __asm__ volatile("csrc sstatus, %0" ::"r"(RISCV_SUM) : "memory");
    return false;
}

static inline bool arch_fast_copy_in(void *to, uint64_t from, size_t length) {
    return riscv_fast_copy((uint64_t)to, from, length);
}

static inline bool arch_fast_copy_out(uint64_t to, const void *from, size_t length) {
    return riscv_fast_copy(to, (uint64_t)from, length);
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

// The caller's registers are where they were: there is nothing to know of it.
static inline uint64_t arch_fast_stay(struct thread *) {
    return fast_any();
}
