// From the loader to C. Both loaders enter in 32-bit protected mode with paging off: QEMU and other PVH loaders at
// x86_start_pvh with ebx = hvm_start_info, GRUB at x86_start_multiboot2 with eax = magic, ebx = boot information. This
// code runs where it was loaded. It maps the low 4 GiB by 2 MiB pages, everything allowed, three times: at their own
// addresses, in the direct map, and (the first GiB) at the image's link address; then it enters long mode and calls
// x86_start(loader, information) on the boot stack. map.c replaces that map.

#include "x86_offsets.h"

#define PHYS(symbol) ((symbol) - IMAGE_OFFSET)

#define PORT_SERIAL 0x3f8

#define CPUID_LONG_MODE (1 << 29)
#define CPUID_NO_EXEC   (1 << 20)
#define CR0_PE          (1 << 0)
#define CR0_MP          (1 << 1)
#define CR0_EM          (1 << 2)
#define CR0_NE          (1 << 5)
#define CR0_WP          (1 << 16)
#define CR0_PG          (1 << 31)
#define CR4_PAE         (1 << 5)
#define MSR_EFER        0xc0000080
#define EFER_LME        (1 << 8)
#define EFER_NXE        (1 << 11)

    .section .boot.header, "a"
    .balign 8
header:
    .long 0xe85250d6                        // Multiboot2
    .long 0                                 // i386 protected mode
    .long header_end - header
    .long -(0xe85250d6 + (header_end - header))
    .balign 8
request:
    .short 1, 0                             // information that must be there
    .long request_end - request
    .long 6                                 // memory map
request_end:
    .balign 8
    .short 6, 0                             // modules on page boundaries
    .long 8
    .balign 8
    .short 0, 0                             // end of tags
    .long 8
header_end:

    .section .note.pvh, "a", @note
    .balign 4
    .long 4, 8, 18                          // sizes of name and value; XEN_ELFNOTE_PHYS32_ENTRY
    .asciz "Xen"
    .quad x86_start_pvh

    .section .boot.text, "ax"
    .code32
    .global x86_start_pvh
x86_start_pvh:
    mov $LOADER_PVH, %ebp
    jmp start

    .global x86_start_multiboot2
x86_start_multiboot2:
    mov $LOADER_MULTIBOOT2, %ebp
    cmp $MULTIBOOT2_MAGIC, %eax
    jne refuse

start:                                      // ebp = loader, ebx = its information
    cli
    cld
    mov $PHYS(x86_boot_stack) + BOOT_STACK_SIZE, %esp

    mov $0x80000000, %eax
    push %ebx
    cpuid
    cmp $0x80000001, %eax
    jb refuse
    mov $0x80000001, %eax
    cpuid
    pop %ebx
    and $(CPUID_LONG_MODE | CPUID_NO_EXEC), %edx
    cmp $(CPUID_LONG_MODE | CPUID_NO_EXEC), %edx
    jne refuse

    // 2048 large pages.
    mov $PHYS(x86_direct_directory), %edi
    mov $LARGE_ENTRY, %eax
    xor %edx, %edx
    mov $2048, %ecx
1:  mov %eax, (%edi)
    mov %edx, 4(%edi)
    add $0x200000, %eax
    add $8, %edi
    loop 1b

    mov $PHYS(x86_direct_directory) + TABLE_ENTRY, %eax
    mov $PHYS(boot_low), %edi
    mov $4, %ecx
2:  mov %eax, (%edi)
    add $4096, %eax
    add $8, %edi
    loop 2b
    movl $PHYS(x86_direct_directory) + TABLE_ENTRY, PHYS(boot_high) + 510 * 8
    movl $PHYS(boot_low) + TABLE_ENTRY, PHYS(boot_root)
    movl $PHYS(boot_low) + TABLE_ENTRY, PHYS(boot_root) + 256 * 8
    movl $PHYS(boot_high) + TABLE_ENTRY, PHYS(boot_root) + 511 * 8

    mov $CR4_PAE, %eax
    mov %eax, %cr4
    mov $PHYS(boot_root), %eax
    mov %eax, %cr3
    mov $MSR_EFER, %ecx
    rdmsr
    or $(EFER_LME | EFER_NXE), %eax
    wrmsr
    mov %cr0, %eax
    and $~CR0_EM, %eax
    or $(CR0_PG | CR0_WP | CR0_NE | CR0_MP | CR0_PE), %eax
    mov %eax, %cr0
    lgdt boot_gdt_pointer
    ljmp $SELECTOR_KERNEL_CODE, $long_mode

// Not a machine or loader for this kernel: say so on the serial line, and stop.
refuse:
    mov $refusal, %esi
3:  lodsb
    test %al, %al
    jz 4f
    mov $PORT_SERIAL, %dx
    out %al, %dx
    jmp 3b
4:  cli
    hlt
    jmp 4b

    .code64
long_mode:
    xor %eax, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %fs
    mov %eax, %gs
    mov %eax, %ss
    mov $x86_boot_stack + BOOT_STACK_SIZE, %rsp
    mov %ebp, %edi
    mov %ebx, %esi
    xor %ebp, %ebp
    mov $x86_start, %rax
    call *%rax
    ud2

    .balign 8
boot_gdt:
    .quad 0
    .quad 0x00209b0000000000                // kernel code: present, 64-bit, accessed
boot_gdt_pointer:
    .short . - boot_gdt - 1
    .long boot_gdt
refusal:
    .asciz "isthmus: needs a 64-bit processor with no-execute pages, and a PVH or Multiboot2 loader\r\n"

    .section .bss.pages, "aw", @nobits
    .balign 4096
boot_root:
    .skip 4096
boot_low:
    .skip 4096
boot_high:
    .skip 4096
    .global x86_direct_directory            // the low 4 GiB of the direct map, for good
x86_direct_directory:
    .skip 4 * 4096
    .global x86_boot_stack
x86_boot_stack:
    .skip BOOT_STACK_SIZE

    .section .note.GNU-stack, "", @progbits
