#include "../registers.h"

static_assert(offsetof(struct registers, message) == 56 && offsetof(struct registers, status) == 96 &&
              offsetof(struct registers, after) == 136 && offsetof(struct registers, zero) == 168);

// The frame pointer holds the record's address and is how it is found again.
__asm__(".text\n"
        ".globl registers_call\n"
        "registers_call:\n"
        "    addi sp, sp, -112\n"
        "    sd ra, 0(sp); sd s0, 8(sp); sd s1, 16(sp); sd s2, 24(sp); sd s3, 32(sp); sd s4, 40(sp); sd s5, 48(sp)\n"
        "    sd s6, 56(sp); sd s7, 64(sp); sd s8, 72(sp); sd s9, 80(sp); sd s10, 88(sp); sd s11, 96(sp)\n"
        "    mv s0, a0\n"
        "    ld a7, 0(s0); ld a0, 8(s0); ld a1, 16(s0); ld a2, 24(s0); ld a3, 32(s0); ld a4, 40(s0); ld a5, 48(s0)\n"
        "    ld s2, 56(s0); ld s3, 64(s0); ld s4, 72(s0); ld s5, 80(s0)\n"
        "    ld a6, 88(s0); mv ra, a6; mv t0, a6; mv t1, a6; mv t2, a6; mv t3, a6; mv t4, a6; mv t5, a6; mv t6, a6\n"
        "    mv s1, a6; mv s6, a6; mv s7, a6; mv s8, a6; mv s9, a6; mv s10, a6; mv s11, a6\n"
        "    ecall\n"
        "9:\n"
        "    sd a1, 96(s0); sd a0, 104(s0); sd a2, 112(s0); sd a3, 120(s0); sd a4, 128(s0)\n"
        "    sd s2, 136(s0); sd s3, 144(s0); sd s4, 152(s0); sd s5, 160(s0)\n"
        "    sd a5, 168(s0); sd a6, 176(s0); sd ra, 184(s0); sd t0, 192(s0); sd t1, 200(s0); sd t2, 208(s0)\n"
        "    sd t3, 216(s0); sd t4, 224(s0); sd t5, 232(s0); sd t6, 240(s0); sd s1, 248(s0); sd s6, 256(s0)\n"
        "    sd s7, 264(s0); sd s8, 272(s0)\n"
        // Zero, or the call's number, the caller's own stack pointer, pc and thread pointer.
        "    ld t0, 88(s0); lla t1, 9b\n"
        "    ld t2, 0(s0); bne a7, t2, 1f; mv a7, t0; 1: bne s9, sp, 1f; mv s9, t0; 1: bne s10, t1, 1f; mv s10, t0; 1: "
        "bne s11, tp, 1f; mv s11, t0\n"
        "1:  sd a7, 304(s0); sd s9, 280(s0); sd s10, 288(s0); sd s11, 296(s0)\n"
        "    ld ra, 0(sp); ld s0, 8(sp); ld s1, 16(sp); ld s2, 24(sp); ld s3, 32(sp); ld s4, 40(sp); ld s5, 48(sp)\n"
        "    ld s6, 56(sp); ld s7, 64(sp); ld s8, 72(sp); ld s9, 80(sp); ld s10, 88(sp); ld s11, 96(sp)\n"
        "    addi sp, sp, 112\n"
        "    ret\n");
