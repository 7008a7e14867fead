// What the fast paths share (see kernel/include/fast_path.h). Each function here is a step of the general path without its
// exceptions: the caller has made sure that none of them applies.
//
// A fast path calls nothing, it only leaves: then it needs no stack, and the arguments are still in their registers when
// it finds that it does not apply. The one exception is the port's copying of user memory.
#pragma once

#include "abi/calls.h"
#include "kernel/cpu.h"
#include "kernel/include/user_ptr.h"
#include "kernel/lock.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/thread.h"

// A field of this CPU's struct cpu.
#define FAST_CPU(field) ARCH_CPU_FIELD(struct cpu, field)

// What makes a fast path leave: laid out of the way.
#define FAST_RARE(condition) __builtin_expect(condition, 0)

// Leave by the general path, without the lock or giving it back: nothing has happened. The arguments are those of the
// fast path, or zero where the call does not look at them.
#define FAST_LEAVE(call, ...)        FAST_TAIL(call, arch_fast_leave, __VA_ARGS__)
#define FAST_UNLOCK_LEAVE(call, ...) FAST_TAIL(call, fast_unlock_leave, __VA_ARGS__)
// Take the lock; leave if that needs waiting.
#define FAST_LOCK(call, ...)                                                                                           \
    if (FAST_RARE(!kernel_lock_first())) {                                                                             \
        FAST_TAIL(call, fast_queue_leave, __VA_ARGS__);                                                                \
    }                                                                                                                  \
    static_assert(true)
#define FAST_TAIL(call, how, ...)                                                                                      \
    do {                                                                                                               \
        arch_frame_number(&FAST_CPU(current)->frame, call);                                                            \
        [[clang::musttail]] return how(__VA_ARGS__);                                                                   \
    } while (0)
fast_path fast_unlock_leave, fast_queue_leave;

// The end: give back the lock; then, with this status and first result, the caller itself goes on (STAY), or `to` in its
// place: with the caller's message (DONE) and perhaps a second result (PAIR), or its own message (WORD). FRAME: `to` goes on
// with what its frame says.
#define FAST_STAY(self, status, word)     FAST_END(stay_exit, word, status, fast_any(), arch_fast_stay(self))
#define FAST_DONE(self, to, status, word) FAST_END(exit, word, status, self, to)
#define FAST_WORD_DONE(self, to, word)    FAST_END(word_exit, word, 0, self, to)
#define FAST_FRAME_DONE(self, to)         FAST_END(frame_exit, fast_any(), fast_any(), self, to)
#define FAST_END(exit, word, status, from, to)                                                                         \
    do {                                                                                                               \
        /* What is read for the answer is guarded by the lock. */                                                      \
        const uint64_t fast_word = (word), fast_status = (uint64_t)(status);                                           \
        const uint64_t fast_from = (uint64_t)(from), fast_to = (uint64_t)(to);                                         \
        if (FAST_RARE(!kernel_lock_last())) {                                                                          \
            [[clang::musttail]] return fast_grant_##exit(fast_word, fast_status, fast_from, fast_to, 0, 0);            \
        }                                                                                                              \
        [[clang::musttail]] return arch_fast_##exit(fast_word, fast_status, fast_from, fast_to, fast_any(),            \
                                                    fast_any());                                                       \
    } while (0)
#define FAST_PAIR_DONE(self, to, status, word, second)                                                                 \
    do {                                                                                                               \
        const uint64_t fast_word = (word), fast_status = (uint64_t)(status), fast_second = (second);                   \
        const uint64_t fast_from = (uint64_t)(self), fast_to = (uint64_t)(to);                                         \
        if (FAST_RARE(!kernel_lock_last())) {                                                                          \
            [[clang::musttail]] return fast_grant_pair_exit(fast_word, fast_status, fast_from, fast_to, fast_second,   \
                                                            0);                                                        \
        }                                                                                                              \
        [[clang::musttail]] return arch_fast_pair_exit(fast_word, fast_status, fast_from, fast_to, fast_second,        \
                                                       fast_any());                                                    \
    } while (0)
// As STAY, with four results.
#define FAST_STAY_WORDS(self, status, word0, word1, word2, word3)                                                      \
    do {                                                                                                               \
        const uint64_t fast_status = (uint64_t)(status), fast_self = arch_fast_stay(self);                             \
        const uint64_t fast_0 = (word0), fast_1 = (word1), fast_2 = (word2), fast_3 = (word3);                         \
        if (FAST_RARE(!kernel_lock_last())) {                                                                          \
            [[clang::musttail]] return fast_grant_words_exit(                                                          \
                ARCH_FAST_WORDS(fast_status, fast_0, fast_1, fast_2, fast_3, fast_self));                              \
        }                                                                                                              \
        [[clang::musttail]] return arch_fast_words_exit(                                                               \
            ARCH_FAST_WORDS(fast_status, fast_0, fast_1, fast_2, fast_3, fast_self));                                  \
    } while (0)
