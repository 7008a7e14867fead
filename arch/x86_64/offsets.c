// The source of x86_offsets.h, through which assembly code knows C: this file is compiled to assembly and never linked,
// and scripts/asm_offsets.py picks its marked lines.
#include "kernel/include/arch.h"

#include "layout.h"
#include "vectors.h"

#define DEFINE(name, value) __asm__ volatile("\n.ascii \"->" #name " %c0\"" ::"i"((int64_t)(value)))
#define FRAME(name, field)  DEFINE(FRAME_##name, offsetof(struct arch_frame, field))
#define CPU(name, field)    DEFINE(CPU_##name, offsetof(struct arch_cpu, field))

void x86_offsets(void);

void x86_offsets(void) {
    FRAME(R15, r15);
    FRAME(R14, r14);
    FRAME(R13, r13);
    FRAME(R12, r12);
    FRAME(RBX, rbx);
    FRAME(R11, r11);
    FRAME(R10, r10);
    FRAME(R9, r9);
    FRAME(R8, r8);
    FRAME(RAX, rax);
    FRAME(RCX, rcx);
    FRAME(RDX, rdx);
    FRAME(RSI, rsi);
    FRAME(RDI, rdi);
    FRAME(RBP, rbp);
    FRAME(VECTOR, vector);
    FRAME(ERROR, error);
    FRAME(RIP, rip);
    FRAME(CS, cs);
    FRAME(RFLAGS, rflags);
    FRAME(RSP, rsp);
    FRAME(SS, ss);
    DEFINE(FRAME_SIZE, sizeof(struct arch_frame));
    DEFINE(FRAME_IRET, sizeof(struct arch_frame) - offsetof(struct arch_frame, rip));
    DEFINE(THREAD_FRAME, THREAD_FRAME_OFFSET);

    DEFINE(CPU_THREAD, CPU_CURRENT_OFFSET);
    CPU(SCRATCH, scratch);
    CPU(STACK_TOP, stack_top);

    DEFINE(VECTOR_PROTECTION, X86_VECTOR_PROTECTION);
    DEFINE(VECTOR_SYSCALL, X86_FRAME_CALL);

    DEFINE(SELECTOR_KERNEL_CODE, X86_SELECTOR_KERNEL_CODE);
    DEFINE(IMAGE_OFFSET, X86_IMAGE_OFFSET);
    DEFINE(BOOT_STACK_SIZE, X86_STACK_SIZE);
    DEFINE(LOADER_PVH, X86_LOADER_PVH);
    DEFINE(LOADER_MULTIBOOT2, X86_LOADER_MULTIBOOT2);
    DEFINE(MULTIBOOT2_MAGIC, X86_MULTIBOOT2_MAGIC);
    DEFINE(TABLE_ENTRY, X86_PTE_PRESENT | X86_PTE_WRITE);
    DEFINE(LARGE_ENTRY, X86_PTE_PRESENT | X86_PTE_WRITE | X86_PTE_LARGE);

    DEFINE(TRAMPOLINE_ROOT, offsetof(struct x86_trampoline_data, root));
    DEFINE(TRAMPOLINE_STACK, offsetof(struct x86_trampoline_data, stack));
    DEFINE(TRAMPOLINE_CPU, offsetof(struct x86_trampoline_data, cpu));
    DEFINE(TRAMPOLINE_DATA_SIZE, sizeof(struct x86_trampoline_data));
}
