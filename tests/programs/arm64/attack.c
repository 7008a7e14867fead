// What a program can try on arm64 (../attack.c).
#include "../attack.h"

#include "abi/abi.h"

#define NUMBERS                                                                                                        \
    [version] "i"(CALL_ABI_VERSION), [yield] "i"(CALL_YIELD), [clock] "i"(CALL_CLOCK), [exit] "i"(CALL_EXIT),          \
        [passed] "i"(ATTACK_PASSED)
#define VECTORS ".arch armv8-a\n" // the compiler is told of none, but the processor has them
#define OKAY    "\nmov x0, xzr; mov x8, %[exit]; svc #0"
#define BAD     "\n9: mov x0, %[passed]; mov x8, %[exit]; svc #0\n"

// An attempt that must fault. ATTACK: what follows tells that it did not. HARMLESS: some processors allow it, which does
// no harm; it then ends in an undefined instruction.
#define ATTACK(name, text)                                                                                             \
    [[gnu::naked]] static void name(void) {                                                                            \
        __asm__ volatile(VECTORS text BAD "udf #0\n.ltorg" ::NUMBERS);                                                 \
    }
#define HARMLESS(name, text)                                                                                           \
    [[gnu::naked]] static void name(void) {                                                                            \
        __asm__ volatile(VECTORS text "\nudf #0\n.ltorg" ::NUMBERS);                                                   \
    }
// A check: to 9 if it does not hold.
#define CHECK(name, text)                                                                                              \
    [[gnu::naked]] static void name(void) {                                                                            \
        __asm__ volatile(VECTORS text OKAY BAD "udf #0\n.ltorg" ::NUMBERS);                                            \
    }

// ---- addresses ------------------------------------------------------------------------------------------------------

ATTACK(read_kernel, "ldr x0, =0xffffffff80010000; ldr x0, [x0]")
ATTACK(write_kernel, "ldr x0, =0xffffffff80010000; str x0, [x0]")
ATTACK(read_direct_map, "ldr x0, =0xffff000040000000; ldr x0, [x0]")
ATTACK(read_kernel_unprivileged, "ldr x0, =0xffffffff80010000; ldtr x0, [x0]")
ATTACK(write_kernel_exclusive, "ldr x0, =0xffffffff80010000; ldxr x1, [x0]; stxr w2, x1, [x0]")
ATTACK(jump_to_kernel, "ldr x0, =0xffffffff80010000; br x0")
ATTACK(jump_noncanonical, "ldr x0, =0x1000000000000; br x0")
ATTACK(jump_tagged, "adr x0, 9f; orr x0, x0, #0x0100000000000000; br x0")
ATTACK(jump_odd, "adr x0, 9f; orr x0, x0, #1; br x0")
ATTACK(read_noncanonical, "ldr x0, =0x8000000000000000; ldr x0, [x0]")
ATTACK(read_tagged, "mov x0, sp; orr x0, x0, #0x0100000000000000; ldr x0, [x0]")
ATTACK(misaligned_exclusive, "mov x0, sp; sub x0, x0, #63; ldxr x1, [x0]")
HARMLESS(prefetch_kernel, "ldr x0, =0xffffffff80010000; prfm pldl1keep, [x0]")

// ---- privileged instructions ----------------------------------------------------------------------------------------

ATTACK(wait_for_interrupt, "wfi")
HARMLESS(wait_for_event, "sevl; wfe; yield; sev")
ATTACK(mask_interrupts, "msr daifset, #15")
ATTACK(unmask_interrupts, "msr daifclr, #15")
ATTACK(read_masks, "mrs x0, daif")
ATTACK(select_stack, "msr spsel, #1")
ATTACK(set_pan, ".inst 0xd500419f")
ATTACK(clear_pan, ".inst 0xd500409f")
ATTACK(set_uao, ".inst 0xd500417f")
ATTACK(exception_return, "eret")
ATTACK(hypervisor_call, "hvc #0")
ATTACK(monitor_call, "smc #0")
ATTACK(semihosting, "mov x0, #0x18; movz x1, #2, lsl #16; hlt #0xf000")
ATTACK(debug_state, "dcps1")
ATTACK(invalidate_translations, "tlbi vmalle1")
ATTACK(translate_address, "at s1e1r, x0")
ATTACK(zero_block, "mov x0, sp; dc zva, x0")
ATTACK(clean_line, "mov x0, sp; dc cvac, x0")
ATTACK(clean_invalidate_line, "mov x0, sp; dc civac, x0")
ATTACK(invalidate_line, "mov x0, sp; dc ivac, x0")
ATTACK(invalidate_instructions, "ic iallu")
ATTACK(invalidate_instruction_line, "mov x0, sp; ic ivau, x0")

