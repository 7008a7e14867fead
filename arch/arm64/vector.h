// Vector state of threads beyond the seam.
#pragma once

#include "kernel/include/arch.h"

// A thread has used the vector unit. True if it was for the first time: it has a clean state now, and may go on.
[[nodiscard]] bool arm64_vector_first_use(struct thread *thread);

void arm64_vector_save(struct arch_thread *thread); // entry.S
void arm64_vector_load(const struct arch_thread *thread);
