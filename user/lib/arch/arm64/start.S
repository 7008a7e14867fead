// The first instructions of a program and of its further threads. x0 holds the argument of thread_create, sp a 16-byte
// aligned stack; x29 and x30 are cleared because back traces end there.
    .macro first_frame name, target
    .section .text.\name, "ax", @progbits
    .globl \name
    .type \name, @function
\name:
    mov x29, xzr
    mov x30, xzr
    mov x9, sp
    and sp, x9, #-16
    bl \target
    udf #0
    .size \name, . - \name
    .endm

    first_frame _start, start_program
    first_frame thread_entry, thread_main

    .section .note.GNU-stack, "", @progbits
