// What a port calls when something happens: the upward half of the seam. Interrupts are off throughout.
//
// The port saves the user registers in the current thread's frame, switches to the CPU's kernel stack and calls one of
// these. They take and release the kernel lock themselves. Those that return a thread name the one to resume: its
// address space is already in place, the port restores its frame. null means that this CPU has nothing to run: the port
// goes to its idle loop, which repeats { enable interrupts and halt until one was handled; disable; t = trap_idle(); }
// until t is not null, on the same kernel stack. trap_idle does a share of what work is queued; while there is more, it arms
// the timer, which ends the halt. In the idle loop interrupts arrive from kernel mode; for those the port
// calls trap_timer, trap_ipi, trap_console or trap_spurious and returns to the loop. For interrupts from user mode it
// calls the same, then resumes what trap_resume returns.
#pragma once

#include "base/types.h"

struct thread;
struct arch_frame;

enum fault_kind {
    FAULT_PAGE,        // address holds the address, access what was tried
    FAULT_INSTRUCTION, // undefined or privileged instruction
    FAULT_ARITHMETIC,  // divide error, vector exception
    FAULT_ALIGNMENT,
    FAULT_BREAKPOINT, // breakpoint and single step
    FAULT_PROTECTION, // any other violation (general protection, …)
    FAULT_MACHINE,    // non-maskable or machine check
};

struct fault {
    enum fault_kind kind;
    unsigned access;  // FAULT_PAGE: one ARCH_PROT_* bit
    bool present;     // FAULT_PAGE: a translation existed and forbade it
    uint64_t address; // FAULT_PAGE: what was touched
    uint64_t code;    // the port's own number and error code, for the report
    const char *name; // the port's name for it: "#PF", "data abort", …
};

[[nodiscard]] struct thread *trap_syscall(struct thread *self);                          // frame holds the call
[[nodiscard]] struct thread *trap_fault(struct thread *self, const struct fault *fault); // from user mode
[[noreturn]] void trap_kernel_fault(const struct arch_frame *frame,
                                    const struct fault *fault); // a bug: report and stop
void trap_timer(void);
void trap_ipi(void);
void trap_console(void);                        // received bytes are waiting in arch_console_read
void trap_spurious(void);                       // counted
[[nodiscard]] struct thread *trap_settle(void); // schedule, and give back the lock; by arch_fast_settle
[[nodiscard]] struct thread *trap_resume(void); // schedule; after an interrupt from user mode
[[nodiscard]] struct thread *trap_idle(void);   // work, schedule; from the idle loop
