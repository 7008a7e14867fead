// The source of arm64_offsets.h, through which assembly code knows C: this file is compiled to assembly and never linked,
// and scripts/asm_offsets.py picks its marked lines.
#include "kernel/include/arch.h"

#include "layout.h"

#define DEFINE(name, value) __asm__ volatile("\n.ascii \"->" #name " %c0\"" ::"i"((int64_t)(value)))
#define FRAME(name, field)  DEFINE(FRAME_##name, offsetof(struct arch_frame, field))
#define CPU(name, field)    DEFINE(CPU_##name, offsetof(struct arch_cpu, field))

void arm64_offsets(void);

void arm64_offsets(void) {
    FRAME(X, x);
    FRAME(SP, sp);
    FRAME(PC, pc);
    FRAME(SPSR, spsr);
    FRAME(LR, lr);
    FRAME(KIND, kind);
    FRAME(ESR, esr);
    FRAME(FAR, far);
    FRAME(TPIDR, tpidr);
    DEFINE(FRAME_SIZE, sizeof(struct arch_frame));
    DEFINE(THREAD_FRAME, THREAD_FRAME_OFFSET);

    DEFINE(KIND_CALL, ARM64_FRAME_CALL);
    DEFINE(KIND_SYNCHRONOUS, ARM64_FRAME_SYNCHRONOUS);
    DEFINE(KIND_INTERRUPT, ARM64_FRAME_INTERRUPT);
    DEFINE(KIND_SYSTEM_ERROR, ARM64_FRAME_SYSTEM_ERROR);

    static_assert(ARM64_FAST_MAX < 32); // the entry compares with it as an immediate
    DEFINE(FAST_MAX, ARM64_FAST_MAX);
    DEFINE(CPU_THREAD, CPU_CURRENT_OFFSET);
    CPU(STACK_TOP, stack_top);
    CPU(EMERGENCY_TOP, emergency_top);
    DEFINE(THREAD_VECTOR, offsetof(struct arch_thread, vector_state));
    DEFINE(THREAD_CONTROL, offsetof(struct arch_thread, control));

    DEFINE(STACK_SHIFT, ARM64_STACK_SHIFT);
    DEFINE(STACK_SIZE, ARM64_STACK_SIZE);
    DEFINE(IMAGE_BLOCKS, ARM64_IMAGE_BLOCKS);
    DEFINE(TABLE_ENTRY, ARM64_PTE_VALID | ARM64_PTE_TABLE);
    DEFINE(BLOCK_CODE_DATA, ARM64_PTE_ORDINARY | ARM64_PTE_NO_EXEC_USER);
    DEFINE(BLOCK_CODE, ARM64_PTE_ORDINARY | ARM64_PTE_NO_EXEC_USER | ARM64_PTE_READ_ONLY);
    DEFINE(BLOCK_CONSTANT,
           ARM64_PTE_ORDINARY | ARM64_PTE_NO_EXEC_USER | ARM64_PTE_NO_EXEC_KERNEL | ARM64_PTE_READ_ONLY);
    DEFINE(SCTLR_OFF, ARM64_SCTLR_ONES);
    DEFINE(SCTLR_ON, ARM64_SCTLR_ONES | ARM64_SCTLR_MMU | ARM64_SCTLR_CACHE | ARM64_SCTLR_STACK_CHECK |
                         ARM64_SCTLR_INSTRUCTION | ARM64_SCTLR_USER_WFE);
}
