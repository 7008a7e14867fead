// The system-call instruction of riscv64. Number in a7, arguments in a0 to a5; the status comes back in a1, further
// results in a0 and a2 to a4. The kernel keeps only sp, s0, gp and tp: every other register is declared clobbered, and those
// without a result come back as zero. The message words are in s2 to s5; calls that pass no message leave those alone.
#pragma once

#include "base/types.h"

#ifdef __riscv_flen
#define CALL_FLOAT_CLOBBERS                                                                                            \
    , "ft0", "ft1", "ft2", "ft3", "ft4", "ft5", "ft6", "ft7", "ft8", "ft9", "ft10", "ft11", "fa0", "fa1", "fa2",       \
        "fa3", "fa4", "fa5", "fa6", "fa7", "fs0", "fs1", "fs2", "fs3", "fs4", "fs5", "fs6", "fs7", "fs8", "fs9",       \
        "fs10", "fs11"
#else
#define CALL_FLOAT_CLOBBERS
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
    register uint64_t r0 __asm__("a0") = a0;
    register uint64_t r1 __asm__("a1") = a1;
    register uint64_t r2 __asm__("a2") = a2;
    register uint64_t r3 __asm__("a3") = a3;
    register uint64_t r4 __asm__("a4") = a4;
    register uint64_t r5 __asm__("a5") = a5;
    register uint64_t r7 __asm__("a7") = number;
    __asm__ volatile("ecall"
                     : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3), "+r"(r4), "+r"(r5), "+r"(r7)
                     :
                     : "a6", "ra", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "s1", "s6", "s7", "s8", "s9", "s10", "s11",
                       "memory" CALL_FLOAT_CLOBBERS);
    results[0] = r0;
    results[1] = r2;
    results[2] = r3;
    results[3] = r4;
    return (long)r1;
}

static inline long arch_call_message(uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                                     uint64_t a5, uint64_t message[4], uint64_t results[4]) {
    register uint64_t r0 __asm__("a0") = a0;
    register uint64_t r1 __asm__("a1") = a1;
    register uint64_t r2 __asm__("a2") = a2;
    register uint64_t r3 __asm__("a3") = a3;
    register uint64_t r4 __asm__("a4") = a4;
    register uint64_t r5 __asm__("a5") = a5;
    register uint64_t r7 __asm__("a7") = number;
    register uint64_t s2 __asm__("s2") = message[0];
    register uint64_t s3 __asm__("s3") = message[1];
    register uint64_t s4 __asm__("s4") = message[2];
    register uint64_t s5 __asm__("s5") = message[3];
    __asm__ volatile("ecall"
                     : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3), "+r"(r4), "+r"(r5), "+r"(r7), "+r"(s2), "+r"(s3),
                       "+r"(s4), "+r"(s5)
                     :
                     : "a6", "ra", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "s1", "s6", "s7", "s8", "s9", "s10", "s11",
                       "memory" CALL_FLOAT_CLOBBERS);
    results[0] = r0;
    results[1] = r2;
    results[2] = r3;
    results[3] = r4;
    message[0] = s2;
    message[1] = s3;
    message[2] = s4;
    message[3] = s5;
    return (long)r1;
}
#endif
