// Control registers and fences as functions.
#pragma once

#include "base/types.h"

#define riscv_csr_read(name)                                                                                           \
    ({                                                                                                                 \
        uint64_t csr_value;                                                                                            \
        __asm__ volatile("csrr %0, " #name : "=r"(csr_value)::"memory");                                               \
        csr_value;                                                                                                     \
    })
#define riscv_csr_write(name, value) __asm__ volatile("csrw " #name ", %0" ::"rK"((uint64_t)(value)) : "memory")
#define riscv_csr_set(name, bits)    __asm__ volatile("csrs " #name ", %0" ::"rK"((uint64_t)(bits)) : "memory")
#define riscv_csr_clear(name, bits)  __asm__ volatile("csrc " #name ", %0" ::"rK"((uint64_t)(bits)) : "memory")

// Everything before is seen by everybody, devices included, before anything after.
static inline void riscv_fence(void) {
    __asm__ volatile("fence iorw, iorw" ::: "memory");
}

// What this hart fetches follows what it has seen stored.
static inline void riscv_fence_fetch(void) {
    __asm__ volatile("fence.i" ::: "memory");
}

// Drop translations of this hart: all; all of one address space but global ones; one page of one address space.
static inline void riscv_flush_all(void) {
    __asm__ volatile("sfence.vma" ::: "memory");
}

static inline void riscv_flush_space(uint64_t asid) {
    __asm__ volatile("sfence.vma x0, %0" ::"r"(asid) : "memory");
}

static inline void riscv_flush_page(uint64_t va, uint64_t asid) {
    __asm__ volatile("sfence.vma %0, %1" ::"r"(va), "r"(asid) : "memory");
}

static inline uint64_t riscv_read_time(void) {
    uint64_t value;
    __asm__ volatile("rdtime %0" : "=r"(value)::"memory");
    return value;
}
