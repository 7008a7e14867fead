// The console: the first serial line, a 16550 at its usual port. Input comes by interrupt.
#include "console.h"
#include "acpi.h"
#include "apic.h"
#include "instructions.h"
#include "vectors.h"

enum {
    PORT = 0x3f8,
    DATA = PORT,           // with the divisor latch: low byte
    INTERRUPTS = PORT + 1, // with the divisor latch: high byte
    FIFO = PORT + 2,
    LINE = PORT + 3,
    MODEM = PORT + 4,
    LINE_STATUS = PORT + 5,
    SCRATCH = PORT + 7,
    IRQ = 4,
};

enum {
    INTERRUPT_RECEIVED = 1,
    FIFO_ENABLE_CLEAR = 7,
    LINE_8N1 = 3,
    LINE_DIVISOR = 0x80,
    MODEM_READY = 3,
    MODEM_INTERRUPTS = 8,
    STATUS_RECEIVED = 1,
    STATUS_EMPTY = 0x20, // of the FIFO
    STATUS_SENT = 0x40,
};

enum { FIFO_SIZE = 16 };

static bool present;

void x86_console_init(void) {
    x86_out8(SCRATCH, 0x5a);
    if (x86_in8(SCRATCH) != 0x5a) {
        return;
    }
    x86_out8(INTERRUPTS, 0);
    x86_out8(LINE, LINE_DIVISOR);
    x86_out8(DATA, 1); // 115200 baud
    x86_out8(INTERRUPTS, 0);
    x86_out8(LINE, LINE_8N1);
    x86_out8(FIFO, FIFO_ENABLE_CLEAR);
    x86_out8(MODEM, MODEM_READY);
    present = true;
}

// An empty FIFO takes as many bytes as it has room for.
size_t arch_console_put(const char *text, size_t length) {
    if (!present) {
        return length;
    }
    size_t taken = 0;
    while (taken < length && (x86_in8(LINE_STATUS) & STATUS_EMPTY) != 0) {
        size_t end = length - taken < FIFO_SIZE ? length : taken + FIFO_SIZE;
        while (taken < end) {
            x86_out8(DATA, (uint8_t)text[taken++]);
        }
    }
    return taken;
}

bool arch_console_sent(void) {
    return !present || (x86_in8(LINE_STATUS) & STATUS_SENT) != 0;
}

int arch_console_read(void) {
    if (!present || (x86_in8(LINE_STATUS) & STATUS_RECEIVED) == 0) {
        return -1;
    }
    return x86_in8(DATA);
}

void arch_console_enable(void) {
    if (!present) {
        return;
    }
    x86_apic_route_isa(IRQ, X86_VECTOR_CONSOLE);
    x86_out8(INTERRUPTS, INTERRUPT_RECEIVED);
    x86_out8(MODEM, MODEM_READY | MODEM_INTERRUPTS);
}
