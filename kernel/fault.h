// Reports of faults, for people. A user fault's report goes to the console, to the log and into process->fault_text; a
// kernel fault's straight to the console.
#pragma once

#include "base/types.h"

struct arch_frame;
struct fault;
struct thread;

// self has committed a fault that ends its process; status is why a page fault could not be resolved. Its address space
// is in place. Needs the kernel lock.
void fault_report(struct thread *self, const struct fault *fault, status_t status);
// The kernel itself has faulted: report and stop.
[[noreturn]] void fault_kernel_report(const struct arch_frame *frame, const struct fault *fault);
