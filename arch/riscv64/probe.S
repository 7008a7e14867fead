// Registers that may not be there: the access faults then, and goes on behind (trap.c).

    .text

// bool riscv_write_stimecmp(uint64_t ticks): false if there is no such register.
    .global riscv_write_stimecmp
riscv_write_stimecmp:
1:  csrw 0x14d, a0
    li a0, 1
    ret
2:  li a0, 0
    ret
    .pushsection .fixups, "a"
    .quad 1b, 2b
    .popsection

    .section .note.GNU-stack, "", @progbits