// ---- system registers -----------------------------------------------------------------------------------------------

ATTACK(read_counter, "mrs x0, cntvct_el0")
ATTACK(read_physical_counter, "mrs x0, cntpct_el0")
ATTACK(read_frequency, "mrs x0, cntfrq_el0")
ATTACK(read_timer, "mrs x0, cntv_ctl_el0")
ATTACK(read_cycles, "mrs x0, pmccntr_el0")
ATTACK(read_events, "mrs x0, pmcr_el0")
ATTACK(read_cache_type, "mrs x0, ctr_el0")
ATTACK(read_model, "mrs x0, midr_el1")
ATTACK(read_affinity, "mrs x0, mpidr_el1")
ATTACK(read_features, "mrs x0, id_aa64mmfr0_el1")
ATTACK(read_level, "mrs x0, CurrentEL")
ATTACK(read_control, "mrs x0, sctlr_el1")
ATTACK(read_root, "mrs x0, ttbr0_el1")
ATTACK(read_kernel_root, "mrs x0, ttbr1_el1")
ATTACK(read_vectors, "mrs x0, vbar_el1")
ATTACK(read_cpu_pointer, "mrs x0, tpidr_el1")
ATTACK(read_syndrome, "mrs x0, esr_el1")
ATTACK(read_return_address, "mrs x0, elr_el1")
ATTACK(read_saved_state, "mrs x0, spsr_el1")
ATTACK(read_user_stack, "mrs x0, sp_el0")
ATTACK(read_access_control, "mrs x0, cpacr_el1")
ATTACK(read_debug_control, "mrs x0, mdscr_el1")
HARMLESS(read_zero_size, "mrs x0, dczid_el0")
ATTACK(write_timer, "mov x0, xzr; msr cntv_ctl_el0, x0")
ATTACK(write_timer_access, "mov x0, xzr; msr cntkctl_el1, x0")
ATTACK(write_control, "mov x0, xzr; msr sctlr_el1, x0")
ATTACK(write_root, "mov x0, xzr; msr ttbr0_el1, x0")
ATTACK(write_kernel_root, "mov x0, xzr; msr ttbr1_el1, x0")
ATTACK(write_translation_control, "mov x0, xzr; msr tcr_el1, x0")
ATTACK(write_vectors, "mov x0, xzr; msr vbar_el1, x0")
ATTACK(write_cpu_pointer, "mov x0, xzr; msr tpidr_el1, x0")
ATTACK(write_constant_pointer, "mov x0, xzr; msr tpidrro_el0, x0")
ATTACK(write_return_address, "mov x0, xzr; msr elr_el1, x0")
ATTACK(write_saved_state, "mov x0, xzr; msr spsr_el1, x0")
ATTACK(write_access_control, "mov x0, xzr; msr cpacr_el1, x0")
ATTACK(write_debug_control, "mov x0, xzr; msr mdscr_el1, x0")
ATTACK(write_debug_lock, "mov x0, xzr; msr oslar_el1, x0")
ATTACK(write_breakpoint, "mov x0, xzr; msr dbgbcr0_el1, x0")
ATTACK(interrupt_cpu, "mov x0, #1; msr S3_0_C12_C11_5, x0")
ATTACK(acknowledge_interrupt, "mrs x0, S3_0_C12_C12_0")
ATTACK(read_trace, "mrs x0, S2_1_C0_C0_0")
ATTACK(read_key, "mrs x0, S3_0_C2_C1_0")

// ---- extensions that are off ----------------------------------------------------------------------------------------

