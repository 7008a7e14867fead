#include "irq.h"

#include "kernel/include/trap.h"

#include "aia.h"
#include "instructions.h"
#include "layout.h"
#include "machine.h"
#include "plic.h"

enum { TURNS_MAX = 64 }; // sources that one interrupt takes: what is still pending then interrupts again

static enum riscv_controller_kind kind;

void riscv_irq_init(void) {
    bool ready = false;
    switch (riscv_machine.controller.kind) {
    case RISCV_PLIC:
        ready = riscv_plic_init();
        break;
    case RISCV_APLIC:
    case RISCV_APLIC_IMSIC:
        ready = riscv_aia_init();
        break;
    case RISCV_NO_CONTROLLER:
        break;
    }
    if (ready) {
        kind = riscv_machine.controller.kind;
        riscv_csr_set(sie, RISCV_INTERRUPT_EXTERNAL);
    }
}

void riscv_irq_enable(uint32_t source) {
    if (source == 0) {
        return;
    }
    if (kind == RISCV_PLIC) {
        riscv_plic_enable(source);
    } else if (kind != RISCV_NO_CONTROLLER) {
        riscv_aia_enable(source);
    }
}

void riscv_irq_handle(void) {
    for (unsigned i = 0; i < TURNS_MAX; i++) {
        uint32_t source = kind == RISCV_PLIC ? riscv_plic_claim() : riscv_aia_claim();
        if (source == 0) {
            if (i == 0) {
                trap_spurious();
            }
            return;
        }
        if (source == riscv_machine.uart.source) {
            trap_console();
        } else {
            trap_spurious();
        }
        if (kind == RISCV_PLIC) {
            riscv_plic_complete(source);
        } else {
            riscv_aia_complete(source);
        }
    }
}
