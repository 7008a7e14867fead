// Into the kernel and back to user mode.
//
// Entries from user mode save the user's registers in the current thread's frame (what the processor has pushed on the CPU's
// kernel stack is moved there), switch to the CPU's kernel stack and call C, which returns the thread to resume, or null to
// idle. There are two kinds of frame, told apart by their vector:
//   minimal  a call (syscall instruction). The ABI keeps rip, rflags, rsp and rbp, and the message words in r14, r13, r12
//            and rbx; those and the arguments are saved. On return rax, rdi, rsi, rdx, r10 carry the answer, rcx and r11
//            are the processor's, all others are zero.
//   full     everything else: every register comes back. The vector says so from the entry to the return.
// Entries from kernel mode are interrupts of the idle loop and kernel bugs; they use the stack they happen on.
// NMI, double fault and machine check may hit anywhere, even between an entry and its swapgs: they run on stacks of their
// own and look at the gs base itself (user code cannot set it: CR4.FSGSBASE stays off, and every segment's base is 0).
// So does a debug exception in the kernel: some processors deliver that of a call stepped over with TF at the first
// instruction of the call entry, on the user's stack. From user mode it is one like any other, once it is moved off its
// stack.

#include "x86_offsets.h"

#define MSR_GS_BASE 0xc0000101

// With SMAP, user mode's AC flag must not stay set in the kernel. Patched to clac where the CPU has SMAP.
.macro CLEAR_AC
770:
    nopl (%rax)
    .pushsection .smap_sites, "a"
    .quad 770b
    .byte 0xca, 0, 0, 0, 0, 0, 0, 0
    .popsection
.endm

// Below what the processor and the stub pushed.
.macro PUSH_REGISTERS
    push %rbp
    push %rdi
    push %rsi
    push %rdx
    push %rcx
    push %rax
    push %r8
    push %r9
    push %r10
    push %r11
    push %rbx
    push %r12
    push %r13
    push %r14
    push %r15
    cld
    CLEAR_AC
.endm

// From user mode, with vector and error code pushed on another stack: move all that to the thread's frame, and go on there.
.macro MOVE_TO_FRAME
    push %rax
    mov %gs:CPU_THREAD, %rax
    offset = FRAME_SIZE - 8
    .rept (FRAME_SIZE - FRAME_VECTOR) / 8
    push offset - FRAME_VECTOR + 8(%rsp)
    pop THREAD_FRAME + offset(%rax)
    offset = offset - 8
    .endr
    pop %rax
    mov %gs:CPU_THREAD, %rsp
    lea THREAD_FRAME + FRAME_VECTOR(%rsp), %rsp
.endm

.macro POP_REGISTERS
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbx
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rax
    pop %rcx
    pop %rdx
    pop %rsi
    pop %rdi
    pop %rbp
.endm

    .section .text.entry, "ax"

// The syscall instruction: rcx = rip, r11 = rflags, flags masked (IA32_FMASK), stack still the user's. What the fast
// paths need of the frame is saved first; they are C functions of the six arguments and leave the message words in their
// registers alone.
    .balign 64
    .global x86_enter_call
x86_enter_call:
    swapgs
    mov %rsp, %r15
    mov %gs:CPU_THREAD, %rsp
    mov %rcx, THREAD_FRAME + FRAME_RIP(%rsp)
    mov %r11, THREAD_FRAME + FRAME_RFLAGS(%rsp)
    mov %rbp, THREAD_FRAME + FRAME_RBP(%rsp)
    mov %r15, THREAD_FRAME + FRAME_RSP(%rsp)
    mov %r10, %rcx
    cmp fast_limit(%rip), %rax
    jae x86_enter_general
    mov %gs:CPU_STACK_TOP, %rsp
    jmp *fast_paths(,%rax,8)

// The ends of fast paths: a result in rdi, the status in rsi, who made the call in rdx, and who goes on in rcx; for
// arch_fast_stay_exit these are one. What both keep but the message words is in their frames.
.macro SWITCH_MESSAGE
    mov %r14, THREAD_FRAME + FRAME_R14(%rdx)
    mov %r13, THREAD_FRAME + FRAME_R13(%rdx)
    mov %r12, THREAD_FRAME + FRAME_R12(%rdx)
    mov %rbx, THREAD_FRAME + FRAME_RBX(%rdx)
.endm

.macro KEEP_MESSAGE                         // in the frame of the thread in rsp
    mov %r14, THREAD_FRAME + FRAME_R14(%rsp)
    mov %r13, THREAD_FRAME + FRAME_R13(%rsp)
    mov %r12, THREAD_FRAME + FRAME_R12(%rsp)
    mov %rbx, THREAD_FRAME + FRAME_RBX(%rsp)
.endm

