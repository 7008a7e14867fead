// The system-call instruction of x86_64. Number in rax, arguments in rdi rsi rdx r10 r8 r9; the status comes back in
// rax, further results in rdi rsi rdx r10. The kernel keeps only rsp and rbp: every other register is declared
// clobbered, and those without a result come back as zero. The message words are in r14, r13, r12 and rbx; calls that pass
// no message leave those alone.
#pragma once

#include "base/types.h"

#ifdef __SSE2__
#define CALL_VECTOR_CLOBBERS                                                                                           \
    , "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",       \
        "xmm13", "xmm14", "xmm15"
#else
#define CALL_VECTOR_CLOBBERS
#endif

#ifdef __clang_analyzer__
// The analyzer cannot see that the instruction writes where arguments point; of an unknown function it assumes so.
long arch_call(uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5,
               uint64_t results[4]);
long arch_call_message(uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5,
                       uint64_t message[4], uint64_t results[4]);
#else
static inline long arch_call(uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                             uint64_t a5, uint64_t results[4]) {
    register uint64_t rax __asm__("rax") = number;
    register uint64_t rdi __asm__("rdi") = a0;
    register uint64_t rsi __asm__("rsi") = a1;
    register uint64_t rdx __asm__("rdx") = a2;
    register uint64_t r10 __asm__("r10") = a3;
    register uint64_t r8 __asm__("r8") = a4;
    register uint64_t r9 __asm__("r9") = a5;
    __asm__ volatile("syscall"
                     : "+r"(rax), "+r"(rdi), "+r"(rsi), "+r"(rdx), "+r"(r10), "+r"(r8), "+r"(r9)
                     :
                     : "rcx", "r11", "r15", "memory", "cc" CALL_VECTOR_CLOBBERS);
    results[0] = rdi;
    results[1] = rsi;
    results[2] = rdx;
    results[3] = r10;
    return (long)rax;
}

static inline long arch_call_message(uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                                     uint64_t a5, uint64_t message[4], uint64_t results[4]) {
    register uint64_t rax __asm__("rax") = number;
    register uint64_t rdi __asm__("rdi") = a0;
    register uint64_t rsi __asm__("rsi") = a1;
    register uint64_t rdx __asm__("rdx") = a2;
    register uint64_t r10 __asm__("r10") = a3;
    register uint64_t r8 __asm__("r8") = a4;
    register uint64_t r9 __asm__("r9") = a5;
    register uint64_t r14 __asm__("r14") = message[0];
    register uint64_t r13 __asm__("r13") = message[1];
    register uint64_t r12 __asm__("r12") = message[2];
    register uint64_t rbx __asm__("rbx") = message[3];
    __asm__ volatile("syscall"
                     : "+r"(rax), "+r"(rdi), "+r"(rsi), "+r"(rdx), "+r"(r10), "+r"(r8), "+r"(r9), "+r"(r14), "+r"(r13),
                       "+r"(r12), "+r"(rbx)
                     :
                     : "rcx", "r11", "r15", "memory", "cc" CALL_VECTOR_CLOBBERS);
    results[0] = rdi;
    results[1] = rsi;
    results[2] = rdx;
    results[3] = r10;
    message[0] = r14;
    message[1] = r13;
    message[2] = r12;
    message[3] = rbx;
    return (long)rax;
}
#endif
