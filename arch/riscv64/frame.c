// User registers: a thread's first ones, and how a report shows them.
#include "kernel/include/arch.h"

#include "base/format.h"

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

static void print(void (*emit)(void *context, const char *text, size_t length), void *context, const char *name,
                  uint64_t value) {
    char line[40];
    size_t length = format(line, sizeof line, "%s %016llx\n", name, (unsigned long long)value);
    emit(context, line, length < sizeof line ? length : sizeof line - 1);
}

void arch_frame_print(const struct arch_frame *frame, void (*emit)(void *context, const char *text, size_t length),
                      void *context) {
    const struct {
        const char *name;
        uint64_t value;
    } kept[] =
        {
            {"pc", frame->pc}, {"sp", frame->sp}, {"gp", frame->gp}, {"tp", frame->tp},
            {"s0", frame->s0}, {"a0", frame->a0}, {"a1", frame->a1}, {"a2", frame->a2},
            {"a3", frame->a3}, {"a4", frame->a4}, {"a5", frame->a5}, {"a7", frame->a7},
        },
      others[] = {
          {"ra", frame->ra}, {"a6", frame->a6},   {"s1", frame->s1},   {"s2", frame->s2}, {"s3", frame->s3},
          {"s4", frame->s4}, {"s5", frame->s5},   {"s6", frame->s6},   {"s7", frame->s7}, {"s8", frame->s8},
          {"s9", frame->s9}, {"s10", frame->s10}, {"s11", frame->s11}, {"t0", frame->t0}, {"t1", frame->t1},
          {"t2", frame->t2}, {"t3", frame->t3},   {"t4", frame->t4},   {"t5", frame->t5}, {"t6", frame->t6},
      };
    for (unsigned i = 0; i < sizeof kept / sizeof *kept; i++) {
        print(emit, context, kept[i].name, kept[i].value);
    }
    if (frame->cause == RISCV_CAUSE_CALL) {
        return; // the others are not kept over a call
    }
    for (unsigned i = 0; i < sizeof others / sizeof *others; i++) {
        print(emit, context, others[i].name, others[i].value);
    }
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
