// User registers: a thread's first ones, and how a report shows them.
#include "kernel/include/arch.h"

#include "base/memory.h"

#include "instructions.h"
#include "peek.h"

enum { CALL_LENGTH = 4 }; // the instruction svc
enum : uint64_t { PSTATE_MODE = 15, PSTATE_DEBUG_MASKED = 1 << 9, PSTATE_FAST_MASKED = 1 << 6 };

void arch_frame_init(struct arch_frame *frame, uint64_t entry, uint64_t stack, uint64_t argument) {
    *frame = (struct arch_frame){
        .x = {argument},
        .sp = stack,
        .pc = entry,
        .spsr = PSTATE_DEBUG_MASKED | PSTATE_FAST_MASKED, // EL0; users cannot change the masks
        .kind = ARM64_FRAME_SYNCHRONOUS,
    };
}

// Full, with what the call has kept; the rest is what this thread had there before.
void arch_frame_again(struct arch_frame *frame) {
    frame->pc -= CALL_LENGTH;
    frame->tpidr = ARM64_READ(tpidr_el0);
    frame->kind = ARM64_FRAME_SYNCHRONOUS;
}

uint64_t arch_frame_pc(const struct arch_frame *frame) {
    return frame->pc;
}

#define REGISTER(name, field) {#name, offsetof(struct arch_frame, field)}

static const struct {
    const char *name;
    size_t offset;
} registers[] = {
    REGISTER(pc, pc),     REGISTER(sp, sp),     REGISTER(pstate, spsr), REGISTER(x0, x[0]),   REGISTER(x1, x[1]),
    REGISTER(x2, x[2]),   REGISTER(x3, x[3]),   REGISTER(x4, x[4]),     REGISTER(x5, x[5]),   REGISTER(x6, x[6]),
    REGISTER(x7, x[7]),   REGISTER(x8, x[8]),   REGISTER(x9, x[9]),     REGISTER(x10, x[10]), REGISTER(x11, x[11]),
    REGISTER(x12, x[12]), REGISTER(x13, x[13]), REGISTER(x14, x[14]),   REGISTER(x15, x[15]), REGISTER(x16, x[16]),
    REGISTER(x17, x[17]), REGISTER(x18, x[18]), REGISTER(x19, x[19]),   REGISTER(x20, x[20]), REGISTER(x21, x[21]),
    REGISTER(x22, x[22]), REGISTER(x23, x[23]), REGISTER(x24, x[24]),   REGISTER(x25, x[25]), REGISTER(x26, x[26]),
    REGISTER(x27, x[27]), REGISTER(x28, x[28]), REGISTER(x29, x[29]),   REGISTER(x30, lr),
};

const char *arch_frame_register(const struct arch_frame *frame, unsigned index, uint64_t *value) {
    if (index >= sizeof registers / sizeof *registers) {
        return nullptr;
    }
    memcpy(value, (const uint8_t *)frame + registers[index].offset, sizeof *value);
    return registers[index].name;
}

uint64_t arch_frame_pointer(const struct arch_frame *frame) {
    return frame->x[29];
}

bool arch_frame_link(const struct arch_frame *frame, uint64_t at, uint64_t link[2]) {
    enum { LENGTH = 16 };
    bool user = frame->kind == ARM64_FRAME_CALL || (frame->spsr & PSTATE_MODE) == 0;
    return user ? at >= ARCH_USER_BASE && at < ARCH_USER_TOP - LENGTH && arch_user_copy_in(link, at, LENGTH)
                : at >= ARM64_DIRECT_MAP && at < UINT64_MAX - LENGTH && arm64_peek(at, link);
}
