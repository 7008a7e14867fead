// Into the kernel and back to user mode.
//
// There is one entry for everything. sscratch holds the CPU's data (struct arch_cpu) at all times but for the first
// instructions of an entry, when it and tp have changed places; in the kernel tp holds the same, in user mode it is the
// user's. Entries from user mode save the user's registers straight into the current thread's frame, switch to the CPU's
// kernel stack and call C, which returns the thread to resume, or null to idle. There are two kinds of frame, told apart by
// their cause:
//   minimal  a call (ecall). The ABI keeps pc, sp, s0, gp and tp, and the message words s2 to s5; those and the arguments are
//            saved. On return a0 to a4 carry the answer, all others are zero but s10, which is the pc.
//   full     everything else: every register comes back. The cause says so from the entry to the return.
// Traps from kernel mode are interrupts of the idle loop, faults of the copy helpers, and bugs; they use the stack they
// happen on, and a spare one if that is full. SUM is set in the copy helpers only (here and in arch_inline.h).
//
// sstatus needs no saving with user frames. SPP is 0 except between a trap in the kernel and its sret, and SPIE does not
// matter: in user mode the kernel's interrupts are always enabled. FS belongs to the current thread (float.c).

#include "riscv_offsets.h"

// All registers but sp, tp and the ones that the entry has saved already (t0, and for the kernel sp).
.macro SAVE_REGISTERS offset
    sd ra, \offset + FRAME_RA(sp)
    sd gp, \offset + FRAME_GP(sp)
    sd t1, \offset + FRAME_T1(sp)
    sd t2, \offset + FRAME_T2(sp)
    sd s0, \offset + FRAME_S0(sp)
    sd s1, \offset + FRAME_S1(sp)
    sd a0, \offset + FRAME_A0(sp)
    sd a1, \offset + FRAME_A1(sp)
    sd a2, \offset + FRAME_A2(sp)
    sd a3, \offset + FRAME_A3(sp)
    sd a4, \offset + FRAME_A4(sp)
    sd a5, \offset + FRAME_A5(sp)
    sd a6, \offset + FRAME_A6(sp)
    sd a7, \offset + FRAME_A7(sp)
    sd s2, \offset + FRAME_S2(sp)
    sd s3, \offset + FRAME_S3(sp)
    sd s4, \offset + FRAME_S4(sp)
    sd s5, \offset + FRAME_S5(sp)
    sd s6, \offset + FRAME_S6(sp)
    sd s7, \offset + FRAME_S7(sp)
    sd s8, \offset + FRAME_S8(sp)
    sd s9, \offset + FRAME_S9(sp)
    sd s10, \offset + FRAME_S10(sp)
    sd s11, \offset + FRAME_S11(sp)
    sd t3, \offset + FRAME_T3(sp)
    sd t4, \offset + FRAME_T4(sp)
    sd t5, \offset + FRAME_T5(sp)
    sd t6, \offset + FRAME_T6(sp)
.endm

// All but tp, sp and t0.
.macro LOAD_REGISTERS offset
    ld ra, \offset + FRAME_RA(sp)
    ld gp, \offset + FRAME_GP(sp)
    ld t1, \offset + FRAME_T1(sp)
    ld t2, \offset + FRAME_T2(sp)
    ld s0, \offset + FRAME_S0(sp)
    ld s1, \offset + FRAME_S1(sp)
    ld a0, \offset + FRAME_A0(sp)
    ld a1, \offset + FRAME_A1(sp)
    ld a2, \offset + FRAME_A2(sp)
    ld a3, \offset + FRAME_A3(sp)
    ld a4, \offset + FRAME_A4(sp)
    ld a5, \offset + FRAME_A5(sp)
    ld a6, \offset + FRAME_A6(sp)
    ld a7, \offset + FRAME_A7(sp)
    ld s2, \offset + FRAME_S2(sp)
    ld s3, \offset + FRAME_S3(sp)
    ld s4, \offset + FRAME_S4(sp)
    ld s5, \offset + FRAME_S5(sp)
    ld s6, \offset + FRAME_S6(sp)
    ld s7, \offset + FRAME_S7(sp)
    ld s8, \offset + FRAME_S8(sp)
    ld s9, \offset + FRAME_S9(sp)
    ld s10, \offset + FRAME_S10(sp)
    ld s11, \offset + FRAME_S11(sp)
    ld t3, \offset + FRAME_T3(sp)
    ld t4, \offset + FRAME_T4(sp)
    ld t5, \offset + FRAME_T5(sp)
    ld t6, \offset + FRAME_T6(sp)
