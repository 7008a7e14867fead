#include "processor.h"

#include "abi/abi.h"
#include "base/memory.h"

#include "instructions.h"
#include "layout.h"
#include "map.h"
#include "vectors.h"

enum {
    MSR_APIC_BASE = 0x1b,
    MSR_SYSENTER_CS = 0x174,
    MSR_EFER = 0xc0000080,
    MSR_STAR = 0xc0000081,
    MSR_LSTAR = 0xc0000082,
    MSR_CSTAR = 0xc0000083,
    MSR_FMASK = 0xc0000084,
    MSR_FS_BASE = 0xc0000100,
    MSR_GS_BASE = 0xc0000101,
    MSR_KERNEL_GS_BASE = 0xc0000102,
};

enum { EFER_SCE = 1 << 0 };

enum : uint64_t {
    CR0_MP = 1u << 1,
    CR0_EM = 1u << 2,
    CR0_TS = 1u << 3,
    CR0_NE = 1u << 5,
    CR0_WP = 1u << 16,
    CR0_AM = 1u << 18,
    CR0_NW = 1u << 29,
    CR0_CD = 1u << 30,
};

enum : uint64_t {
    CR4_PAE = 1u << 5,
    CR4_MCE = 1u << 6,
    CR4_PGE = 1u << 7,
    CR4_FXSR = 1u << 9,
    CR4_XMM_EXCEPTIONS = 1u << 10,
    CR4_UMIP = 1u << 11,
    CR4_PCID = 1u << 17,
    CR4_SMEP = 1u << 20,
    CR4_SMAP = 1u << 21,
};

// Flags that a call must not bring into the kernel: all that can be set, AC, NT, TF and IF among them.
enum { CALL_FLAGS_CLEARED = 0x257fd5 };

struct x86_features x86_features;
alignas(64) struct arch_cpu x86_boot_cpu;

// ---- features --------------------------------------------------------------------------------------------------------

struct smap_site {
    uint64_t address; // of a three-byte no-operation
    uint8_t last;     // of the instruction that belongs there: 0f 01 last
    uint8_t reserved[7];
};
extern const struct smap_site x86_smap_sites_start[], x86_smap_sites_end[];

static void smap_arm(void) {
    for (const struct smap_site *site = x86_smap_sites_start; site < x86_smap_sites_end; site++) {
        uint8_t *code = (uint8_t *)site->address;
        code[1] = 0x01;
        code[2] = site->last;
    }
}

static void detect_name(uint32_t extended_max) {
    if (extended_max < 0x80000004) {
        return;
    }
    uint32_t words[12];
    for (uint32_t i = 0; i < 3; i++) {
        struct x86_cpuid r = x86_cpuid(0x80000002 + i, 0);
        words[i * 4] = r.a;
        words[i * 4 + 1] = r.b;
        words[i * 4 + 2] = r.c;
        words[i * 4 + 3] = r.d;
    }
    memcpy(x86_features.name, words, sizeof words);
}

void x86_features_detect(void) {
    struct x86_features *f = &x86_features;
    struct x86_cpuid vendor = x86_cpuid(0, 0);
    uint32_t extended_max = x86_cpuid(0x80000000, 0).a;

    struct x86_cpuid basic = x86_cpuid(1, 0);
    f->pcid = basic.c >> 17 & 1;
    f->x2apic = basic.c >> 21 & 1;
    f->tsc_deadline = basic.c >> 24 & 1;
    f->stepping = basic.a & 15;
    f->model = (basic.a >> 4 & 15) | (basic.a >> 12 & 0xf0);
    f->family = (basic.a >> 8 & 15) + ((basic.a >> 8 & 15) == 15 ? basic.a >> 20 & 0xff : 0);

    if (vendor.a >= 7) {
        struct x86_cpuid more = x86_cpuid(7, 0);
        f->smep = more.b >> 7 & 1;
        f->smap = more.b >> 20 & 1;
        f->umip = more.c >> 2 & 1;
    }
    f->gib_pages = x86_cpuid(0x80000001, 0).d >> 26 & 1;
    f->tsc_invariant = extended_max >= 0x80000007 && (x86_cpuid(0x80000007, 0).d >> 8 & 1);
    f->physical_bits = extended_max >= 0x80000008 ? x86_cpuid(0x80000008, 0).a & 0xff : 36;
    // "AuthenticAMD" and its licensee "HygonGenuine"
    f->fxsave_leaks = vendor.b == 0x68747541 || vendor.b == 0x6f677948;
    detect_name(extended_max);
    if (f->smap) {
        smap_arm();
    }
}

// ---- descriptors -----------------------------------------------------------------------------------------------------

struct [[gnu::packed]] table_pointer {
    uint16_t limit;
    uint64_t base;
};

struct gate {
    uint16_t offset_low, selector;
    uint8_t ist, type;
    uint16_t offset_middle;
    uint32_t offset_high, reserved;
};
static_assert(sizeof(struct gate) == 16);

static struct gate idt[256];

extern uint8_t x86_stubs[256][16], x86_enter_call[];

static void idt_fill(void) {
    for (unsigned vector = 0; vector < 256; vector++) {
        uint64_t entry = (uint64_t)x86_stubs[vector];
        idt[vector] = (struct gate){
            .offset_low = (uint16_t)entry,
            .offset_middle = (uint16_t)(entry >> 16),
            .offset_high = (uint32_t)(entry >> 32),
            .selector = X86_SELECTOR_KERNEL_CODE,
            .type = vector == X86_VECTOR_BREAKPOINT ? 0xee : 0x8e, // user mode may raise int3 only
        };
    }
    idt[X86_VECTOR_DEBUG].ist = X86_IST_DEBUG;
    idt[X86_VECTOR_NMI].ist = X86_IST_NMI;
    idt[X86_VECTOR_DOUBLE_FAULT].ist = X86_IST_DOUBLE_FAULT;
    idt[X86_VECTOR_MACHINE_CHECK].ist = X86_IST_MACHINE_CHECK;
}

