// Where a further CPU begins: smp.c copies this to a page below 1 MiB, which the CPU enters in real mode with cs = that
// page / 16 and ip = 0. It goes to long mode on the page tables in the page's data (struct x86_trampoline_data, at its
// end), which map the page at its own address, and calls x86_start_secondary(cpu) in the kernel on the given stack.
// Position-independent: it finds its address in cs.

#include "x86_offsets.h"

#define PAGE            4096
#define DATA            (PAGE - TRAMPOLINE_DATA_SIZE)
#define CR0_PE          (1 << 0)
#define CR0_MP          (1 << 1)
#define CR0_NE          (1 << 5)
#define CR0_WP          (1 << 16)
#define CR0_PG          (1 << 31)
#define CR4_PAE         (1 << 5)
#define MSR_EFER        0xc0000080
#define EFER_LME        (1 << 8)
#define EFER_NXE        (1 << 11)
#define AT(label)       ((label) - x86_trampoline)

    .section .rodata.trampoline, "a"
    .balign 16
    .global x86_trampoline
x86_trampoline:
    .code16
    cli
    cld
    mov %cs, %ax
    mov %ax, %ds
    movzwl %ax, %ebx
    shl $4, %ebx                            // the page's address
    lea AT(protected)(%ebx), %eax
    mov %eax, AT(protected_pointer)
    lea AT(long)(%ebx), %eax
    mov %eax, AT(long_pointer)
    lea AT(gdt)(%ebx), %eax
    mov %eax, AT(gdt_pointer) + 2
    lgdtl AT(gdt_pointer)
    mov %cr0, %eax
    or $CR0_PE, %al
    mov %eax, %cr0
    ljmpl *AT(protected_pointer)

    .code32
protected:
    mov $16, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov $CR4_PAE, %eax
    mov %eax, %cr4
    mov DATA + TRAMPOLINE_ROOT(%ebx), %eax
    mov %eax, %cr3
    mov $MSR_EFER, %ecx
    rdmsr
    or $(EFER_LME | EFER_NXE), %eax
    wrmsr
    mov $(CR0_PG | CR0_WP | CR0_NE | CR0_MP | CR0_PE), %eax
    mov %eax, %cr0
    ljmpl *AT(long_pointer)(%ebx)

    .code64
long:
    xor %eax, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %fs
    mov %eax, %gs
    mov %eax, %ss
    mov DATA + TRAMPOLINE_STACK(%rbx), %rsp
    mov DATA + TRAMPOLINE_CPU(%rbx), %rdi
    xor %ebp, %ebp
    mov $x86_start_secondary, %rax
    call *%rax
    ud2

    .balign 8
gdt:
    .quad 0
    .quad 0x00209b0000000000                // 0x08: 64-bit code
    .quad 0x00cf93000000ffff                // 0x10: data
    .quad 0x00cf9b000000ffff                // 0x18: 32-bit code
gdt_pointer:
    .short . - gdt - 1
    .long 0
protected_pointer:
    .long 0
    .short 0x18
long_pointer:
    .long 0
    .short 0x08
    .global x86_trampoline_end
x86_trampoline_end:

    .section .note.GNU-stack, "", @progbits
