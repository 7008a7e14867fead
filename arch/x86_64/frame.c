// User registers: a thread's first ones, and how a report shows them.
#include "kernel/include/arch.h"

#include "base/memory.h"

#include "copy.h"
#include "layout.h"
#include "vectors.h"

enum {
    FLAGS_INITIAL = 0x202, // interrupts on
    CALL_LENGTH = 2,       // the instruction syscall
};

void arch_frame_init(struct arch_frame *frame, uint64_t entry, uint64_t stack, uint64_t argument) {
    *frame = (struct arch_frame){
        .rdi = argument,
        .rip = entry,
        .cs = X86_SELECTOR_USER_CODE,
        .rflags = FLAGS_INITIAL,
        .rsp = stack,
        .ss = X86_SELECTOR_USER_DATA,
    };
}

// Full, with what the call has kept; the rest is what this thread had there before.
void arch_frame_again(struct arch_frame *frame) {
    frame->rip -= CALL_LENGTH;
    frame->vector = 0;
}

uint64_t arch_frame_pc(const struct arch_frame *frame) {
    return frame->rip;
}

#define REGISTER(field) {#field, offsetof(struct arch_frame, field)}

static const struct {
    const char *name;
    size_t offset;
} registers[] = {
    REGISTER(rip), REGISTER(rsp), REGISTER(rbp), REGISTER(rflags), REGISTER(rax), REGISTER(rdi),
    REGISTER(rsi), REGISTER(rdx), REGISTER(r10), REGISTER(r8),     REGISTER(r9),  REGISTER(rbx),
    REGISTER(rcx), REGISTER(r11), REGISTER(r12), REGISTER(r13),    REGISTER(r14), REGISTER(r15),
};

const char *arch_frame_register(const struct arch_frame *frame, unsigned index, uint64_t *value) {
    if (index >= sizeof registers / sizeof *registers) {
        return nullptr;
    }
    memcpy(value, (const uint8_t *)frame + registers[index].offset, sizeof *value);
    return registers[index].name;
}

uint64_t arch_frame_pointer(const struct arch_frame *frame) {
    return frame->rbp;
}

bool arch_frame_link(const struct arch_frame *frame, uint64_t at, uint64_t link[2]) {
    enum { LENGTH = 16 };
    bool user = frame->vector == X86_FRAME_CALL || (frame->cs & 3) != 0;
    bool good =
        user ? at >= ARCH_USER_BASE && at < ARCH_USER_TOP - LENGTH : at >= X86_DIRECT_MAP && at < UINT64_MAX - LENGTH;
    return good && x86_copy(link, (const void *)at, LENGTH);
}
