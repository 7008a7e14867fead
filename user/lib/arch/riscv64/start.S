// The first instructions of a program and of its further threads. a0 holds the argument of thread_create, sp a 16-byte
// aligned stack; s0 is cleared because back traces end there.
    .macro first_frame name, target
    .section .text.\name, "ax", @progbits
    .globl \name
    .type \name, @function
\name:
    li s0, 0
    andi sp, sp, -16
    call \target
    unimp
    .size \name, . - \name
    .endm

    first_frame _start, start_program
    first_frame thread_entry, thread_main

    .section .note.GNU-stack, "", @progbits
