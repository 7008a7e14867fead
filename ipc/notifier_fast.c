// The fast paths of signal and take, and of read for a notifier's records. What is done here is what notifier.c and the scheduler do, and only if, for
//
//   signal   nobody waits for the notifier but takers, and the longest of these gets all the bits: it has no deadline and is
//            not more urgent than who signals. It becomes this CPU's woken thread, if there may be one and is none yet
//   take     a bit is there, and nobody waits who might be about to get it; or none is and the call polls; or the call waits for ever, as the only taker, and the woken
//            thread comes next and can go on by a mere change of registers
//   read     it is what the thread took from last; the oldest record is a queued one, the buffer has room for no other or there
//            is no other, and it can be copied out as it is. For other reads see direct_fast.c
//
// The property that the paths are one: tests/host/fast_test.c.
#include "ipc/notifier_impl.h"
#include "kernel/fast.h"
#include "kernel/syscall.h"

struct fast_answer FAST_PATH(signal)(uint64_t a0, uint64_t a1, uint64_t, uint64_t, uint64_t, uint64_t) {
    FAST_LOCK(CALL_SIGNAL, a0, a1, 0, 0, 0, 0);
    struct thread *self = FAST_CPU(current);
    struct process *process = self->process;
    struct object *object = fast_object(self, process, a0, HANDLE_SIGNAL);
    if (FAST_RARE(object == nullptr) || FAST_RARE(a1 == 0)) {
        FAST_UNLOCK_LEAVE(CALL_SIGNAL, a0, a1, 0, 0, 0, 0);
    }
    struct notifier *notifier = container_of(object, struct notifier, object);
    if (!list_empty(&notifier->object.waiters)) {
        FAST_UNLOCK_LEAVE(CALL_SIGNAL, a0, a1, 0, 0, 0, 0);
    }
    struct thread *taker = notifier->taker;
    if (taker == nullptr) {
        if (!list_empty(&notifier->takers)) {
            FAST_UNLOCK_LEAVE(CALL_SIGNAL, a0, a1, 0, 0, 0, 0);
        }
        notifier->bits |= a1;
        notifier->signals++;
        process->calls++;
        FAST_CPU(count[COUNT_FAST_SIGNAL])++;
        FAST_STAY(self, 0, 0);
    }
    uint64_t bits = notifier->bits | a1;
    if ((bits & ~taker->park.word) != 0 || taker->standing > self->priority || FAST_CPU(woken) != &sched_nobody) {
        FAST_UNLOCK_LEAVE(CALL_SIGNAL, a0, a1, 0, 0, 0, 0);
    }
    notifier->taker = nullptr;
    notifier->bits = 0;
    notifier->taken++;
    notifier->signals++;
    process->calls++;
    FAST_CPU(count[COUNT_FAST_WAKE])++;
    taker->state = THREAD_READY;
    FAST_CPU(woken) = taker;
    FAST_CPU(woken_bits) = bits;
    FAST_STAY(self, 0, 0);
}

