// Bodies of the seam's inline functions (kernel/include/arch.h) for arm64.
#pragma once

#define ARM64_DIRECT_MAP 0xffff000000000000u // all RAM, from physical address 0
#define ARM64_IMAGE      0xffffffff80000000u // the kernel image, wherever it was loaded

extern uint64_t arm64_image_offset; // of the image: its address minus where it was loaded

static inline void *arch_phys_to_virt(paddr_t address) {
    return (void *)(address + ARM64_DIRECT_MAP);
}

static inline paddr_t arch_virt_to_phys(const void *pointer) {
    uint64_t va = (uint64_t)pointer;
    return va >= ARM64_IMAGE ? va - arm64_image_offset : va - ARM64_DIRECT_MAP;
}

static inline void arch_cpu_relax(void) {
    __asm__ volatile("yield");
}

static inline uint64_t arch_frame_call(const struct arch_frame *frame, uint64_t arg[6]) {
    for (unsigned i = 0; i < 6; i++) {
        arg[i] = frame->x[i];
    }
    return frame->x[8];
}

static inline void arch_frame_number(struct arch_frame *frame, uint64_t number) {
    frame->x[8] = number;
}

// x19 to x22.
static inline uint64_t *arch_frame_message(struct arch_frame *frame) {
    return &frame->x[19];
}

static inline uint64_t arch_stamp(void) {
    uint64_t ticks;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
}

// ---- fast paths ----

[[gnu::always_inline]] static inline void arch_fast_space(struct arch_space *space) {
    arch_space_switch(space);
}

// The frame was marked as that of a call at entry.
static inline void arch_fast_resume(struct thread *, struct thread *) {}

// The registers that carry no answer are cleared on the way out (entry.S): a call's frame is always minimal.
static inline void arch_frame_answer(struct arch_frame *frame, int64_t status, const uint64_t word[4]) {
    frame->x[0] = (uint64_t)status;
    for (unsigned i = 0; i < 4; i++) {
        frame->x[i + 1] = word[i];
    }
}
