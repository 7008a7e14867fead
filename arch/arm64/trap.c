// Exceptions to meanings: which of the core's trap functions each one is. Called by entry.S.
#include "kernel/include/trap.h"

#include "kernel/include/arch.h"

#include "clock.h"
#include "console.h"
#include "gic.h"
#include "power.h"
#include "vector.h"

struct thread *arm64_trap_user(struct thread *self);
void arm64_trap_kernel(struct arch_frame *frame);

// ---- exception classes (ESR_ELx.EC) ----------------------------------------------------------------------------------

enum exception_class {
    CLASS_UNKNOWN = 0x00,
    CLASS_VECTOR = 0x07,
    CLASS_FETCH_USER = 0x20,
    CLASS_FETCH_KERNEL = 0x21,
    CLASS_DATA_USER = 0x24,
    CLASS_DATA_KERNEL = 0x25,
    CLASSES = 64,
};

static const struct {
    enum fault_kind kind;
    const char *name; // null: reserved
} exception[CLASSES] = {
    [CLASS_UNKNOWN] = {FAULT_INSTRUCTION, "undefined instruction"},
    [0x01] = {FAULT_INSTRUCTION, "wait instruction"},
    [CLASS_VECTOR] = {FAULT_INSTRUCTION, "vector instruction"},
    [0x09] = {FAULT_INSTRUCTION, "pointer authentication instruction"},
    [0x0a] = {FAULT_INSTRUCTION, "64-byte access"},
    [0x0d] = {FAULT_PROTECTION, "branch target"},
    [0x0e] = {FAULT_PROTECTION, "illegal execution state"},
    [0x15] = {FAULT_INSTRUCTION, "svc"},
    [0x16] = {FAULT_INSTRUCTION, "hvc"},
    [0x17] = {FAULT_INSTRUCTION, "smc"},
    [0x18] = {FAULT_INSTRUCTION, "system instruction"},
    [0x19] = {FAULT_INSTRUCTION, "SVE instruction"},
    [0x1b] = {FAULT_INSTRUCTION, "transactional memory instruction"},
    [0x1c] = {FAULT_PROTECTION, "pointer authentication"},
    [0x1d] = {FAULT_INSTRUCTION, "SME instruction"},
    [CLASS_FETCH_USER] = {FAULT_PAGE, "instruction abort"},
    [CLASS_FETCH_KERNEL] = {FAULT_PAGE, "instruction abort"},
    [0x22] = {FAULT_ALIGNMENT, "pc alignment"},
    [CLASS_DATA_USER] = {FAULT_PAGE, "data abort"},
    [CLASS_DATA_KERNEL] = {FAULT_PAGE, "data abort"},
    [0x26] = {FAULT_ALIGNMENT, "sp alignment"},
    [0x27] = {FAULT_INSTRUCTION, "memory operation"},
    [0x28] = {FAULT_ARITHMETIC, "floating-point exception"},
    [0x2c] = {FAULT_ARITHMETIC, "floating-point exception"},
    [0x2f] = {FAULT_MACHINE, "SError"},
    [0x30] = {FAULT_BREAKPOINT, "breakpoint"},
    [0x31] = {FAULT_BREAKPOINT, "breakpoint"},
    [0x32] = {FAULT_BREAKPOINT, "single step"},
    [0x33] = {FAULT_BREAKPOINT, "single step"},
    [0x34] = {FAULT_BREAKPOINT, "watchpoint"},
    [0x35] = {FAULT_BREAKPOINT, "watchpoint"},
    [0x3c] = {FAULT_BREAKPOINT, "brk"},
};

static enum exception_class class_of(const struct arch_frame *frame) {
    return (enum exception_class)(frame->esr >> 26 & (CLASSES - 1));
}

// ---- aborts ----------------------------------------------------------------------------------------------------------

// The status of an abort, in the low bits of its syndrome. Those of translation, access and permission name the level in
// their two lowest bits.
enum { STATUS = 0x3f, STATUS_KIND = 0x3c, ABORT_WRITE = 1 << 6 };
enum abort_status {
    STATUS_TRANSLATION = 0x04,
    STATUS_ACCESS = 0x08,
    STATUS_PERMISSION = 0x0c,
    STATUS_ALIGNMENT = 0x21,
    STATUS_TLB_CONFLICT = 0x30,
};

