#include "apic.h"

#include "acpi.h"
#include "instructions.h"
#include "layout.h"
#include "map.h"
#include "processor.h"
#include "vectors.h"

enum { MSR_APIC_BASE = 0x1b, MSR_X2APIC = 0x800 };
enum { BASE_X2APIC = 1 << 10, BASE_ENABLE = 1 << 11 };

// Registers, by their offset in the memory page; in x2APIC mode they are MSRs.
enum apic_register {
    APIC_ID = 0x20,
    APIC_TASK_PRIORITY = 0x80,
    APIC_END = 0xb0,
    APIC_SPURIOUS = 0xf0,
    APIC_COMMAND = 0x300,
    APIC_COMMAND_HIGH = 0x310,
    APIC_TIMER = 0x320,
    APIC_THERMAL = 0x330,
    APIC_PERFORMANCE = 0x340,
    APIC_LINE0 = 0x350,
    APIC_LINE1 = 0x360,
    APIC_ERROR = 0x370,
    APIC_TIMER_COUNT = 0x380,
    APIC_TIMER_LEFT = 0x390,
    APIC_TIMER_DIVIDE = 0x3e0,
};

enum {
    SPURIOUS_ENABLE = 1 << 8,
    MASKED = 1 << 16,
    TIMER_DEADLINE = 2 << 17,
    DIVIDE_BY_1 = 0xb,
    COMMAND_NMI = 4 << 8,
    COMMAND_INIT = 5 << 8,
    COMMAND_STARTUP = 6 << 8,
    COMMAND_PENDING = 1 << 12,
    COMMAND_ASSERT = 1 << 14,
    COMMAND_OTHERS = 3 << 18,
};

static volatile uint32_t *local; // null in x2APIC mode
static volatile uint32_t *io;    // null: none
static uint32_t boot_apic_id;
static bool ready;

static uint32_t apic_read(enum apic_register reg) {
    return local != nullptr ? local[reg / 4] : (uint32_t)x86_read_msr(MSR_X2APIC + reg / 16);
}

static void apic_write(enum apic_register reg, uint32_t value) {
    if (local != nullptr) {
        local[reg / 4] = value;
    } else {
        x86_write_msr(MSR_X2APIC + reg / 16, value);
    }
}

// ---- legacy controllers ----------------------------------------------------------------------------------------------

// Vectors out of the way of exceptions, then everything masked.
static void legacy_mask(void) {
    enum { COMMAND1 = 0x20, DATA1 = 0x21, COMMAND2 = 0xa0, DATA2 = 0xa1 };
    x86_out8(COMMAND1, 0x11);
    x86_out8(COMMAND2, 0x11);
    x86_out8(DATA1, X86_VECTOR_LEGACY);
    x86_out8(DATA2, X86_VECTOR_LEGACY + 8);
    x86_out8(DATA1, 4);
    x86_out8(DATA2, 2);
    x86_out8(DATA1, 1);
    x86_out8(DATA2, 1);
    x86_out8(DATA1, 0xff);
    x86_out8(DATA2, 0xff);
}

// ---- I/O APIC --------------------------------------------------------------------------------------------------------

enum { IO_VERSION = 1, IO_REDIRECTION = 0x10 };

static uint32_t io_read(unsigned reg) {
    io[0] = reg;
    return io[4];
}

static void io_write(unsigned reg, uint32_t value) {
    io[0] = reg;
    io[4] = value;
}

static void io_init(void) {
    if (x86_acpi.io_apic == 0) {
        return;
    }
    io =
        (volatile uint32_t *)x86_window_map(x86_acpi.io_apic, 0x20, X86_PTE_WRITE | X86_PTE_UNCACHED | X86_PTE_NO_EXEC);
    if (io == nullptr) {
        return;
    }
    unsigned inputs = (io_read(IO_VERSION) >> 16 & 0xff) + 1;
    for (unsigned input = 0; input < inputs; input++) {
        io_write(IO_REDIRECTION + input * 2, MASKED);
    }
}

