// What a program can try on x86_64 (../attack.c).
#include "../attack.h"

#include "abi/abi.h"

#define TEXT_OF(x) #x
#define TEXT(x)    TEXT_OF(x)
#define CALL(number)                                                                                                   \
    "mov $" TEXT(number) ", %eax\n"                                                                                    \
                         "syscall\n"
// Values of abi.h, asserted below: assembly text needs numbers.
#define YIELD  3
#define EXIT   13
#define PASSED 3
#define OKAY   "\nxor %edi, %edi\n" CALL(EXIT)
#define BAD    "\n9: mov $" TEXT(PASSED) ", %edi\n" CALL(EXIT)
static_assert(CALL_YIELD == YIELD && CALL_EXIT == EXIT && ATTACK_PASSED == PASSED);

// An attempt that must fault. ATTACK: what follows tells that it did not. HARMLESS: some processors allow it, which does
// no harm; it then ends in an undefined instruction.
#define ATTACK(name, text)                                                                                             \
    [[gnu::naked]] static void name(void) {                                                                            \
        __asm__ volatile(text BAD "ud2");                                                                              \
    }
#define HARMLESS(name, text)                                                                                           \
    [[gnu::naked]] static void name(void) {                                                                            \
        __asm__ volatile(text "\nud2");                                                                                \
    }
// A check: to 9 if it does not hold.
#define CHECK(name, text)                                                                                              \
    [[gnu::naked]] static void name(void) {                                                                            \
        __asm__ volatile(text OKAY BAD "ud2");                                                                         \
    }

// ---- addresses -------------------------------------------------------------------------------------------------------

ATTACK(read_kernel, "mov $0xffffffff80201000, %rax; mov (%rax), %rax")
ATTACK(read_direct_map, "mov $0xffff800000200000, %rax; mov (%rax), %rax")
ATTACK(jump_to_kernel, "mov $0xffffffff80201000, %rax; jmp *%rax")
ATTACK(jump_noncanonical, "mov $0x800000000000, %rax; jmp *%rax")
ATTACK(read_noncanonical, "mov $0x8000000000000000, %rax; mov (%rax), %rax")
ATTACK(return_noncanonical, "mov $0xffff7fffffffffff, %rax; push %rax; ret")

// ---- privileged instructions -----------------------------------------------------------------------------------------

ATTACK(halt, "hlt")
ATTACK(interrupts_off, "cli")
ATTACK(interrupts_on, "sti")
ATTACK(port_in, "in $0x60, %al")
ATTACK(port_out, "mov $0xf4, %dx; mov $0x3f, %al; out %al, %dx")
ATTACK(port_string_out, "mov $0x3f8, %dx; mov %rsp, %rsi; outsb")
ATTACK(read_msr, "mov $0xc0000101, %ecx; rdmsr")
ATTACK(write_msr, "mov $0xc0000082, %ecx; xor %eax, %eax; xor %edx, %edx; wrmsr")
ATTACK(read_counter, "xor %ecx, %ecx; rdpmc")
ATTACK(write_gs_base, "mov $0xffffffff80000000, %rax; wrgsbase %rax")
ATTACK(write_fs_base, "mov $0xffffffff80000000, %rax; wrfsbase %rax")
ATTACK(swap_gs, "swapgs")
ATTACK(return_from_call, "xor %ecx, %ecx; sysretq")
ATTACK(sysenter_call, "mov %rsp, %rcx; sysenter")
ATTACK(read_cr0, "mov %cr0, %rax")
ATTACK(write_cr0, "mov $0x11, %eax; mov %rax, %cr0")
ATTACK(write_cr3, "xor %eax, %eax; mov %rax, %cr3")
ATTACK(write_cr4, "xor %eax, %eax; mov %rax, %cr4")
ATTACK(write_dr7, "mov $0x401, %eax; mov %rax, %dr7")
ATTACK(read_dr6, "mov %dr6, %rax")
ATTACK(load_gdt, "lgdt -16(%rsp)")
ATTACK(load_idt, "lidt -16(%rsp)")
ATTACK(load_task, "mov $0x30, %eax; ltr %ax")
ATTACK(load_local_table, "xor %eax, %eax; lldt %ax")
ATTACK(invalidate_page, "invlpg (%rsp)")
ATTACK(write_back_caches, "wbinvd")
ATTACK(clear_task_switched, "clts")
ATTACK(load_machine_status, "mov $1, %eax; lmsw %ax")
ATTACK(extended_control, "xor %ecx, %ecx; xgetbv")
ATTACK(wide_vectors, "vpxor %ymm0, %ymm0, %ymm0")
ATTACK(extended_save, "xsave -1024(%rsp)")
HARMLESS(store_machine_status, "smsw %eax")
HARMLESS(store_gdt, "sgdt -32(%rsp)")
HARMLESS(set_ac, "stac")
HARMLESS(virtual_call, "vmcall")
HARMLESS(virtual_run, "vmrun")
HARMLESS(monitor_wait, "mwait")

