// The processor itself: which features it has, and the control registers that each CPU is set up with.
#pragma once

#include "kernel/include/arch.h"

struct arm64_features {
    bool pan;     // the kernel cannot touch user memory by accident
    bool epan;    // nor what users can only execute
    bool atomics; // single-instruction atomics; the kernel does without
};

extern struct arm64_features arm64_features; // of the boot CPU; the others are taken to be the same
extern struct arch_cpu arm64_boot_cpu;       // until arch_cpu_attach

void arm64_features_detect(void); // once, before anything else here

void arm64_cpu_init(struct arch_cpu *cpu); // set up this CPU, in the kernel's own map

// A CPU's kernel stack, mapped in the window, and the page that reports use when it has overflowed. ERR_NO_MEMORY.
[[nodiscard]] status_t arm64_stacks_map(struct arch_cpu *cpu, paddr_t stack, paddr_t emergency);

const char *arm64_model_name(uint64_t model); // of MIDR_EL1; null: not known

void arm64_run(void (*function)(void *argument), void *argument); // on this CPU's kernel stack, then idle; entry.S
