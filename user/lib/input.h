// What a tool reads: the files that its operands name, or standard input if there are none.
#pragma once

#include "abi/abi.h"
#include "base/types.h"
#include "lib/option.h"

// Call show for each of them, with a handle open for reading that stays the caller's; several files get a heading each.
// What cannot be opened, or that show refuses with an error, is reported by name, and the others follow. Returns the
// tool's exit status: 0, or 1 if anything was reported.
int input_each(const struct option_state *state, long (*show)(handle_t handle, uint64_t argument), uint64_t argument);
