// What a program can try on riscv64 (../attack.c).
#include "../attack.h"

#include "abi/abi.h"

#define NUMBERS                                                                                                        \
    [version] "i"(CALL_ABI_VERSION), [yield] "i"(CALL_YIELD), [clock] "i"(CALL_CLOCK), [exit] "i"(CALL_EXIT),          \
        [passed] "i"(ATTACK_PASSED)
#define FLOATS ".option push; .option arch, +d\n" // the compiler is told of none, but the processor has them
#define OKAY   "\nli a0, 0; li a7, %[exit]; ecall"
#define BAD    "\n9: li a0, %[passed]; li a7, %[exit]; ecall\n"

// An attempt that must fault. ATTACK: what follows tells that it did not. HARMLESS: some processors allow it, which does
// no harm; it then ends in an undefined instruction.
#define ATTACK(name, text)                                                                                             \
    [[gnu::naked]] static void name(void) {                                                                            \
        __asm__ volatile(FLOATS text BAD "unimp\n.option pop" ::NUMBERS);                                              \
    }
#define HARMLESS(name, text)                                                                                           \
    [[gnu::naked]] static void name(void) {                                                                            \
        __asm__ volatile(FLOATS text "\nunimp\n.option pop" ::NUMBERS);                                                \
    }
// A check: to 9 if it does not hold.
#define CHECK(name, text)                                                                                              \
    [[gnu::naked]] static void name(void) {                                                                            \
        __asm__ volatile(FLOATS text OKAY BAD "unimp\n.option pop" ::NUMBERS);                                         \
    }
#define CALL(number) "\nli a7, %[" #number "]; ecall\n"

// ---- addresses -------------------------------------------------------------------------------------------------------

ATTACK(read_kernel, "li t0, 0xffffffff80010000; ld t0, (t0)")
ATTACK(write_kernel, "li t0, 0xffffffff80030000; sd t0, (t0)")
ATTACK(change_kernel, "li t0, 0xffffffff80030000; amoadd.d t1, t0, (t0)")
ATTACK(reserve_kernel, "li t0, 0xffffffff80030000; lr.d t1, (t0)")
HARMLESS(condition_on_kernel, "li t0, 0xffffffff80030000; sc.d t1, zero, (t0)") // fails by itself
ATTACK(read_direct_map_of_sv39, "li t0, 0xffffffc080200000; ld t0, (t0)")
ATTACK(read_direct_map_of_sv48, "li t0, 0xffff800080200000; ld t0, (t0)")
ATTACK(read_window, "li t0, 0xffffffff40001000; ld t0, (t0)")
ATTACK(read_last_page, "li t0, 0x3ffffff000; ld t0, (t0)")
ATTACK(read_above_user, "li t0, 0x4000000000; ld t0, (t0)")
ATTACK(read_noncanonical, "li t0, 0x8000000000000000; ld t0, (t0)")
ATTACK(read_over_the_top, "li t0, -4; ld t0, (t0)")
ATTACK(jump_to_kernel, "li t0, 0xffffffff80010000; jr t0")
ATTACK(jump_above_user, "li t0, 0x4000000000; jr t0")
ATTACK(jump_noncanonical, "li t0, 0x8000000000000000; jr t0")
ATTACK(return_to_the_end, "li ra, -2; ret")
HARMLESS(misaligned, "ld t0, 1(sp)")
ATTACK(misaligned_change, "addi t0, sp, -63; amoadd.d t1, t0, (t0)")
ATTACK(misaligned_reserve, "addi t0, sp, -63; lr.d t1, (t0)")

// ---- privileged instructions -----------------------------------------------------------------------------------------

ATTACK(supervisor_return, "sret")
ATTACK(machine_return, "mret")
ATTACK(debug_return, ".word 0x7b200073")
HARMLESS(wait_for_interrupt, "wfi")
ATTACK(flush_translations, "sfence.vma")
ATTACK(flush_one_translation, "sfence.vma sp, zero")
ATTACK(flush_guest_translations, ".word 0x62000073") // hfence.gvma
ATTACK(read_as_guest, ".word 0x6c0142f3")            // hlv.d t0, (sp)
HARMLESS(fence_of_fetches, "fence.i")
ATTACK(flush_cache_line, ".insn i 0x0f, 2, x0, sp, 0") // cbo.inval

