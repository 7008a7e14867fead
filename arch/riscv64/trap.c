// Causes to meanings: which of the core's trap functions each one is. Called by entry.S.
#include "kernel/include/trap.h"

#include "kernel/include/arch.h"

#include "clock.h"
#include "float.h"
#include "instructions.h"
#include "irq.h"
#include "layout.h"
#include "power.h"
#include "space.h"

enum : uint64_t {
    INTERRUPT = 1ull << 63,
    INTERRUPT_SOFTWARE = INTERRUPT | 1,
    INTERRUPT_TIMER = INTERRUPT | 5,
    INTERRUPT_EXTERNAL = INTERRUPT | 9,
};

enum {
    CAUSE_UNDEFINED = 2,
    CAUSE_FETCH_PAGE = 12,
    CAUSE_LOAD_PAGE = 13,
    CAUSE_STORE_PAGE = 15,
    CAUSES = 16,
};

struct thread *riscv_trap_user(struct thread *self);
void riscv_trap_kernel(struct arch_frame *frame);

static const struct {
    enum fault_kind kind;
    const char *name;
} exception[CAUSES] = {
    [0] = {FAULT_ALIGNMENT, "instruction address misaligned"},
    [1] = {FAULT_PROTECTION, "instruction access fault"},
    [2] = {FAULT_INSTRUCTION, "illegal instruction"},
    [3] = {FAULT_BREAKPOINT, "breakpoint"},
    [4] = {FAULT_ALIGNMENT, "load address misaligned"},
    [5] = {FAULT_PROTECTION, "load access fault"},
    [6] = {FAULT_ALIGNMENT, "store address misaligned"},
    [7] = {FAULT_PROTECTION, "store access fault"},
    [8] = {FAULT_PROTECTION, "environment call from user mode"},
    [9] = {FAULT_PROTECTION, "environment call from the kernel"},
    [10 ... 11] = {FAULT_PROTECTION, "reserved exception"},
    [12] = {FAULT_PAGE, "instruction page fault"},
    [13] = {FAULT_PAGE, "load page fault"},
    [14] = {FAULT_PROTECTION, "reserved exception"},
    [15] = {FAULT_PAGE, "store page fault"},
};

static struct fault fault_of(const struct arch_frame *frame) {
    bool known = frame->cause < CAUSES;
    struct fault fault = {
        .kind = known ? exception[frame->cause].kind : FAULT_PROTECTION,
        .name = known ? exception[frame->cause].name : "unknown exception",
        .code = frame->cause,
    };
    if (fault.kind == FAULT_PAGE) {
        fault.address = riscv_csr_read(stval);
        fault.access = frame->cause == CAUSE_FETCH_PAGE   ? ARCH_PROT_EXEC
                       : frame->cause == CAUSE_STORE_PAGE ? ARCH_PROT_WRITE
                                                          : ARCH_PROT_READ;
    }
    return fault;
}

// The pending bit is cleared before what it announces is looked at: what comes in between raises it again.
static void software_interrupt(void) {
    riscv_csr_clear(sip, RISCV_INTERRUPT_SOFTWARE);
    riscv_fence();
    if (riscv_stop_asked()) {
        arch_cpu_stop();
    }
    trap_ipi();
}

static void interrupt(uint64_t cause) {
    switch (cause) {
    case INTERRUPT_TIMER:
        if (riscv_clock_expired()) {
            trap_timer();
        }
        break;
    case INTERRUPT_SOFTWARE:
        software_interrupt();
        break;
    case INTERRUPT_EXTERNAL:
        riscv_irq_handle();
        break;
    default:
        trap_spurious();
        break;
    }
}

// Only the software interrupt wakes this: the others stay pending.
void arch_cpu_rest(void) {
    uint64_t enabled = riscv_csr_read(sie);
    riscv_csr_write(sie, RISCV_INTERRUPT_SOFTWARE);
    __asm__ volatile("wfi");
    if ((riscv_csr_read(sip) & RISCV_INTERRUPT_SOFTWARE) != 0) {
        software_interrupt();
    }
    riscv_csr_write(sie, enabled);
}

struct thread *riscv_trap_user(struct thread *self) {
    const struct arch_frame *frame = (const struct arch_frame *)((uint8_t *)self + THREAD_FRAME_OFFSET);
    if ((frame->cause & INTERRUPT) != 0) {
        interrupt(frame->cause);
        return trap_resume();
    }
    if (frame->cause == CAUSE_UNDEFINED && riscv_float_first_use(self)) {
        return self;
    }
    struct fault fault = fault_of(frame);
    struct thread *next = trap_fault(self, &fault);
    if (next == self && fault.kind == FAULT_PAGE) {
        riscv_space_forget(fault.address);
    }
    return next;
}

// ---- in the kernel ---------------------------------------------------------------------------------------------------

struct fixup {
    uint64_t at, resume;
};
extern const struct fixup riscv_fixups_start[], riscv_fixups_end[];

// The places that may fault, and where they go on then.
static bool fixed_up(struct arch_frame *frame) {
    for (const struct fixup *fixup = riscv_fixups_start; fixup < riscv_fixups_end; fixup++) {
        if (fixup->at == frame->pc) {
            frame->pc = fixup->resume;
            return true;
        }
    }
    return false;
}

void riscv_trap_kernel(struct arch_frame *frame) {
    if ((frame->cause & INTERRUPT) != 0) {
        interrupt(frame->cause); // of the idle loop
    } else if (!fixed_up(frame)) {
        struct fault fault = fault_of(frame);
        riscv_stop_others();
        trap_kernel_fault(frame, &fault);
    } else if (frame->cause == CAUSE_LOAD_PAGE || frame->cause == CAUSE_STORE_PAGE) {
        riscv_space_forget(riscv_csr_read(stval));
    }
}
