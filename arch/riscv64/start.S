// The first instructions of the boot hart and of each further one, with the MMU off.
//
// Nothing maps the physical address of this code. The switch to virtual addresses is a trap: with stvec set to where it
// goes on, the first fetch after satp is written faults, and the fault is the jump.

#include "riscv_offsets.h"

    .section .text.header, "ax"
// The header of a Linux image, by which boot loaders know where to put a flat binary.
    .option push
    .option norvc
    .global riscv_start_boot
riscv_header:
    j riscv_start_boot
    nop
    .option pop
    .quad 0x200000                          // offset from the start of RAM
    .quad riscv_image_size
    .quad 0                                 // little-endian
    .long 2                                 // version 0.2
    .long 0
    .quad 0
    .ascii "RISCV\0\0\0"
    .ascii "RSC\5"
    .long 0

    .section .text.entry, "ax"

// No interrupts; sstatus as the kernel keeps it; traps to the address in t5, satp = t6.
.macro ENABLE_TRANSLATION
    csrw sie, zero
    li t0, STATUS_CLEARED
    csrc sstatus, t0
    csrw scounteren, zero                   // no counters for user mode
    csrw stvec, t5
    sfence.vma
    csrw satp, t6
    sfence.vma
88: j 88b                                   // until the fetch faults
.endm

// a0 = hart, a1 = physical address of the device tree. Only the first hart boots here (riscv_start_astray). Build a first map, in Sv39, of which every processor with 64-bit
// translation is capable: the direct map and the image, without protection. map.c replaces it.
riscv_start_boot:
    lla t0, booted
    li t1, 1
    amoswap.w.aqrl t1, t1, (t0)
    bnez t1, riscv_start_astray
    la t0, riscv_bss_start
    la t1, riscv_image_end
1:  sd zero, (t0)
    addi t0, t0, 8
    bltu t0, t1, 1b

    la s2, riscv_boot_root
    li t1, BOOT_DIRECT_MAP_ENTRY * 8
    add t1, s2, t1
    li t2, BOOT_DATA
    li t3, BOOT_DIRECT_MAP_ENTRIES
    li t4, 1 << 28                          // 1 GiB, in an entry
2:  sd t2, (t1)
    add t2, t2, t4
    addi t1, t1, 8
    addi t3, t3, -1
    bnez t3, 2b

    la t1, boot_directory
    srli t2, t1, 2
    ori t2, t2, BOOT_TABLE
    li t3, IMAGE_ENTRY * 8
    add t3, s2, t3
    sd t2, (t3)
    lla s3, riscv_header
    srli t2, s3, 2
    ori t2, t2, BOOT_IMAGE
    li t3, IMAGE_LARGE_PAGES
    li t4, 1 << 19                          // 2 MiB
3:  sd t2, (t1)
    add t2, t2, t4
    addi t1, t1, 8
    addi t3, t3, -1
    bnez t3, 3b

    li s4, IMAGE
    sub s4, s4, s3                          // link address minus load address
    lla t5, 4f
    add t5, t5, s4
    li t6, SATP_SV39
    srli t0, s2, 12
    or t6, t6, t0
    ENABLE_TRANSLATION

    .balign 4
4:  lla t0, riscv_image_offset
    sd s4, (t0)
    lla tp, riscv_boot_cpu
    csrw sscratch, tp
    lla t0, riscv_enter
    csrw stvec, t0
    lla sp, riscv_boot_stack + BOOT_STACK_SIZE
    li s0, 0
    call riscv_start
    unimp

// A further hart that came in by the door of the first: OpenSBI (seen with 1.1) marks a hart as started before it stores
// where it shall start, so one that looks in between starts where the boot hart did. a0 = hart.
riscv_start_astray:
    lla t0, riscv_starting
6:  ld a1, (t0)
    beqz a1, 6b
    ld t1, CPU_HART(a1)
    bne t1, a0, 6b

// By SBI HSM: a0 = hart, a1 = physical address of its struct arch_cpu.
    .global riscv_start_further
riscv_start_further:
    fence
    ld t6, CPU_START_SATP(a1)
    ld a0, CPU_SELF(a1)
    lla t5, 5f
    li t0, IMAGE
    add t5, t5, t0
    lla t0, riscv_header
    sub t5, t5, t0
    ENABLE_TRANSLATION

    .balign 4
5:  fence.i
    mv tp, a0
    csrw sscratch, tp
    lla t0, riscv_enter
    csrw stvec, t0
    ld sp, CPU_STACK_TOP(tp)
    li s0, 0
    call riscv_start_secondary
    unimp

    .data
    .balign 8
    .global riscv_starting                  // physical address of the struct arch_cpu that is asked to start, or 0
riscv_starting:
    .quad 0
booted:                                     // 1: the boot hart has come. Not in .bss, which that hart clears
    .word 0

    .section .bss.pages, "aw", @nobits
    .balign 4096
    .global riscv_boot_root
riscv_boot_root:
    .skip 4096
boot_directory:
    .skip 4096
    .global riscv_boot_stack
riscv_boot_stack:
    .skip BOOT_STACK_SIZE

    .section .note.GNU-stack, "", @progbits