.endm

    .section .text.entry, "ax"

    .balign 64
    .global riscv_enter
riscv_enter:
    csrrw tp, sscratch, tp
    sd t0, CPU_SCRATCH(tp)
    csrr t0, scause
    xori t0, t0, CAUSE_USER_CALL
    bnez t0, riscv_enter_trap

// A call. What the ABI keeps stays in registers that fast paths leave alone (cross/riscv64.ini: fast_args): s9 = sp,
// s10 = pc, s11 = tp, and s0, gp and the message words where they are. It goes into the frame when another thread goes on,
// or for the general path.
    csrr s10, sepc
    addi s10, s10, 4
    csrrw s11, sscratch, tp
    mv s9, sp
    ld t0, CPU_FAST_LIMIT(tp)
    ld sp, CPU_STACK_TOP(tp)
    bgeu a7, t0, riscv_enter_general
    slli t0, a7, 3
    add t0, t0, tp
    ld t0, CPU_FAST_PATHS(t0)
    jr t0

// The ends of fast paths: a result in a0, the status in a1. What may hold anything of the kernel's or, if another thread goes
// on, of the one before it becomes zero. Where the caller itself goes on, s9 to s11 hold what is its own, and a7, t5, t6, which
// fast paths leave alone (cross/riscv64.ini), and ra are what they were: who ends with a tail call gives ra back before.
.macro ZERO registers:vararg
    .irp register, \registers
    li \register, 0
    .endr
.endm

    .global arch_fast_called_exit
arch_fast_called_exit:
    ZERO a7, t5, t6
    .global arch_fast_stay_exit
arch_fast_stay_exit:
    ZERO a2, a3, a4

// Four results: in a0, a2, a3 and a4.
    .global arch_fast_words_exit
arch_fast_words_exit:
    csrw sepc, s10
    mv sp, s9
    mv tp, s11
    ZERO a5, a6, t0, t1, t2, t3, t4
    sret

    .global arch_fast_called_words_exit
arch_fast_called_words_exit:
    ZERO a7, t5, t6
    j arch_fast_words_exit

// a2 = who has made the call, a3 = who goes on in its place; s10 becomes its pc.
.macro SWITCH_KEPT
    sd s9, THREAD_FRAME + FRAME_SP(a2)
    sd s10, THREAD_FRAME + FRAME_PC(a2)
    sd s11, THREAD_FRAME + FRAME_TP(a2)
    sd s0, THREAD_FRAME + FRAME_S0(a2)
    sd gp, THREAD_FRAME + FRAME_GP(a2)
    ld s10, THREAD_FRAME + FRAME_PC(a3)
    csrw sepc, s10
    ld sp, THREAD_FRAME + FRAME_SP(a3)
    ld tp, THREAD_FRAME + FRAME_TP(a3)
    ld s0, THREAD_FRAME + FRAME_S0(a3)
    ld gp, THREAD_FRAME + FRAME_GP(a3)
