// Calls that are made from here: open, close, read and write. They never park, and look at no more of their caller's
// registers than their arguments. So the function that the general path would call is called with these as they are, and
// what else the ABI keeps of the caller stays where it is. Preconditions:
//
//   this CPU need not choose anew what it runs: then nobody has ended the caller either
//   each argument fits its type
//
// The arguments go into the frame as well, for a call that is made again (call_refuse). If the caller may have to give way
// when the call is made, or slices are to be run, all that the ABI keeps does, and trap_settle says who goes on; the lock is
// held throughout.
#include "abi/calls.h"
#include "kernel/fast.h"
#include "kernel/slice.h"
#include "kernel/syscall.h"

// The call was refused, or its caller may not be who goes on.
[[gnu::noinline]] static struct fast_answer direct_rest(uint64_t number, uint64_t status, uint64_t, uint64_t, uint64_t,
                                                        uint64_t) {
    struct thread *self = FAST_CPU(current);
    if ((long)status == CALL_AGAIN || ((long)status == ERR_NO_MEMORY && slice_pending())) {
        FAST_HOLD();
        arch_frame_number(&self->frame, number);
        call_refuse(self, (long)status);
        [[clang::musttail]] return arch_fast_settle(0, 0, 0, 0, 0, 0);
    }
    if ((long)status < 0) {
        call_count_refusal(self->process, number, (long)status);
    }
    if (FAST_CPU(resched) || slice_pending()) {
        FAST_HOLD();
        arch_frame_answer(&self->frame, (long)status, (const uint64_t[4]){});
        [[clang::musttail]] return arch_fast_settle(0, 0, 0, 0, 0, 0);
    }
    atomic_store_explicit(&lock_holder, nullptr, memory_order_relaxed);
    FAST_CALLED_STAY(self, status, 0);
}

[[gnu::noinline]] static struct fast_answer direct_end(uint64_t number, uint64_t status, uint64_t, uint64_t, uint64_t,
                                                       uint64_t) {
    if (FAST_RARE((long)status < 0) || FAST_RARE(FAST_CPU(resched)) || FAST_RARE(slice_pending())) {
        [[clang::musttail]] return direct_rest(number, status, 0, 0, 0, 0);
    }
    atomic_store_explicit(&lock_holder, nullptr, memory_order_relaxed);
    FAST_CALLED_STAY(FAST_CPU(current), status, 0);
}

// Begin the call `number` with these arguments: from here on there is `self`.
#define DIRECT_BEGIN(number, ...)                                                                                      \
    FAST_LOCK(number, __VA_ARGS__);                                                                                    \
    if (FAST_RARE(FAST_CPU(resched))) {                                                                                \
        FAST_UNLOCK_LEAVE(number, __VA_ARGS__);                                                                        \
    }                                                                                                                  \
    arch_fast_frames();                                                                                                \
    atomic_store_explicit(&lock_holder, arch_cpu_current(), memory_order_relaxed);                                     \
    struct thread *self = FAST_CPU(current);                                                                           \
    FAST_CPU(count[COUNT_SYSCALL])++;                                                                                  \
    self->process->calls++
#define DIRECT_END(number, status)                                                                                     \
    [[clang::musttail]] return direct_end(number, (uint64_t)(status), fast_any(), fast_any(), fast_any(), fast_any())

// In 32 bits, as a handle does.
static inline bool fits(uint64_t word) {
    return word <= UINT32_MAX;
}

struct fast_answer FAST_PATH(open)(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t) {
    if (FAST_RARE(!fits(a0 | a3 | a4))) {
        FAST_LEAVE(CALL_OPEN, a0, a1, a2, a3, a4, 0);
    }
    DIRECT_BEGIN(CALL_OPEN, a0, a1, a2, a3, a4, 0);
    arch_frame_argument(&self->frame, 0, a0);
    arch_frame_argument(&self->frame, 1, a1);
    arch_frame_argument(&self->frame, 2, a2);
    arch_frame_argument(&self->frame, 3, a3);
    arch_frame_argument(&self->frame, 4, a4);
    const long status = sys_open(self, (handle_t)a0, (user_ptr_t){a1}, a2, (uint32_t)a3, (uint32_t)a4);
    DIRECT_END(CALL_OPEN, status);
}

struct fast_answer FAST_PATH(close)(uint64_t a0, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t) {
    if (FAST_RARE(!fits(a0))) {
        FAST_LEAVE(CALL_CLOSE, a0, 0, 0, 0, 0, 0);
    }
    DIRECT_BEGIN(CALL_CLOSE, a0, 0, 0, 0, 0, 0);
    arch_frame_argument(&self->frame, 0, a0);
    const long status = sys_close(self, (handle_t)a0);
    DIRECT_END(CALL_CLOSE, status);
}

// Not to become part of a fast path when the kernel is linked: those have other registers.
[[gnu::noinline]] struct fast_answer FAST_PATH(read_any)(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t,
                                                         uint64_t) {
    if (FAST_RARE(!fits(a0))) {
        FAST_LEAVE(CALL_READ, a0, a1, a2, a3, 0, 0);
    }
    DIRECT_BEGIN(CALL_READ, a0, a1, a2, a3, 0, 0);
    arch_frame_argument(&self->frame, 0, a0);
    arch_frame_argument(&self->frame, 1, a1);
    arch_frame_argument(&self->frame, 2, a2);
    arch_frame_argument(&self->frame, 3, a3);
    const long status = sys_read(self, (handle_t)a0, (user_ptr_t){a1}, a2, a3);
    DIRECT_END(CALL_READ, status);
}

struct fast_answer FAST_PATH(write)(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t, uint64_t) {
    if (FAST_RARE(!fits(a0))) {
        FAST_LEAVE(CALL_WRITE, a0, a1, a2, a3, 0, 0);
    }
    DIRECT_BEGIN(CALL_WRITE, a0, a1, a2, a3, 0, 0);
    arch_frame_argument(&self->frame, 0, a0);
    arch_frame_argument(&self->frame, 1, a1);
    arch_frame_argument(&self->frame, 2, a2);
    arch_frame_argument(&self->frame, 3, a3);
    const long status = sys_write(self, (handle_t)a0, (user_ptr_t){a1}, a2, a3);
    DIRECT_END(CALL_WRITE, status);
}
