// The system-call instruction of arm64. Number in x8, arguments in x0 to x5; the status comes back in x1, further results
// in x0 and x2 to x4. The kernel keeps only sp and x29: every other register is declared clobbered, and those without a result
// come back as zero. The message words are in x19 to x22; calls that pass no message leave those alone.
#pragma once

#include "base/types.h"

#ifdef __ARM_NEON
#define CALL_VECTOR_CLOBBERS                                                                                           \
    , "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16",     \
        "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31"
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
    register uint64_t x8 __asm__("x8") = number;
    register uint64_t x0 __asm__("x0") = a0;
    register uint64_t x1 __asm__("x1") = a1;
    register uint64_t x2 __asm__("x2") = a2;
    register uint64_t x3 __asm__("x3") = a3;
    register uint64_t x4 __asm__("x4") = a4;
    register uint64_t x5 __asm__("x5") = a5;
    __asm__ volatile("svc #0"
                     : "+r"(x8), "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3), "+r"(x4), "+r"(x5)
                     :
                     : "x6", "x7", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x23", "x24",
                       "x25", "x26", "x27", "x28", "x30", "memory", "cc" CALL_VECTOR_CLOBBERS);
    results[0] = x0;
    results[1] = x2;
    results[2] = x3;
    results[3] = x4;
    return (long)x1;
}

static inline long arch_call_message(uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                                     uint64_t a5, uint64_t message[4], uint64_t results[4]) {
    register uint64_t x8 __asm__("x8") = number;
    register uint64_t x0 __asm__("x0") = a0;
    register uint64_t x1 __asm__("x1") = a1;
    register uint64_t x2 __asm__("x2") = a2;
    register uint64_t x3 __asm__("x3") = a3;
    register uint64_t x4 __asm__("x4") = a4;
    register uint64_t x5 __asm__("x5") = a5;
    register uint64_t x19 __asm__("x19") = message[0];
    register uint64_t x20 __asm__("x20") = message[1];
    register uint64_t x21 __asm__("x21") = message[2];
    register uint64_t x22 __asm__("x22") = message[3];
    __asm__ volatile("svc #0"
                     : "+r"(x8), "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3), "+r"(x4), "+r"(x5), "+r"(x19), "+r"(x20),
                       "+r"(x21), "+r"(x22)
                     :
                     : "x6", "x7", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x23", "x24",
                       "x25", "x26", "x27", "x28", "x30", "memory", "cc" CALL_VECTOR_CLOBBERS);
    results[0] = x0;
    results[1] = x2;
    results[2] = x3;
    results[3] = x4;
    message[0] = x19;
    message[1] = x20;
    message[2] = x21;
    message[3] = x22;
    return (long)x1;
}
#endif
