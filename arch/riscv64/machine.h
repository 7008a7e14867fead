// What the device tree tells of the machine, but for memory (boot.h).
#pragma once

#include "fdt/fdt.h"
#include "kernel/include/arch.h"

enum riscv_controller_kind { RISCV_NO_CONTROLLER, RISCV_PLIC, RISCV_APLIC, RISCV_APLIC_IMSIC };

struct riscv_machine {
    uint64_t timebase_hz;
    unsigned cpu_count; // those enabled, CPU_MAX at most; the boot hart is the first
    uint64_t hart[CPU_MAX];
    uint32_t hart_controller[CPU_MAX]; // phandle of its own interrupt controller
    char isa[128];                     // of the boot hart
    char model[64];
    bool has_double; // D and F extensions

    struct {
        paddr_t base; // 0: none
        uint64_t size;
        unsigned shift, width; // registers are 1 << shift apart and width bytes wide
        uint32_t source;       // its interrupt; 0: none
        uint32_t parent;       // phandle of the controller that takes it
    } uart;

    struct { // the external interrupt controller that the UART is wired to
        enum riscv_controller_kind kind;
        paddr_t base;
        uint64_t size;
        uint32_t sources;
        uint32_t context; // PLIC: of the boot hart; APLIC: its number in the domain
        struct {
            paddr_t base;
            uint64_t size;
            uint32_t identities;
            uint32_t index;      // of the boot hart's interrupt file
            uint32_t index_bits; // distance of files: 4096 << guest bits
        } imsic;
    } controller;

    paddr_t test_device; // QEMU's way to end with a status; 0: none
};

extern struct riscv_machine riscv_machine;

void riscv_machine_read(const struct fdt *fdt, uint64_t boot_hart); // boot CPU, once
