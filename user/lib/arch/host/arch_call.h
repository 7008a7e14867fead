// On the workstation there is no kernel below: a test says what each call gives.
#pragma once

#include "base/types.h"

long arch_call(uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5,
               uint64_t results[4]);
long arch_call_message(uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5,
                       uint64_t message[4], uint64_t results[4]);
