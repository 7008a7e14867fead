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
#define FAST_LEAVE(call, ...) FAST_TAIL(call, arch_fast_leave, __VA_ARGS__)
#define FAST_TAIL(call, how, ...)                                                                                      \
    do {                                                                                                               \
        arch_frame_number(&FAST_CPU(current)->frame, call);                                                            \
        [[clang::musttail]] return how(__VA_ARGS__);                                                                   \
    } while (0)

// Files of fast paths are compiled twice (fast_path.h). FAST_PATH: the name of one in this set. FAST_LOCK: take the lock;
// leave if that needs waiting. FAST_THEN: go to an end, giving back the lock. FAST_HOLD: keep it, to be given back as the
// general path does.
#ifdef FAST_SHARED
#define FAST_PATH(name)              fast_shared_##name
#define FAST_UNLOCK_LEAVE(call, ...) FAST_TAIL(call, fast_unlock_leave, __VA_ARGS__)
#define FAST_LOCK(call, ...)                                                                                           \
    if (FAST_RARE(!kernel_lock_take())) {                                                                              \
        FAST_TAIL(call, fast_queue_leave, __VA_ARGS__);                                                                \
    }                                                                                                                  \
    static_assert(true)
#define FAST_THEN(exit, ...)                                                                                           \
    if (FAST_RARE(!kernel_lock_give())) {                                                                              \
        [[clang::musttail]] return fast_grant_##exit(__VA_ARGS__);                                                     \
    }                                                                                                                  \
    [[clang::musttail]] return arch_fast_##exit(__VA_ARGS__)
#define FAST_HOLD()                                                                                                    \
    if (FAST_RARE(lock_other == 0)) { /* who takes it without need, as in tests, was alone */                          \
        (void)kernel_lock_give();                                                                                      \
    }                                                                                                                  \
    static_assert(true)
#else
#define FAST_PATH(name)              fast_##name
#define FAST_UNLOCK_LEAVE(call, ...) FAST_LEAVE(call, __VA_ARGS__)
#define FAST_LOCK(call, ...)         (void)sizeof((const uint64_t[]){__VA_ARGS__}) // they count as used
#define FAST_THEN(exit, ...)         [[clang::musttail]] return arch_fast_##exit(__VA_ARGS__)
#define FAST_HOLD()                  static_assert(true)
#endif
fast_path fast_unlock_leave, fast_queue_leave;
fast_path fast_grant_called_exit, fast_grant_words_exit, fast_grant_pair_exit, fast_grant_stay_exit, fast_grant_exit,
    fast_grant_word_exit, fast_grant_frame_exit;
fast_path fast_read_any, fast_shared_read_any; // reads of what has no fast path of its own

// The end: give back the lock; then, with this status and first result, the caller itself goes on (STAY; CALLED_STAY: C
// functions were called), or `to` in its
// place: with the caller's message (DONE) and perhaps a second result (PAIR), or its own message (WORD). FRAME: `to` goes on
// with what its frame says. What is read for the answer is guarded by the lock.
#define FAST_STAY(self, status, word) FAST_END(stay_exit, word, status, fast_any(), arch_fast_stay(self), fast_any())
#define FAST_CALLED_STAY(self, status, word)                                                                           \
    FAST_END(called_exit, word, status, fast_any(), arch_fast_stay(self), fast_any())
#define FAST_DONE(self, to, status, word)              FAST_END(exit, word, status, self, to, fast_any())
#define FAST_PAIR_DONE(self, to, status, word, second) FAST_END(pair_exit, word, status, self, to, second)
#define FAST_WORD_DONE(self, to, word)                 FAST_END(word_exit, word, 0, self, to, fast_any())
#define FAST_FRAME_DONE(self, to)                      FAST_END(frame_exit, fast_any(), fast_any(), self, to, fast_any())
#define FAST_END(exit, word, status, from, to, second)                                                                 \
    do {                                                                                                               \
        const uint64_t fast_word = (word), fast_status = (uint64_t)(status), fast_second = (second);                   \
        const uint64_t fast_from = (uint64_t)(from), fast_to = (uint64_t)(to);                                         \
        FAST_THEN(exit, fast_word, fast_status, fast_from, fast_to, fast_second, fast_any());                          \
    } while (0)
// As STAY, with four results.
#define FAST_STAY_WORDS(self, status, word0, word1, word2, word3)                                                      \
    do {                                                                                                               \
        const uint64_t fast_status = (uint64_t)(status), fast_self = arch_fast_stay(self);                             \
        const uint64_t fast_0 = (word0), fast_1 = (word1), fast_2 = (word2), fast_3 = (word3);                         \
        FAST_THEN(words_exit, ARCH_FAST_WORDS(fast_status, fast_0, fast_1, fast_2, fast_3, fast_self));                \
    } while (0)

