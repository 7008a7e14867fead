#include "kernel/fast.h"

#include "base/memory.h"

uint64_t fast_limit = CALL_FAST;

void fast_paths_choose(bool alone) {
    memcpy(fast_paths, alone ? fast_paths_alone : fast_paths_shared, CALL_FAST * sizeof *fast_paths);
}

// None of these becomes part of a fast path when the kernel is linked: then that would call, and need a stack frame.

[[gnu::noinline]] struct fast_answer fast_unlock_leave(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                                                       uint64_t a5) {
    if (!kernel_lock_give()) {
        kernel_lock_grant();
    }
    [[clang::musttail]] return arch_fast_leave(a0, a1, a2, a3, a4, a5);
}

// Others have the lock: the general path, which takes it once more, is none the slower for having waited here.
[[gnu::noinline]] struct fast_answer fast_queue_leave(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                                                      uint64_t a5) {
    kernel_lock_queue();
    [[clang::musttail]] return fast_unlock_leave(a0, a1, a2, a3, a4, a5);
}

#define GRANT_THEN(exit, end)                                                                                          \
    [[gnu::noinline]] struct fast_answer fast_grant_##exit(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,         \
                                                           uint64_t a4, uint64_t a5) {                                 \
        kernel_lock_grant();                                                                                           \
        [[clang::musttail]] return arch_fast_##end(a0, a1, a2, a3, a4, a5);                                            \
    }
GRANT_THEN(stay_exit, called_exit)
GRANT_THEN(called_exit, called_exit)
GRANT_THEN(words_exit, called_words_exit)
GRANT_THEN(exit, exit)
GRANT_THEN(pair_exit, pair_exit)
GRANT_THEN(word_exit, word_exit)
GRANT_THEN(frame_exit, frame_exit)