struct fast_answer FAST_PATH(take)(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t, uint64_t, uint64_t) {
    FAST_LOCK(CALL_TAKE, a0, a1, a2, 0, 0, 0);
    struct thread *self = FAST_CPU(current);
    struct process *process = self->process;
    struct object *object = fast_object(self, process, a0, HANDLE_TAKE);
    if (FAST_RARE(object == nullptr) || FAST_RARE(a1 == 0)) {
        FAST_UNLOCK_LEAVE(CALL_TAKE, a0, a1, a2, 0, 0, 0);
    }
    struct notifier *notifier = container_of(object, struct notifier, object);
    uint64_t bits = notifier->bits & a1;
    if (bits != 0) {
        if (FAST_RARE(notifier->taker != nullptr || notifier->taker_count != 0)) {
            FAST_UNLOCK_LEAVE(CALL_TAKE, a0, a1, a2, 0, 0, 0);
        }
        notifier->bits &= ~a1;
        notifier->taken++;
        process->calls++;
        FAST_CPU(count[COUNT_FAST_TAKE])++;
        FAST_STAY(self, 0, bits);
    }
    if (a2 == 0) {
        process->calls++;
        process->call_errors++;
        call_refusals[CALL_TAKE][-ERR_TIMED_OUT]++;
        FAST_CPU(count[COUNT_FAST_MISS])++;
        FAST_STAY(self, ERR_TIMED_OUT, 0);
    }
    struct thread *next = FAST_CPU(woken);
    if (a2 != FOREVER || notifier->taker != nullptr || notifier->taker_count != 0) {
        FAST_UNLOCK_LEAVE(CALL_TAKE, a0, a1, a2, 0, 0, 0);
    }
    if (self->holds != 0) {
        FAST_UNLOCK_LEAVE(CALL_TAKE, a0, a1, a2, 0, 0, 0);
    }
    // Those that stand for nobody are no thread of a process that runs. One that has been ended is not woken any more.
    struct process *next_process = next->process;
    if (sched_waiting.mask >> next->priority != 0 || next_process->ending != 0) {
        FAST_UNLOCK_LEAVE(CALL_TAKE, a0, a1, a2, 0, 0, 0);
    }
    notifier->taker = self;
    self->park.word = a1;
    self->park.kind = &take_parked;
    self->park.object = &notifier->object;
    FAST_CPU(count[COUNT_FAST_PARK])++;
    FAST_CPU(woken) = &sched_nobody;
    uint64_t now = arch_stamp();
    fast_turn(now);
    fast_enter(self, process, next, next_process, now, THREAD_PARKED);
    uint64_t got = FAST_CPU(woken_bits);
    if (got == 0) {
        FAST_FRAME_DONE(self, next);
    }
    FAST_WORD_DONE(self, next, got);
}

// The notifier that the thread took from last.
[[gnu::always_inline]] static inline struct notifier *last_notifier(void) {
    return container_of(FAST_CPU(current)->last_taken->object, struct notifier, object);
}

// The record is copied by a call of the port's, so this part has a stack frame, which other reads do without. Only what may
// be handed on is kept over that call: the rest is looked up again, under the same lock.
[[gnu::noinline]] static struct fast_answer read_record(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t,
                                                        uint64_t) {
    FAST_LOCK(CALL_READ, a0, a1, a2, a3, 0, 0);
    struct thread *self = FAST_CPU(current);
    const struct object *source = fast_object(self, self->process, a0, HANDLE_TAKE);
    if (FAST_RARE(source == nullptr)) {
        FAST_UNLOCK_LEAVE(CALL_READ, a0, a1, a2, a3, 0, 0);
    }
    constexpr uint64_t size = sizeof(struct abi_event_record);
    struct notifier *notifier = last_notifier();
    uint64_t queued = notifier->tail - notifier->head;
    if (FAST_RARE(queued == 0 || a2 < size || (a2 >= 2 * size && queued + notifier->overdue != 1)) ||
        FAST_RARE(!fast_copy_out((user_ptr_t){a1}, notifier->out.slot, size))) {
        FAST_UNLOCK_LEAVE(CALL_READ, FAST_CPU(current)->last_taken->value, a1, a2, a3, 0, 0);
    }
    notifier = last_notifier();
    notifier_advance(notifier, &notifier->out, ++notifier->head);
    notifier->read++;
    FAST_CPU(count[COUNT_FAST_READ])++;
    self = FAST_CPU(current);
    self->process->calls++;
    FAST_STAY(self, size, 0);
}

struct fast_answer FAST_PATH(read)(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5) {
    // Without the lock: that entry is there while the thread is, and what it says is looked at again.
    const struct handle *handle = FAST_CPU(current)->last_taken;
    if (__atomic_load_n(&handle->value, __ATOMIC_RELAXED) != a0 ||
        (__atomic_load_n(&handle->abilities, __ATOMIC_RELAXED) & HANDLE_TAKE) == 0) {
        [[clang::musttail]] return FAST_PATH(read_any)(a0, a1, a2, a3, a4, a5);
    }
    [[clang::musttail]] return read_record(a0, a1, a2, a3, a4, a5);
}
