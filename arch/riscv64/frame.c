// User registers: a thread's first ones, and how a report shows them.
#include "kernel/include/arch.h"

#include "base/memory.h"

#include "copy.h"
#include "layout.h"

enum { CALL_LENGTH = 4 }; // the instruction ecall

// The cause of a frame that no trap has filled: full, so that all registers come from it.
enum : uint64_t { CAUSE_FRESH = UINT64_MAX };

void arch_frame_init(struct arch_frame *frame, uint64_t entry, uint64_t stack, uint64_t argument) {
    *frame = (struct arch_frame){.pc = entry, .sp = stack, .a0 = argument, .cause = CAUSE_FRESH};
}

// Full, with what the call has kept; the rest is what this thread had there before.
void arch_frame_again(struct arch_frame *frame) {
    frame->pc -= CALL_LENGTH;
    frame->cause = CAUSE_FRESH;
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

uint64_t arch_frame_pointer(const struct arch_frame *frame) {
    return frame->s0;
}

// The two words are below the address in s0.
bool arch_frame_link(const struct arch_frame *frame, uint64_t at, uint64_t link[2]) {
    enum { LENGTH = 16 };
    bool user = frame->cause == RISCV_CAUSE_CALL || (frame->status & RISCV_STATUS_SPP) == 0;
    bool good = user ? at >= ARCH_USER_BASE + LENGTH && at <= ARCH_USER_TOP : at >= riscv_direct_map + LENGTH;
    return good && riscv_copy(link, (const void *)(at - LENGTH), LENGTH);
}
