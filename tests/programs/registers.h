// All registers around one call: each that the ABI gives no meaning holds `marker` before.
#pragma once

#include "abi/abi.h"
#include "base/types.h"

struct registers {
    uint64_t number, arg[6], message[MESSAGE_WORDS], marker;
    // After the call: the status, the four results, what else must be zero or as before, and what the machine itself may have put there.
    uint64_t status, result[4], after[MESSAGE_WORDS], zero[32], free[4];
};

// In tests/programs/<machine>/registers.c. Stack and frame pointer are checked: a call that changes one is never told of,
// it ends the program.
void registers_call(struct registers *registers);
