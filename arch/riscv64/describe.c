// The port's own figures (/kern/arch).
#include "kernel/include/arch.h"

#include "base/format.h"

#include "clock.h"
#include "machine.h"
#include "map.h"
#include "sbi.h"
#include "space.h"

struct sink {
    void (*emit)(void *context, const char *text, size_t length);
    void *context;
};

[[gnu::format(printf, 2, 3)]] static void line(const struct sink *sink, const char *text, ...) {
    va_list args;
    va_start(args, text);
    format_to(sink->emit, sink->context, text, args);
    va_end(args);
}

static const char *controller_name(enum riscv_controller_kind kind) {
    switch (kind) {
    case RISCV_PLIC:
        return "plic";
    case RISCV_APLIC:
        return "aplic";
    case RISCV_APLIC_IMSIC:
        return "aplic-imsic";
    case RISCV_NO_CONTROLLER:
        break;
    }
    return "none";
}

void arch_describe(void (*emit)(void *context, const char *text, size_t length), void *context) {
    const struct sink sink = {emit, context};
    line(&sink, "machine %s\n", riscv_machine.model[0] != '\0' ? riscv_machine.model : "unnamed");
    line(&sink, "isa %s\n", riscv_machine.isa[0] != '\0' ? riscv_machine.isa : "unnamed");
    line(&sink, "mmu sv%u\n", riscv_levels == 4 ? 48 : 39);
    line(&sink, "asid_bits %u\n", riscv_space_asid_bits());
    line(&sink, "asids_used %llu\n", (unsigned long long)riscv_space_asids_used());
    line(&sink, "sbi_version %u.%u\n", riscv_sbi.version >> 24 & 0x7f, riscv_sbi.version & 0xffffff);
    line(&sink, "sbi_implementation %llu\n", (unsigned long long)riscv_sbi.implementation);
    line(&sink, "sbi_implementation_version %#llx\n", (unsigned long long)riscv_sbi.implementation_version);
    const struct {
        const char *name;
        bool present;
    } extensions[] = {
        {"time", riscv_sbi.time}, {"ipi", riscv_sbi.ipi},   {"rfence", riscv_sbi.rfence},
        {"hsm", riscv_sbi.hsm},   {"srst", riscv_sbi.srst}, {"dbcn", riscv_sbi.dbcn},
    };
    for (unsigned i = 0; i < sizeof extensions / sizeof *extensions; i++) {
        line(&sink, "sbi_%s %u\n", extensions[i].name, extensions[i].present);
    }
    line(&sink, "sstc %u\n", riscv_clock_has_sstc());
    line(&sink, "timer_hz %llu\n", (unsigned long long)riscv_machine.timebase_hz);
    line(&sink, "interrupt_controller %s\n", controller_name(riscv_machine.controller.kind));
}