// ---- interrupts by instruction ---------------------------------------------------------------------------------------

ATTACK(int_debug, "int $1")
ATTACK(int_nmi, "int $2")
ATTACK(int_double_fault, "int $8")
ATTACK(int_page_fault, "int $14")
ATTACK(int_machine_check, "int $18")
ATTACK(int_legacy, "int $0x20")
ATTACK(int_system_call, "int $0x80")
ATTACK(int_timer, "int $240")
ATTACK(int_ipi, "int $241")
ATTACK(breakpoint, "int3")
ATTACK(ice_breakpoint, ".byte 0xf1")

// ---- flags -----------------------------------------------------------------------------------------------------------

ATTACK(step, "pushfq; orq $0x100, (%rsp); popfq; nop")
ATTACK(step_over_call, "pushfq; orq $0x100, (%rsp); mov $" TEXT(YIELD) ", %eax; popfq; syscall; nop")
ATTACK(step_over_stack_load,
       "mov %ss, %ecx; pushfq; orq $0x100, (%rsp); mov $" TEXT(YIELD) ", %eax; popfq;"
                                                                      "mov %ecx, %ss; syscall; nop")
ATTACK(port_privilege, "pushfq; orq $0x3000, (%rsp); popfq; in $0x60, %al")
HARMLESS(misaligned, "pushfq; orq $0x40000, (%rsp); popfq; mov 1(%rsp), %rax")

// ---- segments and returns --------------------------------------------------------------------------------------------

ATTACK(return_to_kernel_code, "push $8; lea 9f(%rip), %rcx; push %rcx; lretq")
ATTACK(return_to_32_bit, "push $0x1b; lea 9f(%rip), %rcx; push %rcx; lretq")
ATTACK(return_to_task, "push $0x30; lea 9f(%rip), %rcx; push %rcx; lretq")
ATTACK(iret_to_kernel, "mov %rsp, %rax; push $0x10; push %rax; pushfq; push $8; lea 9f(%rip), %rcx; push %rcx; iretq")
ATTACK(iret_null_stack, "mov %rsp, %rax; push $0; push %rax; pushfq; push $0x2b; lea 9f(%rip), %rcx; push %rcx; iretq")
ATTACK(iret_noncanonical, "mov %rsp, %rax; push $0x23; push %rax; pushfq; push $0x2b; mov $0x800000000000, %rcx;"
                          "push %rcx; iretq")
ATTACK(iret_nested, "pushfq; orq $0x4000, (%rsp); popfq; mov %rsp, %rax; push $0x23; push %rax; pushfq; push $0x2b;"
                    "lea 9f(%rip), %rcx; push %rcx; iretq")
ATTACK(null_stack_segment, "xor %eax, %eax; mov %eax, %ss")
ATTACK(kernel_stack_segment, "mov $0x10, %eax; mov %eax, %ss")
ATTACK(task_segment, "mov $0x30, %eax; mov %eax, %ds")
ATTACK(local_segment, "mov $7, %eax; mov %eax, %es")
ATTACK(stack_load_breakpoint, "mov %ss, %eax; mov %eax, %ss; int3")
ATTACK(segment_at_null, "mov $0x23, %eax; mov %eax, %fs; mov %fs:0, %rax")
ATTACK(gs_at_null, "mov %gs:0, %rax")

// ---- stack and frame pointers ----------------------------------------------------------------------------------------

ATTACK(stack_in_kernel, "mov $0xffffffff80300000, %rsp; push %rax")
HARMLESS(fault_with_stack_in_kernel, "mov $0xffffffff80300000, %rsp")
ATTACK(stack_noncanonical, "mov $0x8000000000000000, %rsp; push %rax")
HARMLESS(fault_with_stack_noncanonical, "mov $0x8000000000000000, %rsp")
HARMLESS(call_with_odd_stack, "mov $-1, %rsp\n" CALL(YIELD))
HARMLESS(call_with_no_stack, "xor %esp, %esp\n" CALL(YIELD))
HARMLESS(call_with_stack_in_kernel, "mov $0xffffffff80300008, %rsp\n" CALL(YIELD))
HARMLESS(trace_into_kernel, "mov $0xffff800000200000, %rbp")
HARMLESS(trace_noncanonical, "mov $0x7ffffffffff0, %rbp")
HARMLESS(trace_odd, "lea 3(%rsp), %rbp")
HARMLESS(trace_in_circles, "push %rsp; mov %rsp, %rbp; mov %rsp, (%rsp)")