ATTACK(scalable_vectors, ".inst 0x04e0e3e0")
ATTACK(scalable_vector_load, ".inst 0xa5e0a000")
ATTACK(matrix_mode, ".inst 0xd503477f")
ATTACK(second_thread_pointer, "mrs x0, S3_3_C13_C0_5")
ATTACK(transaction, ".inst 0xd5233060")
HARMLESS(sign_pointer, "paciasp; autiasp")
HARMLESS(landing_pad, "hint #34")
HARMLESS(speculation_control, ".inst 0xd503415f")

// ---- exceptions by instruction --------------------------------------------------------------------------------------

ATTACK(undefined, "udf #0")
ATTACK(unallocated, ".inst 0xffffffff")
ATTACK(breakpoint, "brk #0")
HARMLESS(call_with_immediate, "mov x8, %[yield]; svc #0xffff")
HARMLESS(unknown_call, "mov x8, #-1; svc #0")
HARMLESS(unmask_exceptions, "mov x0, #0x1f00; msr fpcr, x0; movi d0, #0; fmov d1, #1.0; fdiv d0, d1, d0; fsqrt d1, d0")
HARMLESS(divide_by_zero, "mov x0, #1; udiv x0, x0, xzr; sdiv x0, x0, xzr")

// ---- stack and frame pointers ---------------------------------------------------------------------------------------

ATTACK(stack_in_kernel, "ldr x0, =0xffffffff80010000; mov sp, x0; str x0, [sp, #-16]!")
HARMLESS(fault_with_stack_in_kernel, "ldr x0, =0xffffffff80010000; mov sp, x0")
ATTACK(stack_noncanonical, "ldr x0, =0x8000000000000000; mov sp, x0; str x0, [sp, #-16]!")
HARMLESS(fault_with_stack_noncanonical, "ldr x0, =0x8000000000000000; mov sp, x0")
HARMLESS(stack_odd, "mov x0, sp; sub x0, x0, #24; mov sp, x0; ldr x0, [sp]")
HARMLESS(call_with_odd_stack, "mov x0, #-1; mov sp, x0; mov x8, %[yield]; svc #0")
HARMLESS(call_with_no_stack, "mov x0, xzr; mov sp, x0; mov x8, %[yield]; svc #0")
HARMLESS(call_with_stack_in_kernel, "ldr x0, =0xffffffff80010008; mov sp, x0; mov x8, %[yield]; svc #0")
HARMLESS(trace_into_kernel, "ldr x29, =0xffff000040000000")
HARMLESS(trace_noncanonical, "ldr x29, =0xfffffffffff0")
HARMLESS(trace_odd, "add x29, sp, #3")
HARMLESS(trace_in_circles, "stp x29, x30, [sp, #-16]!; mov x29, sp; str x29, [sp]")

// ---- what must hold -------------------------------------------------------------------------------------------------

// A call keeps sp, x29 and the message words, and leaves nothing of the kernel's or of another thread's in the others:
// they are zero, or what they were. The second one has a fast path.
CHECK(call_registers,
      "mov x8, %[yield]; mov x29, #0x7777; mov x0, #-1; msr tpidr_el0, x0; mov x0, sp; str x0, [sp, #-32];mov x0, "
      "#-1;mov x1, #-1;mov x2, #-1;mov x3, #-1;mov x4, #-1;mov x5, #-1;mov x6, #-1;mov x7, #-1;mov x9, #-1;mov x10, "
      "#-1;mov x11, #-1;mov x12, #-1;mov x13, #-1;mov x14, #-1;mov x15, #-1;mov x16, #-1;mov x17, #-1;mov x18, #-1;mov "
      "x23, #-1;mov x24, #-1;mov x25, #-1;mov x26, #-1;mov x27, #-1;mov x28, #-1;mov x30, #-1;mov x19, #4115;mov x20, "
      "#4116;mov x21, #4117;mov x22, #4118;svc #0;orr x0, x0, x1;orr x0, x0, x2;orr x0, x0, x3;orr x0, x0, x4;orr x0, "
      "x0, x5;orr x0, x0, x6;orr x0, x0, x7;orr x0, x0, x9;orr x0, x0, x10;orr x0, x0, x11;orr x0, x0, x12;orr x0, x0, "
      "x13;orr x0, x0, x14;orr x0, x0, x15;orr x0, x0, x16;orr x0, x0, x17;orr x0, x0, x8; cbnz x0, 9f;add x0, x18, "
      "#1; cmp x0, #1; b.hi 9f;add x0, x23, #1; cmp x0, #1; b.hi 9f;add x0, x24, #1; cmp x0, #1; b.hi 9f;add x0, x25, "
      "#1; cmp x0, #1; b.hi 9f;add x0, x26, #1; cmp x0, #1; b.hi 9f;add x0, x27, #1; cmp x0, #1; b.hi 9f;add x0, x28, "
      "#1; cmp x0, #1; b.hi 9f;add x0, x30, #1; cmp x0, #1; b.hi 9f;mrs x0, tpidr_el0; add x0, x0, #1; cmp x0, #1; "
      "b.hi 9f;mov x1, sp; ldr x0, [sp, #-32]; cmp x0, x1; b.ne 9f; mov x1, #0x7777; cmp x29, x1; b.ne 9f;mov x1, "
      "#4115; cmp x19, x1; b.ne 9f;mov x1, #4116; cmp x20, x1; b.ne 9f;mov x1, #4117; cmp x21, x1; b.ne 9f;mov x1, "
      "#4118; cmp x22, x1; b.ne 9f")