.endm
.macro SWITCH_MESSAGE
    sd s2, THREAD_FRAME + FRAME_S2(a2)
    sd s3, THREAD_FRAME + FRAME_S3(a2)
    sd s4, THREAD_FRAME + FRAME_S4(a2)
    sd s5, THREAD_FRAME + FRAME_S5(a2)
    ld s2, THREAD_FRAME + FRAME_S2(a3)
    ld s3, THREAD_FRAME + FRAME_S3(a3)
    ld s4, THREAD_FRAME + FRAME_S4(a3)
    ld s5, THREAD_FRAME + FRAME_S5(a3)
.endm

    .global arch_fast_word_exit
arch_fast_word_exit:
    SWITCH_MESSAGE
    .global arch_fast_exit
arch_fast_exit:
    SWITCH_KEPT
    ZERO a2, a3, a4, a5, a6, a7, ra, t0, t1, t2, t3, t4, t5, t6, s1, s6, s7, s8, s9, s11
    sret

// A second result is in a4.
    .global arch_fast_pair_exit
arch_fast_pair_exit:
    SWITCH_KEPT
    mv a2, a4
    ZERO a3, a4, a5, a6, a7, ra, t0, t1, t2, t3, t4, t5, t6, s1, s6, s7, s8, s9, s11
    sret

    .global arch_fast_frame_exit
arch_fast_frame_exit:
    SWITCH_MESSAGE
    SWITCH_KEPT
    ld a0, THREAD_FRAME + FRAME_A0(a3)
    ld a1, THREAD_FRAME + FRAME_A1(a3)
    ld a2, THREAD_FRAME + FRAME_A2(a3)
    ld a4, THREAD_FRAME + FRAME_A4(a3)
    ld a3, THREAD_FRAME + FRAME_A3(a3)
    ZERO a5, a6, a7, ra, t0, t1, t2, t3, t4, t5, t6, s1, s6, s7, s8, s9, s11
    sret

.macro KEEP_CALLER                          // in the frame of the thread in sp
    sd s10, THREAD_FRAME + FRAME_PC(sp)
    sd s9, THREAD_FRAME + FRAME_SP(sp)
    sd s11, THREAD_FRAME + FRAME_TP(sp)
    sd gp, THREAD_FRAME + FRAME_GP(sp)
    sd s0, THREAD_FRAME + FRAME_S0(sp)
    sd s2, THREAD_FRAME + FRAME_S2(sp)
    sd s3, THREAD_FRAME + FRAME_S3(sp)
    sd s4, THREAD_FRAME + FRAME_S4(sp)
    sd s5, THREAD_FRAME + FRAME_S5(sp)
.endm

// The call is made and its answer in the frame, but its caller may not be who goes on.
    .global arch_fast_settle
arch_fast_settle:
    ld sp, CPU_THREAD(tp)
    KEEP_CALLER
    ld sp, CPU_STACK_TOP(tp)
    li s0, 0
    call trap_settle
    j riscv_resume

// From a fast path that does not apply; the number is in the frame, the rest as the fast path got it.
    .global arch_fast_leave
arch_fast_leave:
    ld t0, CPU_THREAD(tp)
    ld a7, THREAD_FRAME + FRAME_A7(t0)

riscv_enter_general:
    ld sp, CPU_THREAD(tp)
    KEEP_CALLER
    sd a0, THREAD_FRAME + FRAME_A0(sp)
    sd a1, THREAD_FRAME + FRAME_A1(sp)
    sd a2, THREAD_FRAME + FRAME_A2(sp)
    sd a3, THREAD_FRAME + FRAME_A3(sp)
    sd a4, THREAD_FRAME + FRAME_A4(sp)
    sd a5, THREAD_FRAME + FRAME_A5(sp)
    sd a7, THREAD_FRAME + FRAME_A7(sp)
    mv a0, sp
    ld sp, CPU_STACK_TOP(tp)
    li s0, 0
    call trap_syscall

