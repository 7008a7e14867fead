#include "kernel/syscall.h"

#include "abi/calls.h"
#include "base/memory.h"
#include "kernel/cpu.h"
#include "kernel/process.h"
#include "kernel/slice.h"
#include "kernel/thread.h"

enum { RECLAIM_TURNS = 32 }; // shares of queued slices that are done for a call before it is refused for want of memory

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

static unsigned turns; // spent on the call under way

bool call_made_again(long status) {
    return status == ERR_NO_MEMORY && turns < RECLAIM_TURNS && slice_pending();
}

static const uint64_t no_words[4];

[[gnu::noinline, gnu::cold]] void call_refuse(struct thread *self, long status) {
    uint64_t arg[6];
    uint64_t number = arch_frame_call(&self->frame, arg);
    while (call_made_again(status)) {
        turns++;
        slice_run(SLICE_BUDGET);
        status = call_decoders[number](self);
    }
    turns = 0;
    if (status <= CALL_PENDING) {
        return;
    }
    if (status < 0) {
        call_count_refusal(self->process, number, status);
        if (number == CALL_CALL || number == CALL_REPLY_WAIT) {
            memset(arch_frame_message(&self->frame), 0, MESSAGE_WORDS * sizeof(uint64_t));
        }
    }
    arch_frame_answer(&self->frame, status, no_words);
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
    }
}