CHECK(fast_call_registers,
      "mov x8, %[version]; mov x29, #0x7777; mov x0, #-1; msr tpidr_el0, x0; mov x0, sp; str x0, [sp, #-32];mov x0, "
      "#-1;mov x1, #-1;mov x2, #-1;mov x3, #-1;mov x4, #-1;mov x5, #-1;mov x6, #-1;mov x7, #-1;mov x9, #-1;mov x10, "
      "#-1;mov x11, #-1;mov x12, #-1;mov x13, #-1;mov x14, #-1;mov x15, #-1;mov x16, #-1;mov x17, #-1;mov x18, #-1;mov "
      "x23, #-1;mov x24, #-1;mov x25, #-1;mov x26, #-1;mov x27, #-1;mov x28, #-1;mov x30, #-1;mov x19, #4115;mov x20, "
      "#4116;mov x21, #4117;mov x22, #4118;svc #0;sub x1, x1, #1;orr x0, x0, x1;orr x0, x0, x2;orr x0, x0, x3;orr x0, "
      "x0, x4;orr x0, x0, x5;orr x0, x0, x6;orr x0, x0, x7;orr x0, x0, x9;orr x0, x0, x10;orr x0, x0, x11;orr x0, x0, "
      "x12;orr x0, x0, x13;orr x0, x0, x14;orr x0, x0, x15;orr x0, x0, x16;orr x0, x0, x17;orr x0, x0, x8; cbnz x0, "
      "9f;add x0, x18, #1; cmp x0, #1; b.hi 9f;add x0, x23, #1; cmp x0, #1; b.hi 9f;add x0, x24, #1; cmp x0, #1; b.hi "
      "9f;add x0, x25, #1; cmp x0, #1; b.hi 9f;add x0, x26, #1; cmp x0, #1; b.hi 9f;add x0, x27, #1; cmp x0, #1; b.hi "
      "9f;add x0, x28, #1; cmp x0, #1; b.hi 9f;add x0, x30, #1; cmp x0, #1; b.hi 9f;mrs x0, tpidr_el0; add x0, x0, #1; "
      "cmp x0, #1; b.hi 9f;mov x1, sp; ldr x0, [sp, #-32]; cmp x0, x1; b.ne 9f; mov x1, #0x7777; cmp x29, x1; b.ne "
      "9f;mov x1, #4115; cmp x19, x1; b.ne 9f;mov x1, #4116; cmp x20, x1; b.ne 9f;mov x1, #4117; cmp x21, x1; b.ne "
      "9f;mov x1, #4118; cmp x22, x1; b.ne 9f")
