// Into the kernel and back to user mode.
//
// While user code runs, the kernel's stack pointer is 16 bytes below the top of the CPU's kernel stack, as it is whenever
// the kernel is left; these 16 bytes are zero. Entries from user mode save the user's registers in the frame of the CPU's current thread and call C, which returns
// the thread to resume, or null to idle. There are two kinds of frame, told apart by `kind`:
//   minimal  a call (svc, whatever its immediate; number in x8, arguments in x0 to x5). The ABI keeps pc, pstate, sp, x29
//            and the message words x19 to x22; those and the arguments are saved. On return x0 to x4 carry the answer, and
//            all others, the user's thread pointer register among them, are zero.
//   full     everything else: every register comes back. The kind says so from the entry to the return.
// A call that has a fast path saves nothing at first: the registers that C keeps still have the user's values when it
// leaves for the general path, or ends without a switch, and those that C does not keep are cleared then.
// Entries from kernel mode are interrupts of the idle loop and kernel bugs; they save on the stack that they happen on,
// unless that has overflowed.

#include "arm64_offsets.h"

#define EC_SHIFT 26
#define EC_CALL  0x15

#define X(n) (FRAME_X + (n) * 8)

    .section .text.entry, "ax"

.macro SAVE_REGISTERS base                  // but x16 and x17
    stp x0, x1, [\base, #X(0)]
    stp x2, x3, [\base, #X(2)]
    stp x4, x5, [\base, #X(4)]
    stp x6, x7, [\base, #X(6)]
    stp x8, x9, [\base, #X(8)]
    stp x10, x11, [\base, #X(10)]
    stp x12, x13, [\base, #X(12)]
    stp x14, x15, [\base, #X(14)]
    stp x18, x19, [\base, #X(18)]
    stp x20, x21, [\base, #X(20)]
    stp x22, x23, [\base, #X(22)]
    stp x24, x25, [\base, #X(24)]
    stp x26, x27, [\base, #X(26)]
    stp x28, x29, [\base, #X(28)]
    str x30, [\base, #FRAME_LR]
.endm

.macro LOAD_REGISTERS base
    ldp x0, x1, [\base, #X(0)]
    ldp x2, x3, [\base, #X(2)]
    ldp x4, x5, [\base, #X(4)]
    ldp x6, x7, [\base, #X(6)]
    ldp x8, x9, [\base, #X(8)]
    ldp x10, x11, [\base, #X(10)]
    ldp x12, x13, [\base, #X(12)]
    ldp x14, x15, [\base, #X(14)]
    ldp x16, x17, [\base, #X(16)]
    ldp x18, x19, [\base, #X(18)]
    ldp x20, x21, [\base, #X(20)]
    ldp x22, x23, [\base, #X(22)]
    ldp x24, x25, [\base, #X(24)]
    ldp x26, x27, [\base, #X(26)]
    ldp x28, x29, [\base, #X(28)]
    ldr x30, [\base, #FRAME_LR]
.endm

// Nothing may be run ahead of time beyond this.
.macro EXCEPTION_RETURN
    eret
    dsb nsh
    isb
.endm

// From user mode.
.macro ENTER_USER kind
    .balign 128
    stp x16, x17, [sp, #-16]                // nothing interrupts this: they stay until they are moved to the frame
    mov x16, #\kind
    b arm64_enter_full
.endm

// From the kernel, on its own stack.
.macro ENTER_KERNEL kind
    .balign 128
    sub sp, sp, #FRAME_SIZE
    add sp, sp, x0                          // is the stack pointer below the stack? Without another register:
    sub x0, sp, x0                          //   x0 = sp, sp = sp + x0
    tbnz x0, #STACK_SHIFT, overflow_\kind
    sub x0, sp, x0
    sub sp, sp, x0
    stp x16, x17, [sp, #X(16)]
    mov x16, #\kind
    add x17, sp, #FRAME_SIZE
    b arm64_enter_kernel
overflow_\kind:
    msr tpidrro_el0, x0
    sub x0, sp, x0
    msr tpidr_el0, x0
    mrs x0, tpidr_el1
    ldr x0, [x0, #CPU_EMERGENCY_TOP]
    sub sp, x0, #FRAME_SIZE
    mrs x0, tpidr_el0
    stp x16, x17, [sp, #X(16)]
    mov x16, #\kind
    mrs x17, tpidrro_el0
    add x17, x17, #FRAME_SIZE
    b arm64_enter_kernel
.endm

.macro NEVER                                // the kernel does not use that stack pointer, users have no such mode
    .balign 128
    b .
.endm

    .balign 2048
    .global arm64_vectors
arm64_vectors:
    NEVER
    NEVER
    NEVER
    NEVER
    ENTER_KERNEL KIND_SYNCHRONOUS
    ENTER_KERNEL KIND_INTERRUPT
    NEVER
    ENTER_KERNEL KIND_SYSTEM_ERROR

    .balign 128
arm64_enter_call:
    str x16, [sp, #-16]                     // for a fault; nothing interrupts this
    mrs x16, esr_el1
    lsr x16, x16, #EC_SHIFT
    cmp x16, #EC_CALL
    ccmp x8, #FAST_MAX, #2, eq             // if it is not a call, as if its number were too large
    b.hs arm64_enter_rest
    adr x16, arm64_fast                     // the image is that small
    ldr x16, [x16, x8, lsl #3]
    br x16
    ENTER_USER KIND_INTERRUPT
    NEVER                                   // fast interrupts are masked for users too
    ENTER_USER KIND_SYSTEM_ERROR

    NEVER
    NEVER
    NEVER
    NEVER

// Where calls go, by number: to their fast paths, once the boot CPU has put them there (main.c).
    .pushsection .data
    .balign 8
    .global arm64_fast
arm64_fast:
    .rept FAST_MAX
    .quad arm64_enter_general
    .endr
    .popsection

// The ends of fast paths: a result in x0, the status in x1. What may hold anything of the kernel's or, if another thread goes
// on, of the one before it becomes zero, by pairs from the top of the stack.
.macro ZERO_KERNEL_REGISTERS                // from x4 on; x18 is never the kernel's
    ldp x4, x5, [sp]
    ZERO_SCRATCH_REGISTERS
.endm
.macro ZERO_SCRATCH_REGISTERS               // from x6 on
    ldp x6, x7, [sp]
    ldp x8, x9, [sp]
    ldp x10, x11, [sp]
    ldp x12, x13, [sp]
    ldp x14, x15, [sp]
    ldp x16, x17, [sp]
.endm
.macro ZERO_USER_REGISTERS
    msr tpidr_el0, xzr
    ldp x18, x23, [sp]
    ldp x24, x25, [sp]
    ldp x26, x27, [sp]
    ldp x28, x30, [sp]
.endm
// x2 = who has made the call, x3 = who goes on in its place.
.macro SWITCH_KEPT
    mrs x9, sp_el0
    mrs x10, elr_el1
    mrs x11, spsr_el1
    stp x9, x10, [x2, #THREAD_FRAME + FRAME_SP]
    stp x29, x11, [x2, #THREAD_FRAME + X(29)]
    ldp x9, x10, [x3, #THREAD_FRAME + FRAME_SP]
    ldp x29, x11, [x3, #THREAD_FRAME + X(29)]
    msr sp_el0, x9
    msr elr_el1, x10
    msr spsr_el1, x11
.endm
.macro SWITCH_MESSAGE
    stp x19, x20, [x2, #THREAD_FRAME + X(19)]
    stp x21, x22, [x2, #THREAD_FRAME + X(21)]
    ldp x19, x20, [x3, #THREAD_FRAME + X(19)]
    ldp x21, x22, [x3, #THREAD_FRAME + X(21)]
.endm

    .global arch_fast_stay_exit, arch_fast_called_exit
arch_fast_called_exit:
arch_fast_stay_exit:
    ldp x2, x3, [sp]
    ZERO_KERNEL_REGISTERS
    EXCEPTION_RETURN

// Four results: in x0, x2, x3 and x4.
    .global arch_fast_words_exit, arch_fast_called_words_exit
arch_fast_called_words_exit:
arch_fast_words_exit:
    mov x5, xzr
    ZERO_SCRATCH_REGISTERS
    EXCEPTION_RETURN

    .global arch_fast_word_exit
arch_fast_word_exit:
    SWITCH_MESSAGE
    .global arch_fast_exit
arch_fast_exit:
    SWITCH_KEPT
    ldp x2, x3, [sp]
    ZERO_KERNEL_REGISTERS
    ZERO_USER_REGISTERS
    EXCEPTION_RETURN

// A second result is in x4.
    .global arch_fast_pair_exit
arch_fast_pair_exit:
    SWITCH_KEPT
    mov x2, x4
    mov x3, xzr
    ZERO_KERNEL_REGISTERS
    ZERO_USER_REGISTERS
    EXCEPTION_RETURN

    .global arch_fast_frame_exit
arch_fast_frame_exit:
    SWITCH_MESSAGE
    SWITCH_KEPT
    ZERO_KERNEL_REGISTERS
    ZERO_USER_REGISTERS
    ldp x0, x1, [x3, #THREAD_FRAME + X(0)]
    ldr x4, [x3, #THREAD_FRAME + X(4)]
    ldp x2, x3, [x3, #THREAD_FRAME + X(2)]
    EXCEPTION_RETURN

.macro KEEP_CALLER                          // in its frame: x16
    mrs x16, tpidr_el1
    ldr x16, [x16, #CPU_THREAD]
    add x16, x16, #THREAD_FRAME
    mrs x9, sp_el0
    mrs x10, elr_el1
    mrs x11, spsr_el1
    stp x19, x20, [x16, #X(19)]
    stp x21, x22, [x16, #X(21)]
    stp x29, x11, [x16, #X(29)]             // and spsr
    stp x9, x10, [x16, #FRAME_SP]
.endm

// The call is made and its answer in the frame, but its caller may not be who goes on.
    .global arch_fast_settle
arch_fast_settle:
    KEEP_CALLER
    mov x29, xzr
    bl trap_settle
    b arm64_resume

// From a fast path that does not apply; the number is in the frame, all else as the fast path got it.
    .global arch_fast_leave
arch_fast_leave:
    mrs x16, tpidr_el1
    ldr x16, [x16, #CPU_THREAD]
    ldr x8, [x16, #THREAD_FRAME + X(8)]
    b arm64_enter_general

// What has no fast path. x16 = the exception's class.
arm64_enter_rest:
    cmp x16, #EC_CALL
    b.ne arm64_enter_fault

arm64_enter_general:
    KEEP_CALLER
    stp x0, x1, [x16, #X(0)]
    stp x2, x3, [x16, #X(2)]
    stp x4, x5, [x16, #X(4)]
    str x8, [x16, #X(8)]
    sub x0, x16, #THREAD_FRAME
    mov x29, xzr
    bl trap_syscall

// Go on with the thread in x0; its address space is in place. Null: idle.
arm64_resume:
    cbz x0, arm64_idle
    add x30, x0, #THREAD_FRAME
    ldr x12, [x30, #FRAME_KIND]
    ldp x9, x10, [x30, #FRAME_SP]
    ldr x11, [x30, #FRAME_SPSR]
    msr sp_el0, x9
    msr elr_el1, x10
    msr spsr_el1, x11
    cbnz x12, arm64_resume_full

    ldp x0, x1, [x30, #X(0)]
    ldp x2, x3, [x30, #X(2)]
    ldp x19, x20, [x30, #X(19)]
    ldp x21, x22, [x30, #X(21)]
    ldr x29, [x30, #X(29)]
    ZERO_KERNEL_REGISTERS
    ldr x4, [x30, #X(4)]
    ZERO_USER_REGISTERS
    EXCEPTION_RETURN

arm64_resume_full:
    str xzr, [x30, #FRAME_KIND]             // KIND_CALL: what the frame says whenever it is not full
    ldr x9, [x30, #FRAME_TPIDR]
    msr tpidr_el0, x9
    LOAD_REGISTERS x30
    EXCEPTION_RETURN

arm64_enter_fault:
    str x17, [sp, #-8]
    mov x16, #KIND_SYNCHRONOUS

// x16 = kind; the user's x16 and x17 are below the stack pointer.
arm64_enter_full:
    mrs x17, tpidr_el1
    ldr x17, [x17, #CPU_THREAD]
    add x17, x17, #THREAD_FRAME
    SAVE_REGISTERS x17
    ldp x0, x1, [sp, #-16]
    stp x0, x1, [x17, #X(16)]
    mrs x9, sp_el0
    mrs x10, elr_el1
    mrs x11, spsr_el1
    mrs x12, esr_el1
    mrs x13, far_el1
    mrs x14, tpidr_el0
    stp x9, x10, [x17, #FRAME_SP]
    str x11, [x17, #FRAME_SPSR]
    str x16, [x17, #FRAME_KIND]
    stp x12, x13, [x17, #FRAME_ESR]
    str x14, [x17, #FRAME_TPIDR]
    sub x0, x17, #THREAD_FRAME
    mov x29, xzr
    bl arm64_trap_user
    b arm64_resume

// x16 = kind, x17 = the interrupted stack pointer; their values are in the frame at sp.
arm64_enter_kernel:
    SAVE_REGISTERS sp
    mrs x10, elr_el1
    mrs x11, spsr_el1
    mrs x12, esr_el1
    mrs x13, far_el1
    stp x17, x10, [sp, #FRAME_SP]
    str x11, [sp, #FRAME_SPSR]
    str x16, [sp, #FRAME_KIND]
    stp x12, x13, [sp, #FRAME_ESR]
    mov x0, sp
    mov x29, xzr
    bl arm64_trap_kernel
    ldr x10, [sp, #FRAME_PC]
    ldr x11, [sp, #FRAME_SPSR]
    msr elr_el1, x10
    msr spsr_el1, x11
    LOAD_REGISTERS sp
    add sp, sp, #FRAME_SIZE
    EXCEPTION_RETURN

// Nothing to run: wait for interrupts, which arrive in kernel mode, until there is. One that comes before the wait ends
// it, and is taken when they are let in.
arm64_idle:
    mov x29, xzr
1:  dsb sy
    wfi
    msr daifclr, #6
    isb
    msr daifset, #15
    bl trap_idle
    cbz x0, 1b
    b arm64_resume

// void arm64_run(void (*function)(void *argument), void *argument): call it on this CPU's kernel stack, then idle.
    .text
    .global arm64_run
arm64_run:
    mov x9, x0
    mov x0, x1
    mrs x10, tpidr_el1
    ldr x10, [x10, #CPU_STACK_TOP]
    mov sp, x10
    stp xzr, xzr, [sp]                      // stays zero: where the exits take zeroes from
    mov x29, xzr
    blr x9
    b arm64_idle

// A range of instructions that may fault, and where they go on then.
.macro FIXUP first, end, resume
    .pushsection .fixups, "a"
    .quad \first, \end, \resume
    .popsection
.endm

// bool arch_user_copy_in(void *to, uint64_t from, size_t length), bool arch_user_copy_out(uint64_t to, const void *from,
// size_t length): false if an access faulted. The user's side is accessed as the user would. A fast path copies with what
// its caller goes back by still in elr and spsr, which a fault takes. Changes no more than x0 to x6, x9, x10 and x30: fast
// paths count on that (arch_fast_bulk_in).
.macro IN_32 at
    ldtr x3, [x1, #\at]
    ldtr x4, [x1, #\at + 8]
    ldtr x5, [x1, #\at + 16]
    ldtr x6, [x1, #\at + 24]
    stp x3, x4, [x0, #\at]
    stp x5, x6, [x0, #\at + 16]
.endm

.macro OUT_32 at
    ldp x3, x4, [x1, #\at]
    ldp x5, x6, [x1, #\at + 16]
    sttr x3, [x0, #\at]
    sttr x4, [x0, #\at + 8]
    sttr x5, [x0, #\at + 16]
    sttr x6, [x0, #\at + 24]
.endm

.macro COPY_USER move_32, load, store
    mrs x9, elr_el1
    mrs x10, spsr_el1
    cmp x2, #8
    b.lo 7f
    subs x2, x2, #128
    b.lo 2f
1:  \move_32 0
    \move_32 32
    \move_32 64
    \move_32 96
    add x1, x1, #128
    add x0, x0, #128
    subs x2, x2, #128
    b.hs 1b
2:  adds x2, x2, #96                        // 128 too few, less the 32 of the next step
    b.mi 4f
3:  \move_32 0
    add x1, x1, #32
    add x0, x0, #32
    subs x2, x2, #32
    b.pl 3b
4:  adds x2, x2, #24                        // 32 too few, less 8
    b.mi 6f
5:  \load x3, [x1]
    \store x3, [x0]
    add x1, x1, #8
    add x0, x0, #8
    subs x2, x2, #8
    b.pl 5b
6:  cmn x2, #8                              // 8 too few: none are left
    b.eq 9f
    add x1, x1, x2                          // the last word begins among those that were moved
    add x0, x0, x2
    \load x3, [x1]
    \store x3, [x0]
9:  mov w0, #1
    ret
7:  cbz x2, 9b
8:  \load\()b w3, [x1]
    \store\()b w3, [x0]
    add x1, x1, #1
    add x0, x0, #1
    subs x2, x2, #1
    b.ne 8b
    b 9b
.endm

    .global arch_user_copy_in
arch_user_copy_in:
    COPY_USER IN_32, ldtr, str
10: FIXUP arch_user_copy_in, 10b, copy_fault

    .global arch_user_copy_out
arch_user_copy_out:
    COPY_USER OUT_32, ldr, sttr
10: FIXUP arch_user_copy_out, 10b, copy_fault

copy_fault:
    msr elr_el1, x9
    msr spsr_el1, x10
    mov w0, wzr
    ret

// bool arm64_peek(uint64_t from, uint64_t words[2]): two words of the kernel's own memory, if they can be read.
    .global arm64_peek
arm64_peek:
    ldp x2, x3, [x0]
1:  stp x2, x3, [x1]
    mov w0, #1
    ret
    FIXUP arm64_peek, 1b, peek_fault
peek_fault:
    mov w0, wzr
    ret

// void arm64_semihosting(uint64_t operation, void *block): a request to the emulator; nothing where there is none.
    .global arm64_semihosting
arm64_semihosting:
    hlt #0xf000
1:  ret
    FIXUP arm64_semihosting, 1b, 1b

// Vector registers of a struct arch_thread.
    .arch armv8-a
    .global arm64_vector_save
arm64_vector_save:
    add x1, x0, #THREAD_VECTOR
    stp q0, q1, [x1, #0]
    stp q2, q3, [x1, #32]
    stp q4, q5, [x1, #64]
    stp q6, q7, [x1, #96]
    stp q8, q9, [x1, #128]
    stp q10, q11, [x1, #160]
    stp q12, q13, [x1, #192]
    stp q14, q15, [x1, #224]
    stp q16, q17, [x1, #256]
    stp q18, q19, [x1, #288]
    stp q20, q21, [x1, #320]
    stp q22, q23, [x1, #352]
    stp q24, q25, [x1, #384]
    stp q26, q27, [x1, #416]
    stp q28, q29, [x1, #448]
    stp q30, q31, [x1, #480]
    mrs x2, fpcr
    mrs x3, fpsr
    add x0, x0, #THREAD_CONTROL
    stp x2, x3, [x0]
    ret

    .global arm64_vector_load
arm64_vector_load:
    add x1, x0, #THREAD_VECTOR
    ldp q0, q1, [x1, #0]
    ldp q2, q3, [x1, #32]
    ldp q4, q5, [x1, #64]
    ldp q6, q7, [x1, #96]
    ldp q8, q9, [x1, #128]
    ldp q10, q11, [x1, #160]
    ldp q12, q13, [x1, #192]
    ldp q14, q15, [x1, #224]
    ldp q16, q17, [x1, #256]
    ldp q18, q19, [x1, #288]
    ldp q20, q21, [x1, #320]
    ldp q22, q23, [x1, #352]
    ldp q24, q25, [x1, #384]
    ldp q26, q27, [x1, #416]
    ldp q28, q29, [x1, #448]
    ldp q30, q31, [x1, #480]
    add x0, x0, #THREAD_CONTROL
    ldp x2, x3, [x0]
    msr fpcr, x2
    msr fpsr, x3
    ret

    .section .note.GNU-stack, "", @progbits
