// Vectors to meanings: which of the core's trap functions each one is. Called by entry.S.
#include "kernel/include/trap.h"

#include "kernel/include/arch.h"

#include "apic.h"
#include "clock.h"
#include "instructions.h"
#include "power.h"
#include "vector.h"
#include "vectors.h"

extern const uint8_t x86_enter_call[];

struct thread *x86_trap_user(struct thread *self);
void x86_trap_kernel(struct arch_frame *frame);
void x86_trap_anywhere(struct arch_frame *frame);

static const struct {
    enum fault_kind kind;
    const char *name;
} exception[X86_VECTOR_EXCEPTIONS] = {
    [0] = {FAULT_ARITHMETIC, "#DE divide error"},
    [1] = {FAULT_BREAKPOINT, "#DB debug"},
    [2] = {FAULT_MACHINE, "NMI"},
    [3] = {FAULT_BREAKPOINT, "#BP breakpoint"},
    [4] = {FAULT_ARITHMETIC, "#OF overflow"},
    [5] = {FAULT_ARITHMETIC, "#BR bound range"},
    [6] = {FAULT_INSTRUCTION, "#UD undefined instruction"},
    [7] = {FAULT_INSTRUCTION, "#NM no vector unit"},
    [8] = {FAULT_MACHINE, "#DF double fault"},
    [9] = {FAULT_PROTECTION, "coprocessor segment overrun"},
    [10] = {FAULT_PROTECTION, "#TS invalid task state"},
    [11] = {FAULT_PROTECTION, "#NP segment not present"},
    [12] = {FAULT_PROTECTION, "#SS stack fault"},
    [13] = {FAULT_PROTECTION, "#GP general protection"},
    [14] = {FAULT_PAGE, "#PF page fault"},
    [15] = {FAULT_PROTECTION, "reserved exception"},
    [16] = {FAULT_ARITHMETIC, "#MF x87 exception"},
    [17] = {FAULT_ALIGNMENT, "#AC alignment check"},
    [18] = {FAULT_MACHINE, "#MC machine check"},
    [19] = {FAULT_ARITHMETIC, "#XM SIMD exception"},
    [20] = {FAULT_PROTECTION, "#VE virtualization exception"},
    [21] = {FAULT_PROTECTION, "#CP control protection"},
    [22 ... 31] = {FAULT_PROTECTION, "reserved exception"},
};

// Page-fault error code.
enum { PAGE_PRESENT = 1, PAGE_WRITE = 2, PAGE_USER = 4, PAGE_FETCH = 16 };
enum { CS_USER = 3 };

static struct fault fault_of(const struct arch_frame *frame) {
    struct fault fault = {
        .kind = exception[frame->vector].kind,
        .name = exception[frame->vector].name,
        .code = frame->vector << 32 | frame->error,
    };
    if (frame->vector == X86_VECTOR_PAGE_FAULT) {
        fault.address = x86_read_cr2();
        fault.present = (frame->error & PAGE_PRESENT) != 0;
        fault.access = (frame->error & PAGE_FETCH) != 0   ? ARCH_PROT_EXEC
                       : (frame->error & PAGE_WRITE) != 0 ? ARCH_PROT_WRITE
                                                          : ARCH_PROT_READ;
        if ((frame->cs & CS_USER) != 0 && (frame->error & PAGE_USER) == 0) {
            // The processor's own access on behalf of a user instruction, such as a descriptor's. Mapping memory does
            // not help; an emulator that takes a far return for one would repeat it for ever under SMAP.
            fault.kind = FAULT_PROTECTION;
        }
    } else if (frame->vector == X86_VECTOR_DEBUG) {
        __asm__ volatile("mov %0, %%dr6" ::"r"(0xffff0ff0ull)); // it accumulates
    }
    return fault;
}

static void interrupt(uint64_t vector) {
    switch (vector) {
    case X86_VECTOR_TIMER:
        x86_apic_end();
        if (x86_clock_expired()) {
            trap_timer();
        }
        break;
    case X86_VECTOR_IPI:
        x86_apic_end();
        trap_ipi();
        break;
    case X86_VECTOR_CONSOLE:
        x86_apic_end();
        trap_console();
        break;
    default: // the APIC's spurious vector and those of the masked legacy controllers want no acknowledgement
        trap_spurious();
        break;
    }
}

struct thread *x86_trap_user(struct thread *self) {
    const struct arch_frame *frame = (const struct arch_frame *)((uint8_t *)self + THREAD_FRAME_OFFSET);
    if (frame->vector >= X86_VECTOR_EXCEPTIONS) {
        interrupt(frame->vector);
        return trap_resume();
    }
    if (frame->vector == X86_VECTOR_NO_VECTOR_UNIT && x86_vector_first_use(self)) {
        return self;
    }
    struct fault fault = fault_of(frame);
    return trap_fault(self, &fault);
}

// ---- in the kernel ---------------------------------------------------------------------------------------------------

struct fixup {
    uint64_t at, resume;
};
extern const struct fixup x86_fixups_start[], x86_fixups_end[];

// The places that may fault, and where they go on then.
static bool fixed_up(struct arch_frame *frame) {
    if (frame->vector != X86_VECTOR_PAGE_FAULT && frame->vector != X86_VECTOR_PROTECTION) {
        return false;
    }
    for (const struct fixup *fixup = x86_fixups_start; fixup < x86_fixups_end; fixup++) {
        if (fixup->at == frame->rip) {
            frame->rip = fixup->resume;
            return true;
        }
    }
    return false;
}

[[noreturn]] static void kernel_fault(const struct arch_frame *frame) {
    struct fault fault = fault_of(frame);
    x86_stop_others();
    trap_kernel_fault(frame, &fault);
}

void x86_trap_kernel(struct arch_frame *frame) {
    if (frame->vector >= X86_VECTOR_EXCEPTIONS) {
        interrupt(frame->vector); // of the idle loop, or of arch_cpu_rest
    } else if (!fixed_up(frame)) {
        kernel_fault(frame);
    }
}

// NMI, double fault, machine check, from wherever they hit; a debug exception in the kernel.
void x86_trap_anywhere(struct arch_frame *frame) {
    if (frame->vector == X86_VECTOR_DEBUG && frame->rip == (uint64_t)x86_enter_call) {
        // User code stepped over a call. It sees its step when the call returns with its flags.
        (void)fault_of(frame);
        return;
    }
    if (frame->vector != X86_VECTOR_NMI) {
        kernel_fault(frame);
    }
    if (x86_stop_asked()) {
        arch_cpu_stop();
    }
    // Somebody's NMI button, or a device's: nothing to do with what was running.
}