#define READS(name, number)  ATTACK(name, "csrr t0, " #number)
#define WRITES(name, number) ATTACK(name, "csrw " #number ", zero")
READS(read_status, sstatus)
WRITES(write_status, sstatus)
ATTACK(allow_user_memory, "li t0, 0x40000; csrs sstatus, t0")
WRITES(write_interrupts, sie)
WRITES(write_vector, stvec)
READS(read_scratch, sscratch)
WRITES(write_scratch, sscratch)
READS(read_exception_pc, sepc)
READS(read_cause, scause)
READS(read_address, stval)
WRITES(write_pending, sip)
READS(read_translation, satp)
WRITES(write_translation, satp)
WRITES(write_counters_allowed, scounteren)
WRITES(write_environment, 0x10a)
WRITES(write_alarm, 0x14d)
WRITES(select_interrupt_file, 0x150)
WRITES(write_interrupt_file, 0x151)
READS(claim_interrupt, 0x15c)
WRITES(write_guest_status, 0x600)
WRITES(write_guest_translation, 0x280)
READS(read_machine_status, mstatus)
WRITES(write_machine_status, mstatus)
READS(read_machine_isa, misa)
READS(read_hart, mhartid)
WRITES(write_machine_vector, mtvec)
WRITES(write_machine_scratch, mscratch)
WRITES(write_delegation, medeleg)
WRITES(write_protection, pmpcfg0)
WRITES(write_protected_address, pmpaddr0)
WRITES(write_trigger, 0x7a1)
READS(read_debug_control, 0x7b0)
READS(read_cycles, cycle)
HARMLESS(read_time, "csrr t0, time") // some firmware gives it, closed or not
READS(read_instructions, instret)
READS(read_event_counter, hpmcounter3)
ATTACK(read_entropy, "csrrw t0, 0x015, zero")
READS(read_vector_length, 0xc20)
WRITES(write_vector_start, 0x008)
ATTACK(set_vector_length, ".word 0x0d0072d7") // vsetvli t0, zero, e64
ATTACK(load_vector, ".word 0x02017007")       // vle64.v v0, (sp)
ATTACK(undefined_register, "csrr t0, 0x8ff")

// ---- odd encodings ---------------------------------------------------------------------------------------------------

ATTACK(breakpoint, "ebreak")
ATTACK(short_breakpoint, "c.ebreak")
ATTACK(all_zeroes, ".half 0")
ATTACK(all_ones, ".word 0xffffffff")
ATTACK(long_encoding, ".word 0x0000001f, 0, 0, 0")
ATTACK(reserved_rounding, "fadd.d ft0, ft0, ft0, rne; li t0, 7; fsrm t0; fadd.d ft0, ft0, ft0, dyn")
ATTACK(undefined_float_after_float, "fadd.d ft0, ft0, ft0, rne; .word 0xfffff053")
HARMLESS(set_float_flags, "li t0, -1; fscsr t0; fmv.d.x ft0, zero; fdiv.d ft0, ft0, ft0, rne")
HARMLESS(unknown_call, "li a7, -1; ecall")
HARMLESS(firmware_call, "li a7, 0x53525354; li a6, 0; li a0, 0; li a1, 0; ecall") // SRST: shut down

// ---- pointers that the kernel or a report might follow ---------------------------------------------------------------

ATTACK(stack_in_kernel, "li sp, 0xffffffff80030000; sd t0, -8(sp)")
HARMLESS(fault_with_stack_in_kernel, "li sp, 0xffffffff80030000")
HARMLESS(fault_with_no_stack, "li sp, 0")
HARMLESS(call_with_stack_in_kernel, "li sp, 0xffffffff80030000" CALL(yield))
HARMLESS(call_with_odd_stack, "li sp, -1" CALL(yield))
HARMLESS(call_without_thread_pointer, "li tp, 0" CALL(yield))
HARMLESS(call_with_thread_pointer_in_kernel, "li tp, 0xffffffff80030000" CALL(yield))
HARMLESS(fault_without_thread_pointer, "li tp, 0")
HARMLESS(fault_with_thread_pointer_in_kernel, "li tp, 0xffffffff80030000")
HARMLESS(call_with_global_pointer_in_kernel, "li gp, 0xffffffff80030000" CALL(yield))
HARMLESS(trace_into_kernel, "li s0, 0xffffffff80030000")
HARMLESS(trace_into_direct_map, "li s0, 0xffff800080200000")
HARMLESS(trace_at_the_top, "li s0, 0x4000000000")
HARMLESS(trace_at_the_bottom, "li s0, 8")
HARMLESS(trace_noncanonical, "li s0, 0x4000000000000000")
HARMLESS(trace_odd, "addi s0, sp, -3")
HARMLESS(trace_in_circles, "addi s0, sp, 16; sd s0, (sp); sd s0, 8(sp)")

