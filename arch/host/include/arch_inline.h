// Bodies of the seam's inline functions (kernel/include/arch.h) for the host.
#pragma once

#include "base/bits.h"

extern unsigned char *host_direct_map; // where physical address 0 would be

void host_cpu_relax(void);
uint64_t host_stamp(void);

static inline void *arch_phys_to_virt(paddr_t address) {
    return (void *)((uintptr_t)host_direct_map + address);
}

static inline paddr_t arch_virt_to_phys(const void *pointer) {
    return (uintptr_t)pointer - (uintptr_t)host_direct_map;
}

static inline void arch_cpu_relax(void) {
    host_cpu_relax();
}

static inline uint64_t arch_frame_call(const struct arch_frame *frame, uint64_t arg[6]) {
    for (unsigned i = 0; i < 6; i++) {
        arg[i] = frame->arg[i];
    }
    return frame->number;
}

static inline void arch_frame_number(struct arch_frame *frame, uint64_t number) {
    frame->number = number;
}

static inline void arch_frame_argument(struct arch_frame *frame, unsigned index, uint64_t value) {
    frame->arg[index] = value;
}

static inline uint64_t *arch_frame_message(struct arch_frame *frame) {
    return frame->message;
}

static inline uint64_t arch_stamp(void) {
    return host_stamp();
}

static inline bool arch_frame_is_call(const struct arch_frame *frame) {
    return !frame->again;
}

static inline bool arch_fast_bulk_in(void *to, uint64_t from, size_t length) {
    return arch_user_copy_in(to, from, length);
}

static inline bool arch_fast_bulk_out(uint64_t to, const void *from, size_t length) {
    return arch_user_copy_out(to, from, length);
}

static inline void arch_fast_space(struct arch_space *space) {
    arch_space_switch(space);
}

[[gnu::always_inline]] static inline void arch_fast_space_last(struct arch_space *space, bool here) {
    if (!here) {
        arch_fast_space(space);
    }
}

static inline void arch_frame_answer(struct arch_frame *frame, int64_t status, const uint64_t word[4]) {
    frame->status = status;
    for (unsigned i = 0; i < 4; i++) {
        frame->word[i] = word[i];
    }
    frame->answers++;
}

#define ARCH_FAST_WORDS(status, word0, word1, word2, word3, self) word0, status, word1, word2, word3, self

static inline bool host_user_range(uint64_t va, size_t length) {
    return va < ARCH_USER_TOP && length <= ARCH_USER_TOP - va;
}

static inline bool arch_fast_copy_in(void *to, uint64_t va, size_t length) {
    return host_user_range(va, length) && arch_user_copy_in(to, va, length);
}

static inline bool arch_fast_copy_out(uint64_t va, const void *from, size_t length) {
    return host_user_range(va, length) && arch_user_copy_out(va, from, length);
}

static inline uint64_t arch_fast_width(uint64_t word) {
    return bits_highest(word << 1 | 1);
}

static inline void arch_fast_frames(void) {}

static inline uint64_t arch_fast_stay(struct thread *self) {
    return (uint64_t)self;
}
