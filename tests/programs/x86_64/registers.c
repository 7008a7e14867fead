#include "../registers.h"

static_assert(offsetof(struct registers, message) == 56 && offsetof(struct registers, status) == 96 &&
              offsetof(struct registers, after) == 136 && offsetof(struct registers, zero) == 168 &&
              offsetof(struct registers, free) == 424);

// The frame pointer holds the record's address and is how it is found again.
__asm__(".text\n"
        ".globl registers_call\n"
        "registers_call:\n"
        "    push %rbp; push %rbx; push %r12; push %r13; push %r14; push %r15\n"
        "    mov %rdi, %rbp\n"
        "    mov 0(%rbp), %rax; mov 8(%rbp), %rdi; mov 16(%rbp), %rsi; mov 24(%rbp), %rdx\n"
        "    mov 32(%rbp), %r10; mov 40(%rbp), %r8; mov 48(%rbp), %r9\n"
        "    mov 56(%rbp), %r14; mov 64(%rbp), %r13; mov 72(%rbp), %r12; mov 80(%rbp), %rbx\n"
        "    mov 88(%rbp), %r15; mov %r15, %rcx; mov %r15, %r11\n"
        "    syscall\n"
        "    mov %rax, 96(%rbp)\n"
        "    mov %rdi, 104(%rbp); mov %rsi, 112(%rbp); mov %rdx, 120(%rbp); mov %r10, 128(%rbp)\n"
        "    mov %r14, 136(%rbp); mov %r13, 144(%rbp); mov %r12, 152(%rbp); mov %rbx, 160(%rbp)\n"
        "    mov %r8, 168(%rbp); mov %r9, 176(%rbp); mov %r15, 184(%rbp)\n"
        "    mov %rcx, 424(%rbp); mov %r11, 432(%rbp)\n"
        "    pop %r15; pop %r14; pop %r13; pop %r12; pop %rbx; pop %rbp\n"
        "    ret\n");