void x86_apic_route_isa(unsigned irq, unsigned vector) {
    if (io == nullptr || boot_apic_id > 0xff) {
        return;
    }
    uint32_t input = x86_acpi.isa[irq].input;
    if (input > (io_read(IO_VERSION) >> 16 & 0xff)) {
        return;
    }
    uint32_t flags = (x86_acpi.isa[irq].low ? 1u << 13 : 0) | (x86_acpi.isa[irq].level ? 1u << 15 : 0);
    io_write(IO_REDIRECTION + input * 2 + 1, boot_apic_id << 24);
    io_write(IO_REDIRECTION + input * 2, flags | vector);
}

// ---- local APIC ------------------------------------------------------------------------------------------------------

void x86_apic_init(void) {
    legacy_mask();
    uint64_t base = x86_read_msr(MSR_APIC_BASE);
    if (!x86_features.x2apic) {
        local = (volatile uint32_t *)x86_window_map(base & X86_PTE_ADDRESS, 4096,
                                                    X86_PTE_WRITE | X86_PTE_UNCACHED | X86_PTE_NO_EXEC);
    }
    x86_apic_init_cpu();
    ready = true;
    boot_apic_id = x86_apic_id();
    io_init();
}

void x86_apic_init_cpu(void) {
    uint64_t base = x86_read_msr(MSR_APIC_BASE) | BASE_ENABLE;
    x86_write_msr(MSR_APIC_BASE, base);
    if (x86_apic_is_x2()) {
        x86_write_msr(MSR_APIC_BASE, base | BASE_X2APIC);
    }
    apic_write(APIC_SPURIOUS, SPURIOUS_ENABLE | X86_VECTOR_SPURIOUS);
    apic_write(APIC_TASK_PRIORITY, 0);
    apic_write(APIC_TIMER, MASKED);
    apic_write(APIC_THERMAL, MASKED);
    apic_write(APIC_PERFORMANCE, MASKED);
    apic_write(APIC_LINE0, MASKED);
    apic_write(APIC_LINE1, COMMAND_NMI);
    apic_write(APIC_ERROR, MASKED);
    apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
    apic_write(APIC_TIMER, X86_VECTOR_TIMER);
}

uint32_t x86_apic_id(void) {
    return local != nullptr ? apic_read(APIC_ID) >> 24 : apic_read(APIC_ID);
}

bool x86_apic_is_x2(void) {
    return local == nullptr;
}

bool x86_apic_reaches(uint32_t apic_id) {
    return x86_apic_is_x2() || apic_id < 0xff;
}

void x86_apic_end(void) {
    apic_write(APIC_END, 0);
}

// Sending makes earlier stores visible to the receiver first: x2APIC writes do not do that by themselves.
static void command(uint32_t apic_id, uint32_t what) {
    if (local == nullptr) {
        __asm__ volatile("mfence; lfence" ::: "memory");
        x86_write_msr(MSR_X2APIC + APIC_COMMAND / 16, (uint64_t)apic_id << 32 | what);
        return;
    }
    while ((apic_read(APIC_COMMAND) & COMMAND_PENDING) != 0) {
        arch_cpu_relax();
    }
    apic_write(APIC_COMMAND_HIGH, apic_id << 24);
    apic_write(APIC_COMMAND, what);
}

void x86_apic_send(uint32_t apic_id, unsigned vector) {
    command(apic_id, COMMAND_ASSERT | vector);
}

void x86_apic_send_nmi_others(void) {
    if (!ready) {
        return; // there are no others yet
    }
    command(0, COMMAND_OTHERS | COMMAND_ASSERT | COMMAND_NMI);
}

void x86_apic_send_init(uint32_t apic_id) {
    command(apic_id, COMMAND_ASSERT | COMMAND_INIT);
}

void x86_apic_send_startup(uint32_t apic_id, paddr_t page) {
    command(apic_id, COMMAND_ASSERT | COMMAND_STARTUP | (uint32_t)(page / 4096));
}

void x86_apic_timer_set_deadline_mode(void) {
    apic_write(APIC_TIMER, TIMER_DEADLINE | X86_VECTOR_TIMER);
    __asm__ volatile("mfence" ::: "memory"); // before the first write of the deadline MSR
}

void x86_apic_timer_start(uint32_t count) {
    apic_write(APIC_TIMER_COUNT, count);
}

uint32_t x86_apic_timer_left(void) {
    return apic_read(APIC_TIMER_LEFT);
}
