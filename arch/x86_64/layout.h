// Constants and structures that C and assembly code of the port share; assembly sees them through offsets.c.
#pragma once

#include "base/types.h"

// Page-table entries.
#define X86_PTE_PRESENT  (1u << 0)
#define X86_PTE_WRITE    (1u << 1)
#define X86_PTE_USER     (1u << 2)
#define X86_PTE_UNCACHED (1u << 4)
#define X86_PTE_ACCESSED (1u << 5)
#define X86_PTE_DIRTY    (1u << 6)
#define X86_PTE_LARGE    (1u << 7)
#define X86_PTE_GLOBAL   (1u << 8)
#define X86_PTE_NO_EXEC  (1ull << 63)
#define X86_PTE_ADDRESS  0x000ffffffffff000u

// Segments. sysret wants user data directly below user code; the slot below that would be for 32-bit code, and is empty.
enum {
    X86_SELECTOR_KERNEL_CODE = 0x08,
    X86_SELECTOR_KERNEL_DATA = 0x10,
    X86_SELECTOR_SYSRET_BASE = 0x18 | 3,
    X86_SELECTOR_USER_DATA = 0x20 | 3,
    X86_SELECTOR_USER_CODE = 0x28 | 3,
    X86_SELECTOR_TSS = 0x30,
};

enum { X86_STACK_SIZE = 4 * 4096 }; // a CPU's kernel stack

// How the boot code was entered.
enum { X86_LOADER_PVH = 0, X86_LOADER_MULTIBOOT2 = 1 };
#define X86_MULTIBOOT2_MAGIC 0x36d76289u // in eax, from a Multiboot2 loader

// What the trampoline page tells a starting CPU; lies at the page's end.
struct x86_trampoline_data {
    uint64_t root;  // its first page table
    uint64_t stack; // its kernel stack
    uint64_t cpu;   // its struct arch_cpu
};