// ---- what must hold --------------------------------------------------------------------------------------------------

#define ALL_OTHERS(x) x(t0) x(t1) x(t2) x(a1) x(a2) x(a3) x(a4) x(a5) x(a6) x(t3) x(t4)
#define KEPT_BY_C(x)  x(ra) x(t5) x(t6) x(s1) x(s6) x(s7) x(s8) // zero, or what they were: -1
// s9 to s11: zero, or the caller's own stack pointer, pc and thread pointer.
#define KEPT_BY_ENTRY                                                                                                  \
    "beqz s9, 1f; bne s9, sp, 9f; 1: beqz s10, 1f; lla t0, 8b; bne s10, t0, 9f; 1: beqz s11, 1f; bne s11, tp, 9f; 1: "
#define OWN(name)    "addi t0, " #name ", 1; addi t1, zero, 1; bgtu t0, t1, 9f;"
#define FILL(name)   "li " #name ", -1;"
#define ZERO(name)   "bnez " #name ", 9f;"
#define MESSAGE(x)   x(s2) x(s3) x(s4) x(s5)
#define FULL(name)   "addi t0, " #name ", 1; bnez t0, 9f;"
#define KEPT(name)   "bne " #name ", t6, 9f; addi t6, t6, 1;"
#define NUMBER(name) "mv " #name ", t6; addi t6, t6, 1;"
// All but sp, and t6 with which they are compared.
#define ALL_BUT_T6(x)                                                                                                  \
    x(ra) x(gp) x(tp) x(t0) x(t1) x(t2) x(s0) x(s1) x(a0) x(a1) x(a2) x(a3) x(a4) x(a5) x(a6) x(a7) x(s2) x(s3) x(s4)  \
        x(s5) x(s6) x(s7) x(s8) x(s9) x(s10) x(s11) x(t3) x(t4)

// A call keeps sp, s0, gp and tp, leaves message words alone, and leaves nothing of the kernel's or of another thread's in
// the others. The second one has a fast path.
#define REGISTERS(name, number, status)                                                                                \
    CHECK(name,                                                                                                        \
          "addi sp, sp, -16; sd sp, (sp); li s0, 0x7777; li gp, 0x5555; li tp, 0x6666;" ALL_OTHERS(                    \
              FILL) "li s9, -1; li s10, -1; li s11, -1;" KEPT_BY_C(FILL) MESSAGE(FILL)                                 \
              CALL(number) "8: addi a1, a1, -" #status "; bnez a0, 9f; beqz a7, 1f; addi a7, a7, -%[" #number          \
                           "]; bnez a7, 9f; 1: " ALL_OTHERS(ZERO) KEPT_BY_ENTRY KEPT_BY_C(OWN) MESSAGE(                \
                               FULL) "ld t0, (sp); bne t0, sp, 9f; li t0, 0x7777; bne t0, s0, 9f; li t0, 0x5555;"      \
                                     "bne t0, gp, 9f; li t0, 0x6666; bne t0, tp, 9f")
REGISTERS(call_registers, yield, 0)
REGISTERS(fast_call_registers, version, 1)
// Preemption keeps every register.
CHECK(preempted_registers, "li t6, 100;" ALL_BUT_T6(NUMBER) "li t5, 5000000; 1: addi t5, t5, -1; bnez t5, 1b;"
                                                            "li t6, 100;" ALL_BUT_T6(KEPT) "nop")
// The first instruction of floating point finds a clean unit; from then on nobody else's values appear.
CHECK(
    floats_apart,
    "frcsr t0; bnez t0, 9f; fmv.x.d t0, f0; bnez t0, 9f; fmv.x.d t0, f31; bnez t0, 9f" CALL(
        clock) "mv s1, a0; andi s2, s1, 3; slli s2, s2, 5; fscsr s2; fmv.d.x f0, s1; fmv.d.x f17, s1; fmv.d.x f31, s1;"
               "li t1, 3000000;"
               "1: fmv.x.d t0, f0; bne t0, s1, 9f; fmv.x.d t0, f17; bne t0, s1, 9f; fmv.x.d t0, f31; bne t0, s1, 9f;"
               "frcsr t0; bne t0, s2, 9f; addi t1, t1, -1; bnez t1, 1b")

