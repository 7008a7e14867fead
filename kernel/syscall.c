#include "kernel/syscall.h"

#include "abi/calls.h"
#include "kernel/cpu.h"
#include "kernel/process.h"
#include "kernel/thread.h"

static bool in_progress; // under the kernel lock there is one at most

void call_make(struct thread *self) {
    uint64_t arg[6];
    struct call_results results;
    uint64_t number = arch_frame_call(&self->frame, arg);
    cpu_count(COUNT_SYSCALL);
    self->process->calls++;
    in_progress = true;
    long status = call_dispatch(self, number, arg, &results);
    in_progress = false;
    if (status == CALL_PENDING) {
        return;
    }
    if (status < 0) {
        cpu_count(COUNT_SYSCALL_ERROR);
        self->process->call_errors++;
    }
    arch_frame_answer(&self->frame, status, results.word);
}

bool call_in_progress(void) {
    return in_progress;
}
