// The first instructions of a program and of its further threads. rdi holds the argument of thread_create, rsp a 16-byte
// aligned stack; rbp is cleared because back traces end there.
    .macro first_frame name, target
    .section .text.\name, "ax", @progbits
    .globl \name
    .type \name, @function
\name:
    xorl %ebp, %ebp
    andq $-16, %rsp
    call \target
    ud2
    .size \name, . - \name
    .endm

    first_frame _start, start_program
    first_frame thread_entry, thread_main

    .section .note.GNU-stack, "", @progbits
