#include "float.h"

#include "instructions.h"
#include "layout.h"
#include "machine.h"

enum : uint64_t { FS_CLEAN = 2u << 13, FS_DIRTY = 3u << 13 };

void riscv_float_save(struct arch_thread *thread); // float_state.S
void riscv_float_load(const struct arch_thread *thread);

static struct arch_thread *arch_of(struct thread *thread) {
    return (struct arch_thread *)((uint8_t *)thread + THREAD_FRAME_OFFSET + sizeof(struct arch_frame));
}

// The unit off, or on with the thread's state, which is then as in memory.
static void put_in_place(const struct arch_thread *thread) {
    if (!thread->float_used) {
        riscv_csr_clear(sstatus, RISCV_STATUS_FS);
        return;
    }
    riscv_csr_set(sstatus, RISCV_STATUS_FS);
    riscv_float_load(thread);
    riscv_csr_clear(sstatus, RISCV_STATUS_FS ^ FS_CLEAN);
}

// The hardware says whether the state has changed since it was loaded.
void arch_thread_switch(struct thread *from, struct thread *to) {
    if (from != nullptr && (riscv_csr_read(sstatus) & RISCV_STATUS_FS) == FS_DIRTY) {
        riscv_float_save(arch_of(from));
    }
    if (to == nullptr) {
        riscv_csr_clear(sstatus, RISCV_STATUS_FS);
    } else {
        put_in_place(arch_of(to));
    }
}

void arch_thread_destroy(struct arch_thread *thread) {
    (void)thread; // all of it is in the thread itself
}

bool riscv_float_first_use(struct thread *thread) {
    struct arch_thread *arch = arch_of(thread);
    if (arch->float_used || !riscv_machine.has_double) {
        return false;
    }
    *arch_thread_holds(thread) |= HOLD_STATE;
    arch->float_used = true; // all zero: as a fresh thread may expect
    put_in_place(arch);
    return true;
}
