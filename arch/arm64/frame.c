// User registers: a thread's first ones, and how a report shows them.
#include "kernel/include/arch.h"

#include "base/format.h"

#include "peek.h"

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

uint64_t arch_frame_pc(const struct arch_frame *frame) {
    return frame->pc;
}

static void print(void (*emit)(void *context, const char *text, size_t length), void *context, const char *name,
                  uint64_t value) {
    char line[40];
    size_t length = format(line, sizeof line, "%s %016llx\n", name, (unsigned long long)value);
    emit(context, line, length < sizeof line ? length : sizeof line - 1);
}

// Whether a register is kept over a call, or is one of its arguments.
static bool kept(unsigned index) {
    return index < 6 || index == 8 || (index >= 19 && index <= 22) || index == 29;
}

void arch_frame_print(const struct arch_frame *frame, void (*emit)(void *context, const char *text, size_t length),
                      void *context) {
    print(emit, context, "pc", frame->pc);
    print(emit, context, "sp", frame->sp);
    print(emit, context, "pstate", frame->spsr);
    for (unsigned i = 0; i < 31; i++) {
        if (frame->kind != ARM64_FRAME_CALL || kept(i)) {
            char name[8];
            format(name, sizeof name, "x%u", i);
            print(emit, context, name, i < 30 ? frame->x[i] : frame->lr);
        }
    }
}

// Each function's frame record is the caller's frame pointer, then the return address. Frame pointers must ascend, and
// stay on the side of the address space where the pc was: user code must not make the kernel read its own memory here.
unsigned arch_frame_backtrace(const struct arch_frame *frame, uint64_t *pc, unsigned capacity) {
    bool user = frame->kind == ARM64_FRAME_CALL || (frame->spsr & PSTATE_MODE) == 0;
    uint64_t link[2], at = frame->x[29];
    unsigned count = 0;
    if (capacity > 0) {
        pc[count++] = frame->pc;
    }
    while (count < capacity && at % 8 == 0) {
        bool is_user = at >= ARCH_USER_BASE && at < ARCH_USER_TOP - sizeof link;
        bool is_kernel = at >= ARM64_DIRECT_MAP && at < UINT64_MAX - sizeof link;
        bool read = user ? is_user && arch_user_copy_in(link, at, sizeof link) : is_kernel && arm64_peek(at, link);
        if (!read || link[1] == 0) {
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
