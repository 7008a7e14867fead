// Bodies of the seam's inline functions (kernel/include/arch.h) for x86_64.
#pragma once

#include "base/bits.h"

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

static inline void arch_frame_argument(struct arch_frame *frame, unsigned index, uint64_t value) {
    uint64_t *const argument[] = {&frame->rdi, &frame->rsi, &frame->rdx, &frame->r10, &frame->r8, &frame->r9};
    *argument[index] = value;
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

// x86_copy, a C function that changes fewer registers than others may (entry.S).
[[gnu::always_inline]] static inline bool x86_bulk_copy(uint64_t to, uint64_t from, uint64_t length) {
    uint64_t copied;
    __asm__ volatile("call x86_copy" : "=a"(copied), "+D"(to), "+S"(from), "+d"(length) : : "rcx", "cc", "memory");
    return copied != 0;
}

[[gnu::always_inline]] static inline bool arch_fast_bulk_in(void *to, uint64_t from, size_t length) {
    return x86_bulk_copy((uint64_t)to, from, length);
}

[[gnu::always_inline]] static inline bool arch_fast_bulk_out(uint64_t to, const void *from, size_t length) {
    return x86_bulk_copy(to, (uint64_t)from, length);
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

[[gnu::always_inline]] static inline void arch_fast_space_last(struct arch_space *space, bool here) {
    if (!here) {
        arch_fast_space(space);
    }
}

// The registers that carry no answer are cleared on the way out (entry.S): a call's frame is always minimal.
static inline void arch_frame_answer(struct arch_frame *frame, int64_t status, const uint64_t word[4]) {
    frame->rax = (uint64_t)status;
    frame->rdi = word[0];
    frame->rsi = word[1];
    frame->rdx = word[2];
    frame->r10 = word[3];
}

// The AC flag lets the kernel at user memory where the CPU has SMAP: stac (last byte 0xcb) and clac (0xca), as in entry.S.
#define X86_SMAP_SITE(last)                                                                                            \
    "779:\n\tnopl (%%rax)\n\t.pushsection .smap_sites, \"a\"\n\t.quad 779b\n\t.byte " last                             \
    ", 0, 0, 0, 0, 0, 0, 0\n\t.popsection\n\t"
#define X86_FIXUP(at, label) ".pushsection .fixups, \"a\"\n\t.quad " at ", " label "\n\t.popsection\n\t"

// Either side may be user memory. The first word, then the others from the last one down: it need not be a whole one beyond
// the first. Less than a word goes by bytes.
[[gnu::always_inline]] static inline bool x86_fast_copy(void *to, const void *from, size_t length) {
    size_t left = length;
    uint64_t word;
    __asm__ volatile goto(X86_SMAP_SITE("0xcb") // stac
                          "sub $8, %[left]\n\t"
                          "jb 3f\n"
                          "771: mov (%[from]), %[word]\n"
                          "772: mov %[word], (%[to])\n\t"
                          "jbe 5f\n"
                          "773: mov (%[from],%[left]), %[word]\n"
                          "774: mov %[word], (%[to],%[left])\n\t"
                          "sub $8, %[left]\n\t"
                          "ja 773b\n\t"
                          "jmp 5f\n"
                          "3: add $8, %[left]\n\t"
                          "jz 5f\n"
                          "775: movb -1(%[from],%[left]), %b[word]\n"
                          "776: movb %b[word], -1(%[to],%[left])\n\t"
                          "dec %[left]\n\t"
                          "jnz 775b\n"
                          "5:\n\t" X86_SMAP_SITE("0xca") // clac
                          X86_FIXUP("771b", "%l[fault]") X86_FIXUP("772b", "%l[fault]") X86_FIXUP("773b", "%l[fault]")
                              X86_FIXUP("774b", "%l[fault]") X86_FIXUP("775b", "%l[fault]")
                                  X86_FIXUP("776b", "%l[fault]")
                          : [left] "+&r"(left), [word] "=&r"(word)
                          : [to] "r"(to), [from] "r"(from)
                          : "memory", "cc"
                          : fault);
    return true;
fault:
    __asm__ volatile(X86_SMAP_SITE("0xca")::: "memory");
    return false;
}

// Of the addresses below this, those that are not the user's fault; those right behind it, too.
#define X86_LOWER_HALF_BITS 47
static_assert(ARCH_USER_TOP < 1ull << X86_LOWER_HALF_BITS);

static inline bool arch_fast_copy_in(void *to, uint64_t va, size_t length) {
    return va >> X86_LOWER_HALF_BITS == 0 && x86_fast_copy(to, (const void *)va, length);
}

static inline bool arch_fast_copy_out(uint64_t va, const void *from, size_t length) {
    return va >> X86_LOWER_HALF_BITS == 0 && x86_fast_copy((void *)va, from, length);
}

static inline uint64_t arch_fast_width(uint64_t word) {
    return bits_highest(word << 1 | 1);
}

#define ARCH_FAST_WORDS(status, word0, word1, word2, word3, self) word0, word1, word2, self, word3, status

[[gnu::always_inline]] static inline void arch_fast_frames(void) {
    __asm__ volatile("xor %%ebp, %%ebp" ::: "rbp", "cc");
}

static inline uint64_t arch_fast_stay(struct thread *self) {
    return (uint64_t)self;
}