// ---- arithmetic and odd encodings ------------------------------------------------------------------------------------

ATTACK(divide_by_zero, "xor %ecx, %ecx; div %ecx")
ATTACK(x87_exception, "fninit; pushq $0; fldcw (%rsp); fldz; fld1; fdiv %st(1), %st; fwait")
HARMLESS(simd_exception, "pushq $0; ldmxcsr (%rsp); pxor %xmm0, %xmm0; divps %xmm0, %xmm0")
HARMLESS(reserved_mxcsr, "pushq $-1; ldmxcsr (%rsp)")
ATTACK(locked_register, ".byte 0xf0, 0x0f, 0xc7, 0xc8")
ATTACK(endless_prefixes,
       ".byte 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,"
       "0x66, 0x90")

// ---- what must hold --------------------------------------------------------------------------------------------------

// A call keeps rsp, rbp and the message words, and leaves nothing of the kernel's in the others.
CHECK(call_registers,
      "mov $-1, %rbx; mov %rbx, %r8; mov %rbx, %r9; mov %rbx, %r12; mov %rbx, %r13; mov %rbx, %r14;"
      "mov %rbx, %r15; mov %rbx, %rdi; mov %rbx, %rsi; mov %rbx, %rdx; mov %rbx, %r10;"
      "mov $0x7777, %rbp; mov %rsp, -8(%rsp)\n" CALL(
          YIELD) "test %rax, %rax; jnz 9f; cmp %rsp, -8(%rsp); jne 9f; cmp $0x7777, %rbp; jne 9f;"
                 "or %r8, %rax; or %r9, %rax; and %r12, %rbx; and %r13, %rbx; and %r14, %rbx; not %rbx; or %rbx, %rax;"
                 "or %r15, %rax; or %rdi, %rax; or %rsi, %rax; or %rdx, %rax; or %r10, %rax; jnz 9f")
// Preemption keeps every register.
CHECK(preempted_registers, "mov $0x11, %eax; mov $0x22, %ebx; mov $0x33, %edx; mov $0x44, %esi; mov $0x55, %edi;"
                           "mov $0x66, %ebp; mov $0x77, %r8d; mov $0x88, %r15d; mov $5000000, %ecx;"
                           "1: dec %rcx; jnz 1b;"
                           "cmp $0x11, %eax; jne 9f; cmp $0x22, %ebx; jne 9f; cmp $0x33, %edx; jne 9f;"
                           "cmp $0x44, %esi; jne 9f; cmp $0x55, %edi; jne 9f; cmp $0x66, %ebp; jne 9f;"
                           "cmp $0x77, %r8d; jne 9f; cmp $0x88, %r15d; jne 9f")
// AC, NT and DF are the thread's own, over calls and preemption.
CHECK(flags_kept, "pushfq; orq $0x44400, (%rsp); popfq\n" CALL(YIELD) "mov $3000000, %ecx; 1: dec %rcx; jnz 1b\n" CALL(
                      YIELD) "pushfq; pop %rax; and $0x44400, %eax; cmp $0x44400, %eax; jne 9f")
// The first vector instruction finds a clean unit; from then on nobody else's values appear.
CHECK(vectors_apart, "fnstcw -16(%rsp); cmpw $0x37f, -16(%rsp); jne 9f; movq %xmm0, %rax; movq %xmm15, %rbx;"
                     "or %rbx, %rax; jnz 9f; stmxcsr -16(%rsp); cmpl $0x1f80, -16(%rsp); jne 9f;"
                     "rdtsc; shl $32, %rdx; or %rdx, %rax; mov %rax, %rbx; movq %rbx, %xmm0; movq %rbx, %xmm15;"
                     "mov $3000000, %ecx;"
                     "1: movq %xmm0, %rax; cmp %rax, %rbx; jne 9f; movq %xmm15, %rax; cmp %rax, %rbx; jne 9f;"
                     "dec %rcx; jnz 1b")
