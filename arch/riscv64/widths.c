// How many bits the number in a byte has: what arch_fast_width looks up.
#include "kernel/include/arch.h"

const uint8_t riscv_widths[256] = {[1] = 1,         [2 ... 3] = 2,   [4 ... 7] = 3,    [8 ... 15] = 4,
                                   [16 ... 31] = 5, [32 ... 63] = 6, [64 ... 127] = 7, [128 ... 255] = 8};