// What self, of that process, means by a handle, if it can be used for that (one of HANDLE_*); null: it is not good for
// that, or self is ending and makes no more calls. Entries never move while the table lives, and one that is free has a value
// of its own: so the last one found is found again by one comparison.
[[gnu::always_inline]] static inline struct object *fast_object(struct thread *self, const struct process *process,
                                                                uint64_t value, uint32_t ability) {
    bool gives = (ability & (HANDLE_CALL | HANDLE_SEND | HANDLE_SIGNAL)) != 0;
    const struct handle **last = gives ? &self->last_given : &self->last_taken;
    const struct handle *handle = *last;
    if (FAST_RARE(handle->value != value)) {
        const struct handle_table *table = &process->handles;
        uint32_t index = value & 0xffff;
        if ((self->holds & HOLD_ENDING) != 0 || index >= table->fresh) {
            return nullptr;
        }
        handle = &table->chunk[index / HANDLE_CHUNK][index % HANDLE_CHUNK];
        if (handle->value != value) {
            return nullptr;
        }
        *last = handle;
    }
    if (FAST_RARE(!handle_can(handle, ability))) {
        return nullptr;
    }
    struct object *object = handle->object;
    __builtin_assume(object != nullptr);
    return object;
}

// Whether `to`, of that process and parked without a deadline, can go on in place of self without more than fast_switch does:
// nothing holds either, and they are as urgent. but: with what those of HOLD_* take that the caller sees to, and with
// whatever urgency.
[[gnu::always_inline]] static inline bool fast_can_switch(const struct thread *self, const struct thread *to,
                                                          const struct process *to_process) {
    return !FAST_RARE(self->standing != to->standing) && !FAST_RARE(to->standing >= PRIORITIES) &&
           !FAST_RARE(to_process->ending != 0);
}
[[gnu::always_inline]] static inline bool fast_can_switch_but(const struct thread *self, const struct thread *to,
                                                              const struct process *to_process, uint32_t seen_to) {
    return ((uint32_t)(self->holds | to->holds) & ~seen_to) == 0 && to_process->ending == 0;
}

// From the space of one process to that of the other.
[[gnu::always_inline]] static inline void fast_space(const struct process *from, struct process *to) {
    FAST_CPU(space) = &to->space;
    if (from != to) {
        arch_fast_space(&to->space.arch);
    }
}

// self has made a call, and `to` runs in its place: self parks, or waits in the queue.
[[gnu::always_inline]] static inline void fast_run(struct thread *self, struct process *process, struct thread *to,
                                                   uint64_t now, enum thread_state self_state) {
    uint64_t ticks = now - FAST_CPU(switched_at);
    self->state = self_state;
    if (self_state == THREAD_PARKED) {
        self->park.since = now;
    }
    self->cpu_ticks += ticks;
    uint64_t process_ticks = process->cpu_ticks + ticks, calls = process->calls + 1;
    process->cpu_ticks = process_ticks;
    process->calls = calls;
    to->state = THREAD_RUNNING;
    FAST_CPU(switched_at) = now;
    FAST_CPU(current) = to;
}

// Likewise, in its own space.
[[gnu::always_inline]] static inline void fast_enter(struct thread *self, struct process *process, struct thread *to,
                                                     struct process *to_process, uint64_t now,
                                                     enum thread_state self_state) {
    fast_run(self, process, to, now, self_state);
    FAST_CPU(space) = &to_process->space;
    arch_fast_space_last(&to_process->space.arch, process == to_process);
}

// self parks now; `to` goes on here in its turn. switch_here: the CPU is in its space already.
[[gnu::always_inline]] static inline void fast_switch(struct thread *self, struct process *process, struct thread *to,
                                                      struct process *to_process) {
    fast_enter(self, process, to, to_process, arch_stamp(), THREAD_PARKED);
}
[[gnu::always_inline]] static inline void fast_switch_here(struct thread *self, struct process *process,
                                                           struct thread *to) {
    fast_run(self, process, to, arch_stamp(), THREAD_PARKED);
}

// ---- user memory -----------------------------------------------------------------------------------------------------

// user_copy_in and user_copy_out as far as they take no more than a copy. False: they take more, as for a page that is not
// there yet, or would refuse; some prefix has been copied.
[[gnu::always_inline]] static inline bool fast_copy_in(void *to, user_ptr_t from, uint64_t length) {
    return user_range(from, length) && arch_fast_bulk_in(to, from.va, length);
}
[[gnu::always_inline]] static inline bool fast_copy_out(user_ptr_t to, const void *from, uint64_t length) {
    return user_range(to, length) && arch_fast_bulk_out(to.va, from, length);
}

// ---- turns, while cpu->woken says that a fast path may begin one -----------------------------------------------------

// A whole turn of its own begins; it is as long as the last.
[[gnu::always_inline]] static inline void fast_turn(uint64_t now) {
    FAST_CPU(turn_began) = now;
}
