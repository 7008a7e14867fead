#include "vector.h"

#include "instructions.h"
#include "processor.h"

enum : uint64_t { CR0_TS = 1u << 3 };
enum { FXSAVE_FCW = 0, FXSAVE_MXCSR = 24 };

static struct arch_thread *arch_of(struct thread *thread) {
    return (struct arch_thread *)((uint8_t *)thread + THREAD_FRAME_OFFSET + sizeof(struct arch_frame));
}

static void set_enabled(struct arch_cpu *cpu, bool enabled) {
    if (enabled == cpu->vector_enabled) {
        return;
    }
    cpu->vector_enabled = enabled;
    if (enabled) {
        __asm__ volatile("clts" ::: "memory");
    } else {
        x86_write_cr0(x86_read_cr0() | CR0_TS);
    }
}

static void save(struct arch_thread *thread) {
    __asm__ volatile("fxsaveq (%0)" ::"r"(thread->vector_state) : "memory");
}

static void load(const struct arch_thread *thread) {
    if (x86_features.fxsave_leaks) {
        // Where FXRSTOR leaves the last instruction and operand pointers alone, make them the kernel's own.
        static const uint32_t zero = 0;
        __asm__ volatile("fnclex; emms; fildl %0" ::"m"(zero));
    }
    __asm__ volatile("fxrstorq (%0)" ::"r"(thread->vector_state) : "memory");
}

// A selector that user code loaded is visible to whoever runs next, and means nothing in 64-bit mode: all become null. The
// fast paths, which switch without this, leave them.
static void selectors_clear(void) {
    uint32_t ds, es, fs, gs;
    __asm__ volatile("mov %%ds, %0; mov %%es, %1; mov %%fs, %2; mov %%gs, %3" : "=r"(ds), "=r"(es), "=r"(fs), "=r"(gs));
    if ((ds | es | fs | gs) == 0) {
        return;
    }
    enum { MSR_FS_BASE = 0xc0000100, MSR_GS_BASE = 0xc0000101, MSR_KERNEL_GS_BASE = 0xc0000102 };
    uint64_t kernel_gs = x86_read_msr(MSR_GS_BASE); // interrupts are off: nobody sees it change
    __asm__ volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%fs; mov %0, %%gs" ::"r"(0));
    x86_write_msr(MSR_GS_BASE, kernel_gs);
    x86_write_msr(MSR_FS_BASE, 0);
    x86_write_msr(MSR_KERNEL_GS_BASE, 0);
}

void arch_thread_switch(struct thread *from, struct thread *to) {
    struct arch_cpu *cpu = (struct arch_cpu *)arch_cpu_current();
    if (from != nullptr && cpu->vector_enabled) {
        save(arch_of(from));
    }
    if (to == nullptr) {
        set_enabled(cpu, false);
        return;
    }
    selectors_clear();
    const struct arch_thread *next = arch_of(to);
    set_enabled(cpu, next->vector_used);
    if (next->vector_used) {
        load(next);
    }
}

void arch_thread_destroy(struct arch_thread *thread) {
    (void)thread; // all of it is in the thread itself
}

bool x86_vector_first_use(struct thread *thread) {
    struct arch_thread *arch = arch_of(thread);
    if (arch->vector_used) {
        return false;
    }
    // All exceptions masked, everything else zero: what a fresh thread may expect.
    *(uint16_t *)&arch->vector_state[FXSAVE_FCW] = 0x37f;
    *(uint32_t *)&arch->vector_state[FXSAVE_MXCSR] = 0x1f80;
    arch->vector_used = true;
    *arch_thread_holds(thread) |= HOLD_STATE;
    set_enabled((struct arch_cpu *)arch_cpu_current(), true);
    load(arch);
    return true;
}