const struct attempt attack_attempts[] = {
    NAMED(read_kernel),
    NAMED(write_kernel),
    NAMED(change_kernel),
    NAMED(reserve_kernel),
    NAMED(condition_on_kernel),
    NAMED(read_direct_map_of_sv39),
    NAMED(read_direct_map_of_sv48),
    NAMED(read_window),
    NAMED(read_last_page),
    NAMED(read_above_user),
    NAMED(read_noncanonical),
    NAMED(read_over_the_top),
    NAMED(jump_to_kernel),
    NAMED(jump_above_user),
    NAMED(jump_noncanonical),
    NAMED(return_to_the_end),
    NAMED(misaligned),
    NAMED(misaligned_change),
    NAMED(misaligned_reserve),
    NAMED(supervisor_return),
    NAMED(machine_return),
    NAMED(debug_return),
    NAMED(wait_for_interrupt),
    NAMED(flush_translations),
    NAMED(flush_one_translation),
    NAMED(flush_guest_translations),
    NAMED(read_as_guest),
    NAMED(fence_of_fetches),
    NAMED(flush_cache_line),
    NAMED(read_status),
    NAMED(write_status),
    NAMED(allow_user_memory),
    NAMED(write_interrupts),
    NAMED(write_vector),
    NAMED(read_scratch),
    NAMED(write_scratch),
    NAMED(read_exception_pc),
    NAMED(read_cause),
    NAMED(read_address),
    NAMED(write_pending),
    NAMED(read_translation),
    NAMED(write_translation),
    NAMED(write_counters_allowed),
    NAMED(write_environment),
    NAMED(write_alarm),
    NAMED(select_interrupt_file),
    NAMED(write_interrupt_file),
    NAMED(claim_interrupt),
    NAMED(write_guest_status),
    NAMED(write_guest_translation),
    NAMED(read_machine_status),
    NAMED(write_machine_status),
    NAMED(read_machine_isa),
    NAMED(read_hart),
    NAMED(write_machine_vector),
    NAMED(write_machine_scratch),
    NAMED(write_delegation),
    NAMED(write_protection),
    NAMED(write_protected_address),
    NAMED(write_trigger),
    NAMED(read_debug_control),
    NAMED(read_cycles),
    NAMED(read_time),
    NAMED(read_instructions),
    NAMED(read_event_counter),
    NAMED(read_entropy),
    NAMED(read_vector_length),
    NAMED(write_vector_start),
    NAMED(set_vector_length),
    NAMED(load_vector),
    NAMED(undefined_register),
    NAMED(breakpoint),
    NAMED(short_breakpoint),
    NAMED(all_zeroes),
    NAMED(all_ones),
    NAMED(long_encoding),
    NAMED(reserved_rounding),
    NAMED(undefined_float_after_float),
    NAMED(set_float_flags),
    NAMED(unknown_call),
    NAMED(firmware_call),
    NAMED(stack_in_kernel),
    NAMED(fault_with_stack_in_kernel),
    NAMED(fault_with_no_stack),
    NAMED(call_with_stack_in_kernel),
    NAMED(call_with_odd_stack),
    NAMED(call_without_thread_pointer),
    NAMED(call_with_thread_pointer_in_kernel),
    NAMED(fault_without_thread_pointer),
    NAMED(fault_with_thread_pointer_in_kernel),
    NAMED(call_with_global_pointer_in_kernel),
    NAMED(trace_into_kernel),
    NAMED(trace_into_direct_map),
    NAMED(trace_at_the_top),
    NAMED(trace_at_the_bottom),
    NAMED(trace_noncanonical),
    NAMED(trace_odd),
    NAMED(trace_in_circles),
};
const struct attempt attack_checks[] = {NAMED(call_registers), NAMED(fast_call_registers), NAMED(preempted_registers),
                                        NAMED(floats_apart)};
const unsigned attack_attempt_count = sizeof attack_attempts / sizeof *attack_attempts;
const unsigned attack_check_count = sizeof attack_checks / sizeof *attack_checks;