// Go on with the thread in a0; its address space is in place. Null: idle.
riscv_resume:
    beqz a0, riscv_idle
    ld t0, THREAD_FRAME + FRAME_CAUSE(a0)
    bnez t0, riscv_resume_full

    ld s10, THREAD_FRAME + FRAME_PC(a0)
    csrw sepc, s10
    ld sp, THREAD_FRAME + FRAME_SP(a0)
    ld gp, THREAD_FRAME + FRAME_GP(a0)
    ld tp, THREAD_FRAME + FRAME_TP(a0)
    ld s0, THREAD_FRAME + FRAME_S0(a0)
    ld a1, THREAD_FRAME + FRAME_A1(a0)
    ld a2, THREAD_FRAME + FRAME_A2(a0)
    ld a3, THREAD_FRAME + FRAME_A3(a0)
    ld a4, THREAD_FRAME + FRAME_A4(a0)
    ld s2, THREAD_FRAME + FRAME_S2(a0)
    ld s3, THREAD_FRAME + FRAME_S3(a0)
    ld s4, THREAD_FRAME + FRAME_S4(a0)
    ld s5, THREAD_FRAME + FRAME_S5(a0)
    ld a0, THREAD_FRAME + FRAME_A0(a0)
    ZERO a5, a6, a7, ra, t0, t1, t2, t3, t4, t5, t6, s1, s6, s7, s8, s9, s11
    sret

riscv_resume_full:
    mv sp, a0
    sd zero, THREAD_FRAME + FRAME_CAUSE(sp) // CAUSE_CALL: what the frame says whenever it is not full
    ld t0, THREAD_FRAME + FRAME_PC(sp)
    csrw sepc, t0
    // A reservation that another thread has made here must not let this one's store-conditional succeed.
    addi t1, sp, THREAD_FRAME + FRAME_PC
    sc.d zero, t0, (t1)
    LOAD_REGISTERS THREAD_FRAME
    ld t0, THREAD_FRAME + FRAME_T0(sp)
    ld tp, THREAD_FRAME + FRAME_TP(sp)
    ld sp, THREAD_FRAME + FRAME_SP(sp)
    sret

// Nothing to run: wait for interrupts, which arrive in kernel mode, until there is. What is pending ends wfi whether or
// not interrupts are enabled, so none that comes before it is slept through.
    .global riscv_idle
riscv_idle:
    ld sp, CPU_STACK_TOP(tp)
    li s0, 0
1:  wfi
    csrsi sstatus, STATUS_SIE
    csrci sstatus, STATUS_SIE
    call trap_idle
    beqz a0, 1b
    j riscv_resume

// Any trap but a call from user mode. tp and sscratch have changed places, t0 is in the CPU's scratch.
riscv_enter_trap:
    csrr t0, sstatus
    andi t0, t0, STATUS_SPP
    bnez t0, riscv_enter_kernel
    ld t0, CPU_THREAD(tp)
    sd sp, THREAD_FRAME + FRAME_SP(t0)
    mv sp, t0
    SAVE_REGISTERS THREAD_FRAME
    csrrw t0, sscratch, tp
    sd t0, THREAD_FRAME + FRAME_TP(sp)
    csrr t0, scause
    sd t0, THREAD_FRAME + FRAME_CAUSE(sp)
    csrr t0, sepc
    sd t0, THREAD_FRAME + FRAME_PC(sp)
    ld t0, CPU_SCRATCH(tp)
    sd t0, THREAD_FRAME + FRAME_T0(sp)
    mv a0, sp
    ld sp, CPU_STACK_TOP(tp)
    li s0, 0
    call riscv_trap_user
    j riscv_resume

// In the kernel: sscratch and tp were the same.
riscv_enter_kernel:
    ld t0, CPU_STACK_LIMIT(tp)
    bltu sp, t0, 2f
    mv t0, sp
    j 3f
2:  mv t0, sp
    ld sp, CPU_SPARE_TOP(tp)
