#include "copy.h"

#include "kernel/include/arch.h"

bool arch_user_copy_in(void *to, uint64_t from, size_t length) {
    return riscv_copy(to, (const void *)from, length);
}

bool arch_user_copy_out(uint64_t to, const void *from, size_t length) {
    return riscv_copy((void *)to, from, length);
}