// Preemption keeps every register, the thread pointer among them.
CHECK(preempted_registers,
      "mov x2, #258;mov x3, #259;mov x4, #260;mov x5, #261;mov x6, #262;mov x7, #263;mov x8, #264;mov x9, #265;mov "
      "x10, #266;mov x11, #267;mov x12, #268;mov x13, #269;mov x14, #270;mov x15, #271;mov x16, #272;mov x17, #273;mov "
      "x18, #274;mov x19, #275;mov x20, #276;mov x21, #277;mov x22, #278;mov x23, #279;mov x24, #280;mov x25, #281;mov "
      "x26, #282;mov x27, #283;mov x28, #284;mov x29, #285;mov x30, #286;msr tpidr_el0, x30; movz x0, #300, lsl #16; "
      "1: sub x0, x0, #1; cbnz x0, 1b;mov x1, #258; cmp x2, x1; b.ne 9f;mov x1, #259; cmp x3, x1; b.ne 9f;mov x1, "
      "#260; cmp x4, x1; b.ne 9f;mov x1, #261; cmp x5, x1; b.ne 9f;mov x1, #262; cmp x6, x1; b.ne 9f;mov x1, #263; cmp "
      "x7, x1; b.ne 9f;mov x1, #264; cmp x8, x1; b.ne 9f;mov x1, #265; cmp x9, x1; b.ne 9f;mov x1, #266; cmp x10, x1; "
      "b.ne 9f;mov x1, #267; cmp x11, x1; b.ne 9f;mov x1, #268; cmp x12, x1; b.ne 9f;mov x1, #269; cmp x13, x1; b.ne "
      "9f;mov x1, #270; cmp x14, x1; b.ne 9f;mov x1, #271; cmp x15, x1; b.ne 9f;mov x1, #272; cmp x16, x1; b.ne 9f;mov "
      "x1, #273; cmp x17, x1; b.ne 9f;mov x1, #274; cmp x18, x1; b.ne 9f;mov x1, #275; cmp x19, x1; b.ne 9f;mov x1, "
      "#276; cmp x20, x1; b.ne 9f;mov x1, #277; cmp x21, x1; b.ne 9f;mov x1, #278; cmp x22, x1; b.ne 9f;mov x1, #279; "
      "cmp x23, x1; b.ne 9f;mov x1, #280; cmp x24, x1; b.ne 9f;mov x1, #281; cmp x25, x1; b.ne 9f;mov x1, #282; cmp "
      "x26, x1; b.ne 9f;mov x1, #283; cmp x27, x1; b.ne 9f;mov x1, #284; cmp x28, x1; b.ne 9f;mov x1, #285; cmp x29, "
      "x1; b.ne 9f;mov x1, #286; cmp x30, x1; b.ne 9f;mrs x0, tpidr_el0; cmp x0, x30; b.ne 9f")
// The condition flags are the thread's own over preemption.
CHECK(flags_kept, "ldr x2, =0xb0000000; msr nzcv, x2; movz x0, #300, lsl #16; 1: sub x0, x0, #1; cbnz x0, 1b; mrs x1, "
                  "nzcv; cmp x1, x2; b.ne 9f")
// The first vector instruction finds a clean unit; from then on nobody else's values appear. The clock makes them
// different in each process.
CHECK(vectors_apart,
      "mrs x0, fpcr; mrs x1, fpsr; orr x0, x0, x1; fmov x1, d0; orr x0, x0, x1; umov x1, v31.d[1]; orr x0, x0, x1; "
      "cbnz x0, 9f; mov x8, %[clock]; svc #0; mov x1, x0; fmov d0, x1; mov v31.d[1], x1; mov x3, #0x400000; msr fpcr, "
      "x3; movz x0, #45, lsl #16; 1: fmov x2, d0; cmp x1, x2; b.ne 9f; umov x2, v31.d[1]; cmp x1, x2; b.ne 9f; mrs x2, "
      "fpcr; cmp x2, x3; b.ne 9f; sub x0, x0, #1; cbnz x0, 1b")
// So it is with the thread pointer. The one that can only be read is always zero.
CHECK(thread_pointer_apart, "mrs x0, tpidr_el0; mrs x1, tpidrro_el0; orr x0, x0, x1; cbnz x0, 9f; mov x8, %[clock]; "
                            "svc #0; mov x1, x0; msr tpidr_el0, x1; movz x0, #90, lsl #16; 1: mrs x2, tpidr_el0; cmp "
                            "x1, x2; b.ne 9f; mrs x2, tpidrro_el0; cbnz x2, 9f; sub x0, x0, #1; cbnz x0, 1b")