3:  addi sp, sp, -FRAME_SIZE
    sd t0, FRAME_SP(sp)
    ld t0, CPU_SCRATCH(tp)
    sd t0, FRAME_T0(sp)
    SAVE_REGISTERS 0
    sd tp, FRAME_TP(sp)
    csrr t0, scause
    sd t0, FRAME_CAUSE(sp)
    csrr t0, sepc
    sd t0, FRAME_PC(sp)
    li t0, STATUS_SUM
    csrrc t0, sstatus, t0
    sd t0, FRAME_STATUS(sp)
    mv a0, sp
    call riscv_trap_kernel
    ld t0, FRAME_STATUS(sp)
    csrw sstatus, t0
    ld t0, FRAME_PC(sp)
    csrw sepc, t0
    LOAD_REGISTERS 0
    ld t0, FRAME_T0(sp)
    ld sp, FRAME_SP(sp)
    sret

// void riscv_run(void (*function)(void *argument), void *argument): call it on this CPU's kernel stack, then idle.
    .text
    .global riscv_run
riscv_run:
    mv t0, a0
    mv a0, a1
    ld sp, CPU_STACK_TOP(tp)
    li s0, 0
    jalr t0
    j riscv_idle

    .macro MAY_FAULT label
    .pushsection .fixups, "a"
    .quad \label, riscv_copy_fault
    .popsection
    .endm

    .macro COPY_4 at                        // words
201: ld t0, \at(a1)
202: ld t2, \at + 8(a1)
203: ld t3, \at + 16(a1)
204: ld t4, \at + 24(a1)
205: sd t0, \at(a0)
206: sd t2, \at + 8(a0)
207: sd t3, \at + 16(a0)
208: sd t4, \at + 24(a0)
    MAY_FAULT 201b
    MAY_FAULT 202b
    MAY_FAULT 203b
    MAY_FAULT 204b
    MAY_FAULT 205b
    MAY_FAULT 206b
    MAY_FAULT 207b
    MAY_FAULT 208b
    .endm

// The first bytes of the word in t0 go to a0. TO_TAIL: which is aligned to a word, as many as the lowest three bits of `bits`
// say. TO_HEAD: as many as it takes until a0 is aligned.
    .macro TO_TAIL bits
    andi t1, \bits, 4
    beqz t1, 1f
201: sw t0, (a0)
    srli t0, t0, 32
    addi a0, a0, 4
1:  andi t1, \bits, 2
    beqz t1, 2f
202: sh t0, (a0)
    srli t0, t0, 16
    addi a0, a0, 2
2:  andi t1, \bits, 1
    beqz t1, 3f
203: sb t0, (a0)
3:
    MAY_FAULT 201b
    MAY_FAULT 202b
    MAY_FAULT 203b
    .endm
    .macro TO_HEAD
    andi t1, a0, 1
    beqz t1, 1f
201: sb t0, (a0)
    srli t0, t0, 8
    addi a0, a0, 1
1:  andi t1, a0, 2
    beqz t1, 2f
202: sh t0, (a0)
    srli t0, t0, 16
    addi a0, a0, 2
2:  andi t1, a0, 4
    beqz t1, 3f
203: sw t0, (a0)
    addi a0, a0, 4
3:
    MAY_FAULT 201b
    MAY_FAULT 202b
    MAY_FAULT 203b
    .endm

// bool riscv_copy(void *to, const void *from, size_t length): false if an access faulted. Either side may be user memory.
// Changes no more than a0 to a2, t0 to t4 and ra: fast paths count on that (riscv_bulk_copy).
//
// All accesses are aligned: a misaligned one may be emulated. Where the sides lie differently in their words, each word that
// is stored is put together from two of those that are loaded. Of words with a byte that is to be copied, all may be loaded:
// they lie in the same page.
    .global riscv_copy
riscv_copy:
    li t0, STATUS_SUM
    csrs sstatus, t0
    or t1, a0, a1
    andi t1, t1, 7
    add a2, a2, a0                          // end of to
    bnez t1, 40f

