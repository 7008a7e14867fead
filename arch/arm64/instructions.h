// Single machine instructions as functions.
#pragma once

#include "base/types.h"

#define ARM64_READ(name)                                                                                               \
    ({                                                                                                                 \
        uint64_t value_;                                                                                               \
        __asm__ volatile("mrs %0, " #name : "=r"(value_)::"memory");                                                   \
        value_;                                                                                                        \
    })
#define ARM64_WRITE(name, value) __asm__ volatile("msr " #name ", %0" ::"r"((uint64_t)(value)) : "memory")

// Registers that an assembler for ARMv8.0 does not know by name.
#define ARM64_ICC_PMR     S3_0_C4_C6_0
#define ARM64_ICC_IAR1    S3_0_C12_C12_0
#define ARM64_ICC_EOIR1   S3_0_C12_C12_1
#define ARM64_ICC_BPR1    S3_0_C12_C12_3
#define ARM64_ICC_CTLR    S3_0_C12_C12_4
#define ARM64_ICC_SRE     S3_0_C12_C12_5
#define ARM64_ICC_IGRPEN1 S3_0_C12_C12_7
#define ARM64_ICC_SGI1R   S3_0_C12_C11_5
#define ARM64_AMUSERENR   S3_3_C13_C2_3

// The register that a macro names.
#define ARM64_READ_NAMED(name)         ARM64_READ(name)
#define ARM64_WRITE_NAMED(name, value) ARM64_WRITE(name, value)

// What was written before takes effect before the next instruction.
static inline void arm64_isb(void) {
    __asm__ volatile("isb" ::: "memory");
}

// Everything before is done, as all CPUs, devices and table walks see it.
static inline void arm64_dsb_system(void) {
    __asm__ volatile("dsb sy" ::: "memory");
}

// The same as CPUs and their table walks see it; of stores only.
static inline void arm64_dsb(void) {
    __asm__ volatile("dsb ish" ::: "memory");
}

static inline void arm64_dsb_stores(void) {
    __asm__ volatile("dsb ishst" ::: "memory");
}

// Accesses of device registers, always of the width asked for.
static inline uint32_t arm64_read32(const volatile uint8_t *at) {
    uint32_t value;
    __asm__ volatile("ldr %w0, %1" : "=r"(value) : "Q"(*(const volatile uint32_t *)at) : "memory");
    return value;
}

static inline void arm64_write32(volatile uint8_t *at, uint32_t value) {
    __asm__ volatile("str %w1, %0" : "=Q"(*(volatile uint32_t *)at) : "r"(value) : "memory");
}

static inline uint64_t arm64_read64(const volatile uint8_t *at) {
    uint64_t value;
    __asm__ volatile("ldr %0, %1" : "=r"(value) : "Q"(*(const volatile uint64_t *)at) : "memory");
    return value;
}

static inline void arm64_write64(volatile uint8_t *at, uint64_t value) {
    __asm__ volatile("str %1, %0" : "=Q"(*(volatile uint64_t *)at) : "r"(value) : "memory");
}

static inline void arm64_write8(volatile uint8_t *at, uint8_t value) {
    __asm__ volatile("strb %w1, %0" : "=Q"(*at) : "r"(value) : "memory");
}
