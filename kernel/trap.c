#include "kernel/include/trap.h"

#include "kernel/console.h"
#include "kernel/cpu.h"
#include "kernel/fault.h"
#include "kernel/lock.h"
#include "kernel/panic.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/slice.h"
#include "kernel/syscall.h"
#include "kernel/thread.h"
#include "kernel/tlb.h"

enum {
    SLICE_TICK = 100000, // nanoseconds after which a busy CPU does the next share of queued slices
};

// What runs next. While work is queued, the timer sees to it that it goes on: on a busy CPU after a while, on an idle one
// at once (sched_pick); so interrupts get their turn.
static struct thread *choose(struct cpu *cpu) {
    struct thread *next = cpu->resched || cpu->current == nullptr ? sched_pick() : cpu->current;
    if (next != nullptr && slice_pending()) {
        cpu_arm(cpu, arch_time_now() + SLICE_TICK);
    }
    return next;
}

// Leave the kernel: drop a thread that was ended, do a share of the queued slices, choose what runs.
[[gnu::noinline]] static struct thread *leave(void) {
    struct cpu *cpu = arch_cpu_current();
    if (cpu->current != nullptr && thread_doomed(cpu->current)) {
        thread_drop(cpu->current);
    }
    if (slice_pending()) {
        slice_run(SLICE_BUDGET);
    }
    return choose(cpu);
}

// A field of this CPU's struct cpu, whose address need not be kept meanwhile.
#define TRAP_CPU(field) ARCH_CPU_FIELD(struct cpu, field)

// A call that leaves its caller the best choice comes straight through. Who ends the thread that a CPU runs asks that CPU to
// choose anew (thread_end, process_end), so one look tells of that too.
struct thread *trap_syscall(struct thread *self) {
    kernel_lock_counted(arch_cpu_current());
    if (!TRAP_CPU(resched) || !thread_doomed(self)) {
        call_make(self);
    } else {
        kernel_lock_count();
    }
    struct thread *next = TRAP_CPU(resched) || slice_pending() ? leave() : self;
    kernel_unlock_counted();
    return next;
}

struct thread *trap_settle(void) {
    call_settle(TRAP_CPU(current));
    struct thread *next = leave();
    kernel_unlock_counted();
    return next;
}

struct thread *trap_fault(struct thread *self, const struct fault *fault) {
    kernel_lock();
    KASSERT(arch_cpu_current()->current == self);
    cpu_count(COUNT_FAULT);
    if (!thread_doomed(self)) {
        status_t status = ERR_FAULT;
        if (fault->kind == FAULT_PAGE && fault->address >= ARCH_USER_BASE && fault->address < ARCH_USER_TOP) {
            status = space_fault(&self->process->space, fault->address, fault->access);
        }
        // While slices are queued, memory is on its way back: leaving does a share of them, then the access is tried again.
        if (status < 0 && !(status == ERR_NO_MEMORY && slice_pending())) {
            cpu_count(COUNT_FAULT_FATAL);
            fault_report(self, fault, status);
            process_end(self->process, PROCESS_FAULTED, -1);
        }
    }
    struct thread *next = leave();
    kernel_unlock();
    return next;
}

void trap_kernel_fault(const struct arch_frame *frame, const struct fault *fault) {
    fault_kernel_report(frame, fault);
}

void trap_timer(void) {
    kernel_lock();
    struct cpu *cpu = arch_cpu_current();
    cpu->count[COUNT_TIMER]++;
    sched_timer_came(cpu);
    timer_run(cpu, arch_time_now());
    cpu->resched = true; // the timer is armed anew with the choice
    kernel_unlock();
}

void trap_ipi(void) {
    // Without the lock: its holder may be waiting for this. What else there is to do is found by the choice that follows.
    tlb_answer();
    cpu_count(COUNT_IPI);
}

void trap_console(void) {
    kernel_lock();
    cpu_count(COUNT_CONSOLE);
    console_receive();
    kernel_unlock();
}

void trap_spurious(void) {
    cpu_count(COUNT_SPURIOUS);
}

struct thread *trap_resume(void) {
    kernel_lock();
    struct thread *next = leave();
    kernel_unlock();
    return next;
}

struct thread *trap_idle(void) {
    kernel_lock();
    if (slice_pending()) {
        slice_run(SLICE_BUDGET);
    }
    struct thread *next = choose(arch_cpu_current());
    kernel_unlock();
    return next;
}