10: addi t1, a2, -128                       // words, sixteen a turn
    bgtu a0, t1, 20f
11: COPY_4 0
    COPY_4 32
    COPY_4 64
    COPY_4 96
    addi a1, a1, 128
    addi a0, a0, 128
    bleu a0, t1, 11b
    beq a0, a2, 90f

20: addi t1, a2, -32                        // four
    bgtu a0, t1, 30f
21: COPY_4 0
    addi a1, a1, 32
    addi a0, a0, 32
    bleu a0, t1, 21b

30: addi t1, a2, -8                         // one
    bgtu a0, t1, 32f
31: ld t0, (a1)
311: sd t0, (a0)
    addi a1, a1, 8
    addi a0, a0, 8
    bleu a0, t1, 31b
    MAY_FAULT 31b
    MAY_FAULT 311b

32: beq a0, a2, 90f                         // part of one
33: ld t0, (a1)
    MAY_FAULT 33b
    TO_TAIL a2
    j 90f

// Not both are aligned. At least 16 bytes: the first of them up to an aligned place.
40: addi t1, a2, -16
    bgtu a0, t1, 80f
    andi t1, a0, 7
    beqz t1, 50f
    andi t2, a1, -8
    slli t3, a1, 3
41: ld t0, (t2)
42: ld t2, 8(t2)
    MAY_FAULT 41b
    MAY_FAULT 42b
    srl t0, t0, t3
    not t4, t3                              // by 64 less t3, which may be 64, in two steps
    slli t2, t2, 1
    sll t2, t2, t4
    or t0, t0, t2
    sub a1, a1, a0
    TO_HEAD
    add a1, a1, a0

50: andi t3, a1, 7                          // to is aligned; and from?
    beqz t3, 10b
    slli t3, t3, 3
    neg t4, t3
    andi a1, a1, -8
51: ld t0, (a1)
    MAY_FAULT 51b
    addi a0, a0, 16
    bgtu a0, a2, 53f
52: ld t2, 8(a1)                            // words from two, two a turn
    srl t0, t0, t3
    sll t1, t2, t4
    or t1, t1, t0
521: sd t1, -16(a0)
522: ld t0, 16(a1)
    srl t2, t2, t3
    sll t1, t0, t4
    or t1, t1, t2
523: sd t1, -8(a0)
    MAY_FAULT 52b
    MAY_FAULT 521b
    MAY_FAULT 522b
    MAY_FAULT 523b
    addi a1, a1, 16
    addi a0, a0, 16
    bleu a0, a2, 52b
53: addi a0, a0, -8                         // one
    bgtu a0, a2, 54f
531: ld t2, 8(a1)
    srl t0, t0, t3
    sll t1, t2, t4
    or t1, t1, t0
532: sd t1, -8(a0)
    MAY_FAULT 531b
    MAY_FAULT 532b
    mv t0, t2
    addi a1, a1, 8
    addi a0, a0, 8
54: addi a0, a0, -8                         // part of one: does it reach into the second?
    beq a0, a2, 90f
    srl t0, t0, t3
    sub t1, a2, a0
    slli t1, t1, 3
    add t1, t1, t3
    addi t1, t1, -64
    blez t1, 55f
541: ld t2, 8(a1)
    MAY_FAULT 541b
    sll t2, t2, t4
    or t0, t0, t2
55: TO_TAIL a2
    j 90f

80: beq a0, a2, 90f                         // few bytes
81: lbu t0, (a1)
82: sb t0, (a0)
    addi a1, a1, 1
    addi a0, a0, 1
    bne a0, a2, 81b
    MAY_FAULT 81b
    MAY_FAULT 82b

90: li t0, STATUS_SUM
    csrc sstatus, t0
    li a0, 1
    ret
riscv_copy_fault:
    li t0, STATUS_SUM
    csrc sstatus, t0
    li a0, 0
    ret

    .section .note.GNU-stack, "", @progbits