static void describe_abort(const struct arch_frame *frame, bool fetch, struct fault *fault) {
    unsigned kind = frame->esr & STATUS_KIND;
    if (kind == STATUS_TRANSLATION || kind == STATUS_ACCESS || kind == STATUS_PERMISSION) {
        fault->address = frame->far;
        fault->present = kind != STATUS_TRANSLATION;
        fault->access = fetch ? ARCH_PROT_EXEC : (frame->esr & ABORT_WRITE) != 0 ? ARCH_PROT_WRITE : ARCH_PROT_READ;
    } else if ((frame->esr & STATUS) == STATUS_ALIGNMENT) {
        fault->kind = FAULT_ALIGNMENT;
    } else if (kind == 0) { // address size: a translation beyond what the processor can address
        fault->kind = FAULT_PROTECTION;
    } else {
        fault->kind = FAULT_MACHINE; // external, parity, conflicts in the TLB
    }
}

static struct fault fault_of(const struct arch_frame *frame) {
    enum exception_class class = class_of(frame);
    struct fault fault = {
        .kind = FAULT_PROTECTION,
        .name = "reserved exception",
        .code = frame->esr,
    };
    if (frame->kind == ARM64_FRAME_SYSTEM_ERROR) {
        fault.kind = FAULT_MACHINE;
        fault.name = "SError";
        return fault;
    }
    if (exception[class].name != nullptr) {
        fault.kind = exception[class].kind;
        fault.name = exception[class].name;
    }
    if (fault.kind == FAULT_PAGE) {
        describe_abort(frame, class == CLASS_FETCH_USER || class == CLASS_FETCH_KERNEL, &fault);
    }
    return fault;
}

// ---- interrupts ------------------------------------------------------------------------------------------------------

static void interrupt(void) {
    uint32_t taken = arm64_gic->acknowledge();
    unsigned number = taken & 0x3ff;
    if (number >= ARM64_GIC_SPURIOUS) {
        trap_spurious(); // no longer there: wants no acknowledgement
        return;
    }
    if (number == ARM64_GIC_IPI) {
        arm64_gic->end(taken);
        trap_ipi();
    } else if (number == ARM64_GIC_STOP) {
        arm64_gic->end(taken);
        arch_cpu_stop();
    } else if (number == arm64_clock_interrupt()) {
        bool expired = arm64_clock_expired();
        arm64_gic->end(taken);
        if (expired) {
            trap_timer();
        }
    } else if (number == arm64_console_interrupt()) {
        trap_console(); // it lasts until the bytes are read
        arm64_gic->end(taken);
    } else {
        arm64_gic->end(taken);
        trap_spurious();
    }
}

struct thread *arm64_trap_user(struct thread *self) {
    const struct arch_frame *frame = (const struct arch_frame *)((uint8_t *)self + THREAD_FRAME_OFFSET);
    if (frame->kind == ARM64_FRAME_INTERRUPT) {
        interrupt();
        return trap_resume();
    }
    if (frame->kind == ARM64_FRAME_SYNCHRONOUS && class_of(frame) == CLASS_VECTOR && arm64_vector_first_use(self)) {
        return self;
    }
    struct fault fault = fault_of(frame);
    return trap_fault(self, &fault);
}

// ---- in the kernel ---------------------------------------------------------------------------------------------------

struct fixup {
    uint64_t first, end, resume;
};
extern const struct fixup arm64_fixups_start[], arm64_fixups_end[];

// The places that may fault, and where they go on then: accesses of user memory, and the emulator's instruction.
static bool fixed_up(struct arch_frame *frame) {
    enum exception_class class = class_of(frame);
    if (frame->kind != ARM64_FRAME_SYNCHRONOUS || (class != CLASS_DATA_KERNEL && class != CLASS_UNKNOWN)) {
        return false;
    }
    for (const struct fixup *fixup = arm64_fixups_start; fixup < arm64_fixups_end; fixup++) {
        if (frame->pc >= fixup->first && frame->pc < fixup->end) {
            frame->pc = fixup->resume;
            return true;
        }
    }
    return false;
}

void arm64_trap_kernel(struct arch_frame *frame) {
    if (frame->kind == ARM64_FRAME_INTERRUPT) {
        interrupt(); // of the idle loop, or of arch_cpu_rest
    } else if (!fixed_up(frame)) {
        struct fault fault = fault_of(frame);
        arm64_stop_others();
        trap_kernel_fault(frame, &fault);
    }
}
