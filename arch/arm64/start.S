// From the loader to C. The image is a Linux-style Image: a loader puts it at any multiple of 2 MiB, with room for its
// .bss behind it, and enters at its first byte with the MMU off, at EL2 or EL1, x0 = physical address of the device tree.
// This code runs where it was loaded. It leaves EL2, maps the image at its link address, the device tree in the window,
// and itself where it is, turns the MMU on and calls arm64_start(physical address of the tree, its address in the window)
// on the boot stack. map.c replaces that map. Further CPUs enter at arm64_secondary, by the firmware.

#include "arm64_offsets.h"

#define CURRENT_EL2 (2 << 2)

#define BLOCK_SHIFT 21
#define BLOCK_MASK  ((1 << BLOCK_SHIFT) - 1)

    .section .boot.header, "ax"
    .global arm64_header
arm64_header:
    b entry
    .long 0
    .quad 0                                 // offset from the 2 MiB boundary
    .quad arm64_image_size
    .quad 0xa                               // little-endian, 4 KiB pages, anywhere in memory
    .quad 0, 0, 0
    .ascii "ARM\x64"
    .long 0

    .section .boot.text, "ax"
// Go on at EL1, exceptions masked, MMU off. Keeps x19 to x28.
leave_el2:
    msr daifset, #15
    mrs x1, CurrentEL
    cmp x1, #CURRENT_EL2
    b.eq 1f
    ldr x1, =SCTLR_OFF
    msr sctlr_el1, x1
    isb
    ret
1:  ldr x1, =(1 << 31) | (3 << 40)          // HCR_EL2: EL1 is 64-bit; pointer authentication is not trapped
    msr hcr_el2, x1
    isb
    mov x1, #3                              // EL1 may use the timers
    msr cnthctl_el2, x1
    msr cntvoff_el2, xzr
    mov x1, #0x33ff                         // only what EL1 turns off itself is trapped
    msr cptr_el2, x1
    msr hstr_el2, xzr
    msr vttbr_el2, xzr
    mrs x1, mdcr_el2
    and x1, x1, #0x1f                       // all performance counters are EL1's
    msr mdcr_el2, x1
    mrs x1, midr_el1
    msr vpidr_el2, x1
    mrs x1, mpidr_el1
    msr vmpidr_el2, x1
    mrs x1, id_aa64mmfr0_el1
    ubfx x1, x1, #56, #4
    cbz x1, 2f
    msr S3_4_C1_C1_4, xzr                   // fine-grained traps: none
    msr S3_4_C1_C1_5, xzr
    msr S3_4_C1_C1_6, xzr
    msr S3_4_C3_C1_4, xzr
    msr S3_4_C3_C1_5, xzr
2:  mrs x1, id_aa64pfr0_el1
    ubfx x1, x1, #24, #4
    cbz x1, 3f
    mrs x1, S3_4_C12_C9_5                   // ICC_SRE_EL2: EL1 may use the GIC's system registers
    orr x1, x1, #0xf
    msr S3_4_C12_C9_5, x1
    isb
    msr S3_4_C12_C11_0, xzr                 // ICH_HCR_EL2
3:  ldr x1, =SCTLR_OFF
    msr sctlr_el1, x1
    mov x1, #0x3c5                          // EL1 with its own stack pointer, everything masked
    msr spsr_el2, x1
    msr elr_el2, x30
    isb
    eret

// Turn the MMU on, with x0 as the kernel's top table and this code's own map below, and go on at x30, a linked address.
mmu_on:
    mov x1, #0x04ff                         // MAIR: 0 ordinary, write-back; 1 device, gathers nothing, reorders nothing
    msr mair_el1, x1
    ldr x1, =0xb5103510                     // TCR: 48-bit addresses, 4 KiB pages; walks cached, inner shareable
    mrs x2, id_aa64mmfr0_el1
    and x3, x2, #15                         // physical address size, at most 48 bits
    mov x4, #5
    cmp x3, x4
    csel x3, x3, x4, lo
    orr x1, x1, x3, lsl #32
    ubfx x2, x2, #4, #4
    cmp x2, #2
    b.ne 1f
    orr x1, x1, #1 << 36                    // 16-bit ASIDs
1:  msr tcr_el1, x1
    adrp x1, identity_root
    msr ttbr0_el1, x1
    msr ttbr1_el1, x0
    isb
    tlbi vmalle1
    ic iallu
    dsb nsh
    isb
    ldr x1, =SCTLR_ON
    msr sctlr_el1, x1
    isb
    ret

entry:
    mov x20, x0
    bl leave_el2

    adrp x0, boot_tables
    adrp x1, boot_tables_end