.macro LOAD_KEPT                            // and the status
    mov THREAD_FRAME + FRAME_RFLAGS(%rcx), %r11
    mov THREAD_FRAME + FRAME_RBP(%rcx), %rbp
    mov THREAD_FRAME + FRAME_RSP(%rcx), %rsp
    mov THREAD_FRAME + FRAME_RIP(%rcx), %rcx
    mov %rsi, %rax
.endm
.macro ZERO_REST
    xor %edx, %edx
    xor %r8d, %r8d
    xor %r9d, %r9d
    xor %r10d, %r10d
    xor %r15d, %r15d
.endm

    .global arch_fast_word_exit
arch_fast_word_exit:
    SWITCH_MESSAGE
    mov THREAD_FRAME + FRAME_R14(%rcx), %r14
    mov THREAD_FRAME + FRAME_R13(%rcx), %r13
    mov THREAD_FRAME + FRAME_R12(%rcx), %r12
    mov THREAD_FRAME + FRAME_RBX(%rcx), %rbx
    .global arch_fast_exit
arch_fast_exit:
    .global arch_fast_stay_exit, arch_fast_called_exit
arch_fast_called_exit:
arch_fast_stay_exit:
    LOAD_KEPT
    xor %esi, %esi
    ZERO_REST
    swapgs
    sysretq

// A second result is in r8.
    .global arch_fast_pair_exit
arch_fast_pair_exit:
    LOAD_KEPT
    mov %r8, %rsi
    ZERO_REST
    swapgs
    sysretq

// The caller, which is rcx, goes on: results in rdi, rsi, rdx and r8, the status in r9.
    .global arch_fast_words_exit, arch_fast_called_words_exit
arch_fast_called_words_exit:
arch_fast_words_exit:
    mov THREAD_FRAME + FRAME_RFLAGS(%rcx), %r11
    mov THREAD_FRAME + FRAME_RBP(%rcx), %rbp
    mov THREAD_FRAME + FRAME_RSP(%rcx), %rsp
    mov THREAD_FRAME + FRAME_RIP(%rcx), %rcx
    mov %r9, %rax
    mov %r8, %r10
    xor %r8d, %r8d
    xor %r9d, %r9d
    xor %r15d, %r15d
    swapgs
    sysretq

    .global arch_fast_frame_exit
arch_fast_frame_exit:
    SWITCH_MESSAGE
    mov %rcx, %rax
    jmp x86_resume_call

// The call is made and its answer in the frame, but its caller may not be who goes on.
    .global arch_fast_settle
arch_fast_settle:
    mov %gs:CPU_THREAD, %rsp
    KEEP_MESSAGE
    mov %gs:CPU_STACK_TOP, %rsp
    xor %ebp, %ebp
    call trap_settle
    jmp x86_resume

// From a fast path that does not apply; the number is in the frame, the rest as the fast path got it.
    .global arch_fast_leave
arch_fast_leave:
    mov %gs:CPU_THREAD, %rsp
    mov THREAD_FRAME + FRAME_RAX(%rsp), %rax

x86_enter_general:
    mov %rax, THREAD_FRAME + FRAME_RAX(%rsp)
    mov %rdi, THREAD_FRAME + FRAME_RDI(%rsp)
    mov %rsi, THREAD_FRAME + FRAME_RSI(%rsp)
    mov %rdx, THREAD_FRAME + FRAME_RDX(%rsp)
    mov %rcx, THREAD_FRAME + FRAME_R10(%rsp)
    mov %r8, THREAD_FRAME + FRAME_R8(%rsp)
    mov %r9, THREAD_FRAME + FRAME_R9(%rsp)
    KEEP_MESSAGE
    mov %rsp, %rdi
    mov %gs:CPU_STACK_TOP, %rsp
    xor %ebp, %ebp
    call trap_syscall

// Go on with the thread in rax; its address space is in place. Null: idle.
x86_resume:
    test %rax, %rax
    jz x86_idle
    cmpl $VECTOR_SYSCALL, THREAD_FRAME + FRAME_VECTOR(%rax)
    jne x86_resume_full

x86_resume_call:
    // A call's rip lies behind a syscall instruction in user space, below ARCH_USER_TOP: canonical, as sysret needs.
    mov THREAD_FRAME + FRAME_RIP(%rax), %rcx
    mov THREAD_FRAME + FRAME_RFLAGS(%rax), %r11
    mov THREAD_FRAME + FRAME_RDI(%rax), %rdi
    mov THREAD_FRAME + FRAME_RSI(%rax), %rsi
    mov THREAD_FRAME + FRAME_RDX(%rax), %rdx
    mov THREAD_FRAME + FRAME_R10(%rax), %r10
    mov THREAD_FRAME + FRAME_RBP(%rax), %rbp
    mov THREAD_FRAME + FRAME_RSP(%rax), %rsp
    mov THREAD_FRAME + FRAME_R14(%rax), %r14
    mov THREAD_FRAME + FRAME_R13(%rax), %r13
    mov THREAD_FRAME + FRAME_R12(%rax), %r12
    mov THREAD_FRAME + FRAME_RBX(%rax), %rbx
    mov THREAD_FRAME + FRAME_RAX(%rax), %rax
    xor %r8d, %r8d
    xor %r9d, %r9d
    xor %r15d, %r15d
    swapgs
    sysretq