static void descriptors_load(struct arch_cpu *cpu, const uint64_t ist[X86_IST_COUNT]) {
    cpu->tss = (struct x86_tss){.rsp[0] = cpu->stack_top, .io_map = sizeof(struct x86_tss)}; // no port is allowed
    memcpy(&cpu->tss.ist, ist, X86_IST_COUNT * sizeof *ist);
    uint64_t tss = (uint64_t)&cpu->tss;

    cpu->gdt[X86_SELECTOR_KERNEL_CODE / 8] = 0x00209b0000000000;
    cpu->gdt[X86_SELECTOR_KERNEL_DATA / 8] = 0x0000930000000000;
    cpu->gdt[X86_SELECTOR_USER_DATA / 8] = 0x0000f30000000000;
    cpu->gdt[X86_SELECTOR_USER_CODE / 8] = 0x0020fb0000000000;
    cpu->gdt[X86_SELECTOR_TSS / 8] =
        (sizeof(struct x86_tss) - 1) | (tss & 0xffffff) << 16 | 0x89ull << 40 | (tss >> 24 & 0xff) << 56;
    cpu->gdt[X86_SELECTOR_TSS / 8 + 1] = tss >> 32;

    struct table_pointer gdt_pointer = {sizeof cpu->gdt - 1, (uint64_t)cpu->gdt};
    struct table_pointer idt_pointer = {sizeof idt - 1, (uint64_t)idt};
    __asm__ volatile("lgdt %0\n\t"
                     "push %2\n\t"
                     "lea 1f(%%rip), %%rax\n\t"
                     "push %%rax\n\t"
                     "lretq\n"
                     "1:\n\t"
                     "mov %3, %%ss\n\t"
                     "mov %3, %%ds\n\t"
                     "mov %3, %%es\n\t"
                     "mov %3, %%fs\n\t"
                     "mov %3, %%gs\n\t"
                     "lldt %w3\n\t"
                     "ltr %w4\n\t"
                     "lidt %1"
                     :
                     : "m"(gdt_pointer), "m"(idt_pointer), "i"(X86_SELECTOR_KERNEL_CODE), "r"(0), "r"(X86_SELECTOR_TSS)
                     : "rax", "memory");
    x86_write_msr(MSR_FS_BASE, 0);
    x86_write_msr(MSR_GS_BASE, (uint64_t)cpu);
    x86_write_msr(MSR_KERNEL_GS_BASE, 0); // the user's, while in the kernel
}

// ---- one CPU ---------------------------------------------------------------------------------------------------------

void x86_cpu_init(struct arch_cpu *cpu, const uint64_t ist[X86_IST_COUNT]) {
    const struct x86_features *f = &x86_features;
    uint64_t cr0 = x86_read_cr0() & ~(CR0_EM | CR0_AM | CR0_NW | CR0_CD);
    x86_write_cr0(cr0 | CR0_MP | CR0_NE | CR0_WP | CR0_TS);
    cpu->vector_enabled = false;

    // Nothing that is not named here: no FSGSBASE, OSXSAVE, PCE, PKE, so that user mode has none of them.
    uint64_t cr4 = CR4_PAE | CR4_MCE | CR4_PGE | CR4_FXSR | CR4_XMM_EXCEPTIONS;
    cr4 |= f->umip ? CR4_UMIP : 0;
    cr4 |= f->smep ? CR4_SMEP : 0;
    cr4 |= f->smap ? CR4_SMAP : 0;
    x86_write_cr4(cr4);
    if (f->pcid) { // only once CR3's low bits are 0, as they are here
        x86_write_cr4(cr4 | CR4_PCID);
    }

    if (idt[0].selector == 0) {
        idt_fill(); // the boot CPU, before there are others
    }
    descriptors_load(cpu, ist);

    x86_write_msr(MSR_EFER, x86_read_msr(MSR_EFER) | EFER_SCE);
    x86_write_msr(MSR_STAR, (uint64_t)X86_SELECTOR_SYSRET_BASE << 48 | (uint64_t)X86_SELECTOR_KERNEL_CODE << 32);
    x86_write_msr(MSR_LSTAR, (uint64_t)x86_enter_call);
    x86_write_msr(MSR_CSTAR, 0); // unreachable: there is no 32-bit code segment
    x86_write_msr(MSR_FMASK, CALL_FLAGS_CLEARED);
    x86_write_msr(MSR_SYSENTER_CS, 0);                 // sysenter faults
    __asm__ volatile("mov %0, %%dr7" ::"r"(0x400ull)); // no breakpoints, whatever the firmware left
}

status_t x86_stacks_map(struct arch_cpu *cpu, const paddr_t pages[X86_IST_COUNT], paddr_t stack,
                        uint64_t ist[X86_IST_COUNT]) {
    uint64_t va = x86_window_map(stack, X86_STACK_SIZE, X86_PTE_WRITE | X86_PTE_NO_EXEC);
    if (va == 0) {
        return ERR_NO_MEMORY;
    }
    cpu->stack_top = va + X86_STACK_SIZE;
    for (unsigned i = 0; i < X86_IST_COUNT; i++) {
        va = x86_window_map(pages[i], 4096, X86_PTE_WRITE | X86_PTE_NO_EXEC);
        if (va == 0) {
            return ERR_NO_MEMORY;
        }
        ist[i] = va + 4096;
    }
    return 0;
}
