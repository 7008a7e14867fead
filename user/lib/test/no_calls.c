// A kernel that has no calls.
#include "abi/abi.h"
#include "arch_call.h"

long arch_call(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t results[4]) {
    for (int i = 0; i < 4; i++) {
        results[i] = 0;
    }
    return ERR_NO_CALL;
}