1:  stp xzr, xzr, [x0], #16
    cmp x0, x1
    b.lo 1b

    // Here, for code only.
    mov x4, #TABLE_ENTRY
    adrp x0, arm64_header
    adrp x1, identity_root
    adrp x2, identity_directory
    adrp x3, identity_blocks
    orr x5, x2, x4
    ubfx x6, x0, #39, #9
    str x5, [x1, x6, lsl #3]
    orr x5, x3, x4
    ubfx x6, x0, #30, #9
    str x5, [x2, x6, lsl #3]
    ldr x5, =BLOCK_CODE
    orr x5, x5, x0
    ubfx x6, x0, #BLOCK_SHIFT, #9
    str x5, [x3, x6, lsl #3]

    // The image at its link address, as much of it as there is.
    adrp x1, boot_root
    adrp x2, boot_directory
    adrp x3, boot_image
    orr x5, x2, x4
    str x5, [x1, #511 * 8]
    orr x5, x3, x4
    str x5, [x2, #510 * 8]
    ldr x5, =BLOCK_CODE_DATA
    orr x5, x5, x0
    adrp x7, arm64_image_end
    add x6, x0, #0
2:  str x5, [x3], #8
    add x5, x5, #1 << BLOCK_SHIFT
    add x6, x6, #1 << BLOCK_SHIFT
    cmp x6, x7
    b.lo 2b

    // The device tree in the window: two blocks.
    adrp x3, boot_window
    orr x5, x3, x4
    str x5, [x2, #511 * 8]
    ldr x5, =BLOCK_CONSTANT
    bic x6, x20, #BLOCK_MASK
    orr x5, x5, x6
    add x6, x5, #1 << BLOCK_SHIFT
    stp x5, x6, [x3]

    // What was written went past the caches: no older line of it may be left there.
    dmb sy
    adrp x0, boot_tables
    adrp x1, boot_tables_end
    mrs x2, ctr_el0
    ubfx x2, x2, #16, #4
    mov x3, #4
    lsl x2, x3, x2
3:  dc ivac, x0
    add x0, x0, x2
    cmp x0, x1
    b.lo 3b
    dsb sy

    adrp x0, boot_root
    adrp x21, arm64_header
    ldr x30, =4f
    b mmu_on

4:  adr x0, arm64_vectors
    msr vbar_el1, x0
    isb
    ldr x0, =arm64_bss_start
    ldr x1, =arm64_bss_end
5:  stp xzr, xzr, [x0], #16
    cmp x0, x1
    b.lo 5b
    ldr x0, =arm64_header
    sub x0, x0, x21
    ldr x1, =arm64_image_offset
    str x0, [x1]
    ldr x0, =arm64_boot_stack + STACK_SIZE
    mov sp, x0
    mov x29, xzr
    mov x0, x20
    and x1, x20, #BLOCK_MASK
    ldr x2, =0xffffffffc0000000
    orr x1, x1, x2
    bl arm64_start
    b .

// By the firmware, with x0 = its struct arch_cpu.
    .global arm64_secondary
arm64_secondary:
    mov x20, x0
    bl leave_el2
    adrp x0, arm64_kernel_table
    ldr x30, =1f
    b mmu_on
1:  adr x0, arm64_vectors
    msr vbar_el1, x0
    isb
    ldr x0, [x20, #CPU_STACK_TOP]
    mov sp, x0
    mov x29, xzr
    mov x0, x20
    bl arm64_start_secondary
    b .

// void arm64_map_switch(paddr_t root, paddr_t empty): on the boot CPU, from its first map to the kernel's own. The old
// one is taken out before the new one comes: both translate the same addresses by entries of different size.
    .global arm64_map_switch
arm64_map_switch:
    adr x2, 1f
    adrp x3, arm64_image_offset
    ldr x3, [x3, :lo12:arm64_image_offset]
    sub x2, x2, x3
    br x2
1:  msr ttbr1_el1, x1
    isb
    tlbi vmalle1
    dsb nsh
    isb
    msr ttbr1_el1, x0
    isb
    ret
    .ltorg

    .data
    .balign 8
    .global arm64_image_offset
arm64_image_offset:
    .quad 0

    .section .tables, "aw", @nobits
    .balign 4096
boot_tables:
identity_root:
    .skip 4096
identity_directory:
    .skip 4096
identity_blocks:
    .skip 4096
boot_root:
    .skip 4096
boot_directory:
    .skip 4096
boot_image:
    .skip 4096
boot_window:
    .skip 4096
boot_tables_end:

    .section .bss.stack, "aw", @nobits
    .balign 2 * STACK_SIZE
    .global arm64_boot_stack
arm64_boot_stack:
    .skip STACK_SIZE

    .section .note.GNU-stack, "", @progbits