const struct attempt attack_attempts[] = {
    NAMED(read_kernel),
    NAMED(write_kernel),
    NAMED(read_direct_map),
    NAMED(read_kernel_unprivileged),
    NAMED(write_kernel_exclusive),
    NAMED(jump_to_kernel),
    NAMED(jump_noncanonical),
    NAMED(jump_tagged),
    NAMED(jump_odd),
    NAMED(read_noncanonical),
    NAMED(read_tagged),
    NAMED(misaligned_exclusive),
    NAMED(prefetch_kernel),
    NAMED(wait_for_interrupt),
    NAMED(wait_for_event),
    NAMED(mask_interrupts),
    NAMED(unmask_interrupts),
    NAMED(read_masks),
    NAMED(select_stack),
    NAMED(set_pan),
    NAMED(clear_pan),
    NAMED(set_uao),
    NAMED(exception_return),
    NAMED(hypervisor_call),
    NAMED(monitor_call),
    NAMED(semihosting),
    NAMED(debug_state),
    NAMED(invalidate_translations),
    NAMED(translate_address),
    NAMED(zero_block),
    NAMED(clean_line),
    NAMED(clean_invalidate_line),
    NAMED(invalidate_line),
    NAMED(invalidate_instructions),
    NAMED(invalidate_instruction_line),
    NAMED(read_counter),
    NAMED(read_physical_counter),
    NAMED(read_frequency),
    NAMED(read_timer),
    NAMED(read_cycles),
    NAMED(read_events),
    NAMED(read_cache_type),
    NAMED(read_model),
    NAMED(read_affinity),
    NAMED(read_features),
    NAMED(read_level),
    NAMED(read_control),
    NAMED(read_root),
    NAMED(read_kernel_root),
    NAMED(read_vectors),
    NAMED(read_cpu_pointer),
    NAMED(read_syndrome),
    NAMED(read_return_address),
    NAMED(read_saved_state),
    NAMED(read_user_stack),
    NAMED(read_access_control),
    NAMED(read_debug_control),
    NAMED(read_zero_size),
    NAMED(write_timer),
    NAMED(write_timer_access),
    NAMED(write_control),
    NAMED(write_root),
    NAMED(write_kernel_root),
    NAMED(write_translation_control),
    NAMED(write_vectors),
    NAMED(write_cpu_pointer),
    NAMED(write_constant_pointer),
    NAMED(write_return_address),
    NAMED(write_saved_state),
    NAMED(write_access_control),
    NAMED(write_debug_control),
    NAMED(write_debug_lock),
    NAMED(write_breakpoint),
    NAMED(interrupt_cpu),
    NAMED(acknowledge_interrupt),
    NAMED(read_trace),
    NAMED(read_key),
    NAMED(scalable_vectors),
    NAMED(scalable_vector_load),
    NAMED(matrix_mode),
    NAMED(second_thread_pointer),
    NAMED(transaction),
    NAMED(sign_pointer),
    NAMED(landing_pad),
    NAMED(speculation_control),
    NAMED(undefined),
    NAMED(unallocated),
    NAMED(breakpoint),
    NAMED(call_with_immediate),
    NAMED(unknown_call),
    NAMED(unmask_exceptions),
    NAMED(divide_by_zero),
    NAMED(stack_in_kernel),
    NAMED(fault_with_stack_in_kernel),
    NAMED(stack_noncanonical),
    NAMED(fault_with_stack_noncanonical),
    NAMED(stack_odd),
    NAMED(call_with_odd_stack),
    NAMED(call_with_no_stack),
    NAMED(call_with_stack_in_kernel),
    NAMED(trace_into_kernel),
    NAMED(trace_noncanonical),
    NAMED(trace_odd),
    NAMED(trace_in_circles),
};

const struct attempt attack_checks[] = {
    NAMED(call_registers), NAMED(fast_call_registers), NAMED(preempted_registers),
    NAMED(flags_kept),     NAMED(vectors_apart),       NAMED(thread_pointer_apart),
};

const unsigned attack_attempt_count = sizeof attack_attempts / sizeof *attack_attempts;
const unsigned attack_check_count = sizeof attack_checks / sizeof *attack_checks;