x86_resume_full:
    // iretq would fault in the kernel on a non-canonical rip, which a jump can leave behind on some processors.
    mov THREAD_FRAME + FRAME_RIP(%rax), %rcx
    shr $47, %rcx
    jnz x86_resume_nowhere
    movq $VECTOR_SYSCALL, THREAD_FRAME + FRAME_VECTOR(%rax) // what the frame says whenever it is not full
    lea THREAD_FRAME(%rax), %rsp
    POP_REGISTERS
    add $16, %rsp
    swapgs
    iretq

// The thread's next instruction has no address: a fault of its own.
x86_resume_nowhere:
    movq $VECTOR_PROTECTION, THREAD_FRAME + FRAME_VECTOR(%rax)
    movq $0, THREAD_FRAME + FRAME_ERROR(%rax)
    mov %rax, %rdi
    call x86_trap_user
    jmp x86_resume

// Nothing to run: wait for interrupts, which arrive in kernel mode, until there is.
    .global x86_idle
x86_idle:
    mov %gs:CPU_STACK_TOP, %rsp
    xor %ebp, %ebp
1:  sti
    hlt
    cli
    call trap_idle
    test %rax, %rax
    jz 1b
    jmp x86_resume

// All vectors but the three below, with vector and error code pushed.
x86_enter_trap:
    testb $3, FRAME_CS - FRAME_VECTOR(%rsp)
    jz 2f
    swapgs
x86_enter_trap_user:
    MOVE_TO_FRAME
    PUSH_REGISTERS
    mov %gs:CPU_THREAD, %rdi
    mov %gs:CPU_STACK_TOP, %rsp
    xor %ebp, %ebp
    call x86_trap_user
    jmp x86_resume
2:  PUSH_REGISTERS
    mov %rsp, %rdi
    xor %ebp, %ebp
    call x86_trap_kernel
    POP_REGISTERS
    add $16, %rsp
    iretq

// Debug exception, on a stack of its own.
x86_enter_debug:
    testb $3, FRAME_CS - FRAME_VECTOR(%rsp)
    jz x86_enter_anywhere
    swapgs
    jmp x86_enter_trap_user

// NMI, double fault, machine check.
x86_enter_anywhere:
    PUSH_REGISTERS
    mov $MSR_GS_BASE, %ecx
    rdmsr
    mov %edx, %ebx
    test %edx, %edx
    js 3f
    swapgs
3:  mov %rsp, %rdi
    call x86_trap_anywhere
    test %ebx, %ebx
    js 4f
    swapgs
4:  POP_REGISTERS
    add $16, %rsp
    iretq

// One stub per vector, 16 bytes each. The processor pushes an error code for the vectors named here.
    .balign 16
    .global x86_stubs
x86_stubs:
    vector = 0
    .rept 256
    .balign 16
    .if (vector == 8) || (vector >= 10 && vector <= 14) || (vector == 17) || (vector == 21) || (vector == 29) || (vector == 30)
    .else
    push $0
    .endif
    push $vector
    .if vector == 1
    jmp x86_enter_debug
    .elseif (vector == 2) || (vector == 8) || (vector == 18)
    jmp x86_enter_anywhere
    .else
    jmp x86_enter_trap
    .endif
    vector = vector + 1
    .endr

// void x86_run(void (*function)(void *argument), void *argument): call it on this CPU's kernel stack, then idle.
    .text
    .global x86_run
x86_run:
    mov %rdi, %rax
    mov %rsi, %rdi
    mov %gs:CPU_STACK_TOP, %rsp
    xor %ebp, %ebp
    call *%rax
    jmp x86_idle

// bool x86_copy(void *to, const void *from, size_t length): false if an access faulted. Either side may be user memory.
// Changes no more than rax, rcx, rdx, rsi and rdi: fast paths count on that (x86_bulk_copy).
    .global x86_copy
x86_copy:
770:
    nopl (%rax)                             // stac
    mov %rdx, %rcx
    shr $3, %rcx
771:
    rep movsq
    mov %edx, %ecx
    and $7, %ecx
772:
    rep movsb
    mov $1, %eax
773:
    nopl (%rax)                             // clac
    ret
x86_copy_fault:
    xor %eax, %eax
    jmp 773b

    .pushsection .smap_sites, "a"
    .quad 770b
    .byte 0xcb, 0, 0, 0, 0, 0, 0, 0
    .quad 773b
    .byte 0xca, 0, 0, 0, 0, 0, 0, 0
    .popsection
    .pushsection .fixups, "a"
    .quad 771b, x86_copy_fault
    .quad 772b, x86_copy_fault
    .popsection

    .section .note.GNU-stack, "", @progbits
