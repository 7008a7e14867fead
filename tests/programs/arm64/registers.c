#include "../registers.h"

static_assert(offsetof(struct registers, message) == 56 && offsetof(struct registers, status) == 96 &&
              offsetof(struct registers, after) == 136 && offsetof(struct registers, zero) == 168);

// The frame pointer holds the record's address and is how it is found again.
__asm__(".text\n"
        ".globl registers_call\n"
        "registers_call:\n"
        "    stp x29, x30, [sp, #-96]!\n"
        "    stp x19, x20, [sp, #16]; stp x21, x22, [sp, #32]; stp x23, x24, [sp, #48]; stp x25, x26, [sp, #64]\n"
        "    stp x27, x28, [sp, #80]\n"
        "    mov x29, x0\n"
        "    ldr x8, [x29]\n"
        "    ldp x0, x1, [x29, #8]; ldp x2, x3, [x29, #24]; ldp x4, x5, [x29, #40]\n"
        "    ldp x19, x20, [x29, #56]; ldp x21, x22, [x29, #72]\n"
        "    ldr x6, [x29, #88]; mov x7, x6; mov x9, x6; mov x10, x6; mov x11, x6; mov x12, x6; mov x13, x6\n"
        "    mov x14, x6; mov x15, x6; mov x16, x6; mov x17, x6; mov x18, x6; mov x23, x6; mov x24, x6\n"
        "    mov x25, x6; mov x26, x6; mov x27, x6; mov x28, x6; mov x30, x6\n"
        "    svc #0\n"
        "    str x1, [x29, #96]\n"
        "    str x0, [x29, #104]; stp x2, x3, [x29, #112]; str x4, [x29, #128]\n"
        "    stp x19, x20, [x29, #136]; stp x21, x22, [x29, #152]\n"
        "    stp x5, x6, [x29, #168]; stp x7, x9, [x29, #184]; stp x10, x11, [x29, #200]; stp x12, x13, [x29, #216]\n"
        "    stp x14, x15, [x29, #232]; stp x16, x17, [x29, #248]; stp x18, x23, [x29, #264]\n"
        "    stp x24, x25, [x29, #280]; stp x26, x27, [x29, #296]; stp x28, x30, [x29, #312]\n"
        "    ldp x19, x20, [sp, #16]; ldp x21, x22, [sp, #32]; ldp x23, x24, [sp, #48]; ldp x25, x26, [sp, #64]\n"
        "    ldp x27, x28, [sp, #80]\n"
        "    ldp x29, x30, [sp], #96\n"
        "    ret\n");
