// User registers: a thread's first ones, and how a report shows them.
#include "kernel/include/arch.h"

#include "base/memory.h"

#include "copy.h"
#include "layout.h"
#include "vectors.h"

enum { FLAGS_INITIAL = 0x202 }; // interrupts on

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

// Each function's frame begins with the caller's frame pointer, then the return address. Frame pointers must ascend, and
// stay on the side of the address space where the pc is: user code must not make the kernel read its own memory here.
unsigned arch_frame_backtrace(const struct arch_frame *frame, uint64_t *pc, unsigned capacity) {
    bool user = frame->vector == X86_FRAME_CALL || (frame->cs & 3) != 0;
    uint64_t link[2], at = frame->rbp;
    unsigned count = 0;
    if (capacity > 0) {
        pc[count++] = frame->rip;
    }
    while (count < capacity && at % 8 == 0) {
        bool is_user = at >= ARCH_USER_BASE && at < ARCH_USER_TOP - sizeof link;
        bool is_kernel = at >= X86_DIRECT_MAP && at < UINT64_MAX - sizeof link;
        if (!(user ? is_user : is_kernel) || !x86_copy(link, (const void *)at, sizeof link) || link[1] == 0) {
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
