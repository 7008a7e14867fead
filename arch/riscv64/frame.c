// User registers: a thread's first ones, and how a report shows them.
#include "kernel/include/arch.h"

#include "base/memory.h"

#include "copy.h"
#include "layout.h"

// The cause of a frame that no trap has filled: full, so that all registers come from it.
enum : uint64_t { CAUSE_FRESH = UINT64_MAX };

void arch_frame_init(struct arch_frame *frame, uint64_t entry, uint64_t stack, uint64_t argument) {
    *frame = (struct arch_frame){.pc = entry, .sp = stack, .a0 = argument, .cause = CAUSE_FRESH};
}

uint64_t arch_frame_pc(const struct arch_frame *frame) {
    return frame->pc;
}

#define REGISTER(field) {#field, offsetof(struct arch_frame, field)}

static const struct {
    const char *name;
    size_t offset;
} registers[] = {
    REGISTER(pc),  REGISTER(sp), REGISTER(gp), REGISTER(tp), REGISTER(s0), REGISTER(a0), REGISTER(a1), REGISTER(a2),
    REGISTER(a3),  REGISTER(a4), REGISTER(a5), REGISTER(a7), REGISTER(ra), REGISTER(a6), REGISTER(s1), REGISTER(s2),
    REGISTER(s3),  REGISTER(s4), REGISTER(s5), REGISTER(s6), REGISTER(s7), REGISTER(s8), REGISTER(s9), REGISTER(s10),
    REGISTER(s11), REGISTER(t0), REGISTER(t1), REGISTER(t2), REGISTER(t3), REGISTER(t4), REGISTER(t5), REGISTER(t6),
};

const char *arch_frame_register(const struct arch_frame *frame, unsigned index, uint64_t *value) {
    if (index >= sizeof registers / sizeof *registers) {
        return nullptr;
    }
    memcpy(value, (const uint8_t *)frame + registers[index].offset, sizeof *value);
    return registers[index].name;
}

// Below the address in s0 each function keeps its return address and, below that, the caller's s0. Frames must ascend,
// and stay on the side of the address space where the pc is: user code must not make the kernel read its own memory here.
unsigned arch_frame_backtrace(const struct arch_frame *frame, uint64_t *pc, unsigned capacity) {
    bool user = frame->cause == RISCV_CAUSE_CALL || (frame->status & RISCV_STATUS_SPP) == 0;
    uint64_t link[2], at = frame->s0;
    unsigned count = 0;
    if (capacity > 0) {
        pc[count++] = frame->pc;
    }
    while (count < capacity && at % 8 == 0) {
        bool is_user = at >= ARCH_USER_BASE + sizeof link && at <= ARCH_USER_TOP;
        bool is_kernel = at >= riscv_direct_map + sizeof link;
        if (!(user ? is_user : is_kernel) || !riscv_copy(link, (const void *)(at - sizeof link), sizeof link) ||
            link[1] == 0) {
            break;
        }
        pc[count++] = link[1];
        if (link[0] <= at) {
            break;
        }
        at = link[0];
    }
    return count;
}