fast_path fast_grant_words_exit, fast_grant_pair_exit, fast_grant_stay_exit, fast_grant_exit, fast_grant_word_exit,
    fast_grant_frame_exit;

// The handle that self, of that process, means; null: none, or the process has ended and makes no more calls. Entries
// never move while the table lives, and one that is free has a value of its own: so the last one found is found again by
// one comparison.
[[gnu::always_inline]] static inline const struct handle *fast_handle(struct thread *self,
                                                                      const struct process *process, uint64_t value) {
    if (process->state != PROCESS_RUNNING) {
        return nullptr;
    }
    const struct handle *handle = self->last_handle;
    if (handle->value == value) {
        return handle;
    }
    const struct handle_table *table = &process->handles;
    uint32_t index = value & 0xffff;
    if (index >= table->fresh) {
        return nullptr;
    }
    handle = &table->chunk[index / HANDLE_CHUNK][index % HANDLE_CHUNK];
    if (handle->value != value) {
        return nullptr;
    }
    self->last_handle = handle;
    return handle;
}

// Whether a payload that begins there may be copied: then all of it, however long, lies where users have their memory.
[[gnu::always_inline]] static inline bool fast_user(uint64_t va) {
    return va - ARCH_USER_BASE <= ARCH_USER_TOP - ARCH_USER_BASE - MESSAGE_MAX;
}

// Whether `to`, of that process and parked without a deadline, can go on in place of self without more than fast_switch
// does, or what those of HOLD_* take that the caller sees to.
[[gnu::always_inline]] static inline bool fast_can_switch_but(const struct thread *self, const struct thread *to,
                                                              const struct process *to_process, uint32_t seen_to) {
    return ((self->holds | to->holds) & ~seen_to) == 0 && to_process->state == PROCESS_RUNNING;
}
[[gnu::always_inline]] static inline bool fast_can_switch(const struct thread *self, const struct thread *to,
                                                          const struct process *to_process) {
    return fast_can_switch_but(self, to, to_process, 0);
}

// From the space of one process to that of the other.
[[gnu::always_inline]] static inline void fast_space(const struct process *from, struct process *to) {
    if (from != to) {
        FAST_CPU(space) = &to->space;
        arch_fast_space(&to->space.arch);
    }
}

// `to` is the one that runs, in place of self, which has run up to now.
[[gnu::always_inline]] static inline void fast_run(struct thread *self, struct process *process, struct thread *to,
                                                   uint64_t now) {
    uint64_t ticks = now - FAST_CPU(switched_at);
    FAST_CPU(switched_at) = now;
    self->cpu_ticks += ticks;
    process->cpu_ticks += ticks;
    to->state = THREAD_RUNNING;
    FAST_CPU(current) = to;
}

// `to` goes on in place of self, which has run up to now.
[[gnu::always_inline]] static inline void fast_enter(struct thread *self, struct process *process, struct thread *to,
                                                     struct process *to_process, uint64_t now) {
    fast_run(self, process, to, now);
    fast_space(process, to_process);
}

// self parks now.
[[gnu::always_inline]] static inline uint64_t fast_park(struct thread *self) {
    uint64_t now = arch_stamp();
    self->park.since = now;
    self->state = THREAD_PARKED;
    return now;
}

// self has parked; `to` goes on here in its turn. switch_here: the CPU is in its space already.
[[gnu::always_inline]] static inline void fast_switch(struct thread *self, struct process *process, struct thread *to,
                                                      struct process *to_process) {
    uint64_t now = fast_park(self);
    fast_enter(self, process, to, to_process, now);
}
[[gnu::always_inline]] static inline void fast_switch_here(struct thread *self, struct process *process,
                                                           struct thread *to) {
    uint64_t now = fast_park(self);
    fast_run(self, process, to, now);
}

// ---- user memory -----------------------------------------------------------------------------------------------------

// user_copy_in and user_copy_out as far as they take no more than a copy. False: they take more, as for a page that is not
// there yet, or would refuse; some prefix has been copied.
[[gnu::always_inline]] static inline bool fast_copy_in(void *to, user_ptr_t from, uint64_t length) {
    return user_range(from, length) && arch_user_copy_in(to, from.va, length);
}
[[gnu::always_inline]] static inline bool fast_copy_out(user_ptr_t to, const void *from, uint64_t length) {
    return user_range(to, length) && arch_user_copy_out(to.va, from, length);
}

// ---- turns, while cpu->woken says that a fast path may begin one -----------------------------------------------------

// Bits of all priorities from one on.
extern const uint32_t fast_priorities_from[PRIORITIES + 1];

// A whole turn of its own begins; it is as long as the last.
[[gnu::always_inline]] static inline void fast_turn(uint64_t now) {
    FAST_CPU(turn_began) = now;
}