// Selectors are those that user code can load, or null.
CHECK(selectors_apart,
      "mov $50, %ebx; 1: mov %ds, %eax; mov %es, %ecx; or %ecx, %eax; mov %fs, %ecx; or %ecx, %eax;"
      "mov %gs, %ecx; or %ecx, %eax; test $~0x23, %eax; jnz 9f; mov $0x23, %eax; mov %eax, %ds;"
      "mov %eax, %es; mov %eax, %fs; mov %eax, %gs; push %rbx\n" CALL(YIELD) "pop %rbx; dec %ebx; jnz 1b")
CHECK(selectors_begin_null, "mov %ds, %eax; mov %es, %ecx; or %ecx, %eax; mov %fs, %ecx; or %ecx, %eax;"
                            "mov %gs, %ecx; or %ecx, %eax; jnz 9f")

const struct attempt attack_attempts[] = {
    NAMED(read_kernel),
    NAMED(read_direct_map),
    NAMED(jump_to_kernel),
    NAMED(jump_noncanonical),
    NAMED(read_noncanonical),
    NAMED(return_noncanonical),
    NAMED(halt),
    NAMED(interrupts_off),
    NAMED(interrupts_on),
    NAMED(port_in),
    NAMED(port_out),
    NAMED(port_string_out),
    NAMED(read_msr),
    NAMED(write_msr),
    NAMED(read_counter),
    NAMED(write_gs_base),
    NAMED(write_fs_base),
    NAMED(swap_gs),
    NAMED(return_from_call),
    NAMED(sysenter_call),
    NAMED(read_cr0),
    NAMED(write_cr0),
    NAMED(write_cr3),
    NAMED(write_cr4),
    NAMED(write_dr7),
    NAMED(read_dr6),
    NAMED(load_gdt),
    NAMED(load_idt),
    NAMED(load_task),
    NAMED(load_local_table),
    NAMED(invalidate_page),
    NAMED(write_back_caches),
    NAMED(clear_task_switched),
    NAMED(load_machine_status),
    NAMED(extended_control),
    NAMED(wide_vectors),
    NAMED(extended_save),
    NAMED(store_machine_status),
    NAMED(store_gdt),
    NAMED(set_ac),
    NAMED(virtual_call),
    NAMED(virtual_run),
    NAMED(monitor_wait),
    NAMED(int_debug),
    NAMED(int_nmi),
    NAMED(int_double_fault),
    NAMED(int_page_fault),
    NAMED(int_machine_check),
    NAMED(int_legacy),
    NAMED(int_system_call),
    NAMED(int_timer),
    NAMED(int_ipi),
    NAMED(breakpoint),
    NAMED(ice_breakpoint),
    NAMED(step),
    NAMED(step_over_call),
    NAMED(step_over_stack_load),
    NAMED(port_privilege),
    NAMED(misaligned),
    NAMED(return_to_kernel_code),
    NAMED(return_to_32_bit),
    NAMED(return_to_task),
    NAMED(iret_to_kernel),
    NAMED(iret_null_stack),
    NAMED(iret_noncanonical),
    NAMED(iret_nested),
    NAMED(null_stack_segment),
    NAMED(kernel_stack_segment),
    NAMED(task_segment),
    NAMED(local_segment),
    NAMED(stack_load_breakpoint),
    NAMED(segment_at_null),
    NAMED(gs_at_null),
    NAMED(stack_in_kernel),
    NAMED(fault_with_stack_in_kernel),
    NAMED(stack_noncanonical),
    NAMED(fault_with_stack_noncanonical),
    NAMED(call_with_odd_stack),
    NAMED(call_with_no_stack),
    NAMED(call_with_stack_in_kernel),
    NAMED(trace_into_kernel),
    NAMED(trace_noncanonical),
    NAMED(trace_odd),
    NAMED(trace_in_circles),
    NAMED(divide_by_zero),
    NAMED(x87_exception),
    NAMED(simd_exception),
    NAMED(reserved_mxcsr),
    NAMED(locked_register),
    NAMED(endless_prefixes),
};

const struct attempt attack_checks[] = {
    NAMED(call_registers), NAMED(preempted_registers), NAMED(flags_kept),
    NAMED(vectors_apart),  NAMED(selectors_apart),     NAMED(selectors_begin_null),
};

const unsigned attack_attempt_count = sizeof attack_attempts / sizeof *attack_attempts;
const unsigned attack_check_count = sizeof attack_checks / sizeof *attack_checks;
