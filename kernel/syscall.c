#include "kernel/syscall.h"

#include "abi/calls.h"
#include "base/memory.h"
#include "kernel/cpu.h"
#include "kernel/lock.h"
#include "kernel/process.h"
#include "kernel/slice.h"
#include "kernel/thread.h"

enum { RECLAIM_TURNS = 32 }; // how often a call is made again before it is refused for want of memory

uint64_t call_refusals[CALL_COUNT][CALL_ERRORS + 1];

void call_count_refusal(struct process *process, uint64_t number, long error) {
    cpu_count(COUNT_SYSCALL_ERROR);
    process->call_errors++;
    if (number < CALL_COUNT && error >= -CALL_ERRORS) {
        call_refusals[number][-error]++;
    }
}

uint64_t call_refused(uint64_t number, int32_t error) {
    return call_refusals[number][-error];
}

bool call_made_again(long status) {
    const struct thread *self = arch_cpu_current()->current;
    bool same = self->call_pc == arch_frame_pc(&self->frame);
    return status == ERR_NO_MEMORY && slice_pending() && (!same || self->call_turns < RECLAIM_TURNS);
}

// Others may take again what slices return. So the turns are counted; those that an earlier call by the same instruction
// has taken, if it was not refused in the end, count as this one's, for nobody notes what succeeds.
static void count_turn(struct thread *self) {
    uint64_t pc = arch_frame_pc(&self->frame);
    self->call_turns = self->call_pc == pc ? self->call_turns + 1 : 1;
    self->call_pc = pc;
}

static const uint64_t no_words[4];

[[gnu::noinline, gnu::cold]] void call_refuse(struct thread *self, long status) {
    bool short_of_memory = call_made_again(status);
    if (status == CALL_AGAIN || short_of_memory) {
        if (short_of_memory) {
            count_turn(self);
        }
        ARCH_CPU_FIELD(struct cpu, count)[COUNT_SYSCALL]--;
        kernel_lock_count(); // of which that was one
        self->process->calls--;
        self->call_again = true;
        return;
    }
    self->call_turns = 0;
    uint64_t arg[6];
    uint64_t number = arch_frame_call(&self->frame, arg);
    call_count_refusal(self->process, number, status);
    if (number == CALL_CALL || number == CALL_REPLY_WAIT) {
        memset(arch_frame_message(&self->frame), 0, MESSAGE_WORDS * sizeof(uint64_t));
    }
    arch_frame_answer(&self->frame, status, no_words);
}

void call_settle(struct thread *self) {
    if (self->call_again) {
        self->call_again = false;
        arch_frame_again(&self->frame);
    }
}

void call_make(struct thread *self) {
    uint64_t arg[6];
    uint64_t number = arch_frame_call(&self->frame, arg);
    cpu_count(COUNT_SYSCALL);
    self->process->calls++;
    long status = number < CALL_COUNT ? call_decoders[number](self) : ERR_NO_CALL;
    if (status >= 0) {
        arch_frame_answer(&self->frame, status, (const uint64_t[4]){});
    } else if (status > CALL_PENDING) {
        call_refuse(self, status);
        call_settle(self);
    }
}
