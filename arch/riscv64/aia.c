#include "aia.h"

#include "instructions.h"
#include "machine.h"
#include "map.h"

// Registers of an APLIC domain.
enum {
    DOMAIN = 0x0000,
    SOURCE = 0x0004, // of source 1; the others follow
    PENDING_BY_NUMBER = 0x1cdc,
    INPUT = 0x1d00, // a bit per source: asserted at this moment
    ENABLE_BY_NUMBER = 0x1edc,
    DISABLE = 0x1f00, // a bit per source
    TARGET = 0x3004,  // of source 1
    DELIVERY = 0x4000,
    DELIVERY_STRIDE = 32,
};
enum { DELIVERY_ENABLE = 0, DELIVERY_THRESHOLD = 8, DELIVERY_CLAIM = 0x1c };
enum : uint32_t {
    DOMAIN_ENABLE = 1 << 8,
    DOMAIN_MESSAGES = 1 << 2,
    SOURCE_LEVEL_HIGH = 6,
    TARGET_PRIORITY = 1,
    TARGET_HART_SHIFT = 18,
};

// Registers of the hart's interrupt file, behind siselect and sireg.
enum { FILE_DELIVERY = 0x70, FILE_THRESHOLD = 0x72, FILE_ENABLE = 0xc0 };

// The identity that a source is sent as is its number.
enum { IDENTITIES = 64, SOURCES_MAX = 1024 };

static volatile uint32_t *domain;
static bool by_message;

static void file_write(unsigned reg, uint64_t value) {
    riscv_csr_write(0x150, reg);   // siselect
    riscv_csr_write(0x151, value); // sireg
}

static uint64_t file_read(unsigned reg) {
    riscv_csr_write(0x150, reg);
    return riscv_csr_read(0x151);
}

bool riscv_aia_init(void) {
    const typeof(riscv_machine.controller) *c = &riscv_machine.controller;
    domain = (volatile uint32_t *)riscv_window_map(c->base, c->size < 0x8000 ? c->size : 0x8000);
    if (domain == nullptr) {
        return false;
    }
    by_message = c->kind == RISCV_APLIC_IMSIC;
    for (unsigned i = 0; i <= c->sources / 32 && i < SOURCES_MAX / 32; i++) {
        domain[DISABLE / 4 + i] = UINT32_MAX;
    }
    if (by_message) {
        file_write(FILE_ENABLE, 0);
        file_write(FILE_THRESHOLD, 0);
        file_write(FILE_DELIVERY, 1);
        domain[DOMAIN / 4] = DOMAIN_ENABLE | DOMAIN_MESSAGES;
    } else {
        volatile uint32_t *delivery = domain + (DELIVERY + c->context * DELIVERY_STRIDE) / 4;
        delivery[DELIVERY_THRESHOLD / 4] = 0;
        delivery[DELIVERY_ENABLE / 4] = 1;
        domain[DOMAIN / 4] = DOMAIN_ENABLE;
    }
    return true;
}

void riscv_aia_enable(uint32_t source) {
    const typeof(riscv_machine.controller) *c = &riscv_machine.controller;
    if (source >= (by_message ? IDENTITIES : SOURCES_MAX)) {
        return;
    }
    domain[SOURCE / 4 + source - 1] = SOURCE_LEVEL_HIGH;
    if (by_message) {
        domain[TARGET / 4 + source - 1] = c->imsic.index << TARGET_HART_SHIFT | source;
        file_write(FILE_ENABLE, file_read(FILE_ENABLE) | 1ull << source);
    } else {
        domain[TARGET / 4 + source - 1] = c->context << TARGET_HART_SHIFT | TARGET_PRIORITY;
    }
    domain[ENABLE_BY_NUMBER / 4] = source;
}

uint32_t riscv_aia_claim(void) {
    if (by_message) {
        uint64_t top;
        __asm__ volatile("csrrw %0, 0x15c, zero" : "=r"(top)::"memory"); // stopei
        return (uint32_t)(top >> 16);
    }
    const volatile uint32_t *delivery = domain + (DELIVERY + riscv_machine.controller.context * DELIVERY_STRIDE) / 4;
    return delivery[DELIVERY_CLAIM / 4] >> 16;
}

// The domain sends a level as a message when it rises, and then heeds it no more until it has been low. One that has stayed
// high through its service is to be sent again; one that is low must not be, or it would be served without end: not every
// domain refuses to. What rises after the look is sent because it rises. The look follows the claim, so a message that the
// claim took along with the first is not missed, and what the service did to the device, so that shows in the level.
void riscv_aia_complete(uint32_t source) {
    if (!by_message) {
        return;
    }
    riscv_fence();
    if ((domain[INPUT / 4 + source / 32] >> source % 32 & 1) != 0) {
        domain[PENDING_BY_NUMBER / 4] = source;
    }
}
