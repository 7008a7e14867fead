#include "plic.h"

#include "machine.h"
#include "map.h"

// Offsets of the registers.
enum { PRIORITY = 0, ENABLE = 0x2000, ENABLE_STRIDE = 0x80, CONTEXT = 0x200000, CONTEXT_STRIDE = 0x1000 };
enum { CONTEXT_THRESHOLD = 0, CONTEXT_CLAIM = 4 };
enum { SOURCES_MAX = 1024 };

static volatile uint32_t *priorities, *enables, *context;

bool riscv_plic_init(void) {
    const typeof(riscv_machine.controller) *c = &riscv_machine.controller;
    priorities = (volatile uint32_t *)riscv_window_map(c->base + PRIORITY, SOURCES_MAX * 4);
    enables = (volatile uint32_t *)riscv_window_map(c->base + ENABLE + c->context * ENABLE_STRIDE, ENABLE_STRIDE);
    context = (volatile uint32_t *)riscv_window_map(c->base + CONTEXT + c->context * CONTEXT_STRIDE, CONTEXT_STRIDE);
    if (priorities == nullptr || enables == nullptr || context == nullptr) {
        return false;
    }
    for (unsigned i = 0; i <= c->sources / 32 && i < ENABLE_STRIDE / 4; i++) {
        enables[i] = 0;
    }
    context[CONTEXT_THRESHOLD / 4] = 0;
    return true;
}

void riscv_plic_enable(uint32_t source) {
    if (source <= riscv_machine.controller.sources && source < SOURCES_MAX) {
        priorities[source] = 1;
        enables[source / 32] |= 1u << source % 32;
    }
}

uint32_t riscv_plic_claim(void) {
    return context[CONTEXT_CLAIM / 4];
}

void riscv_plic_complete(uint32_t source) {
    context[CONTEXT_CLAIM / 4] = source;
}
