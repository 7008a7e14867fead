// Input comes by interrupt.
#include "console.h"

#include "kernel/include/arch.h"

#include "irq.h"
#include "machine.h"
#include "map.h"
#include "sbi.h"

enum {
    DATA = 0,
    INTERRUPTS = 1,
    FIFO = 2,
    LINE = 3,
    MODEM = 4,
    LINE_STATUS = 5,
};

enum {
    INTERRUPT_RECEIVED = 1,
    FIFO_ENABLE_CLEAR = 7,
    LINE_8N1 = 3,
    MODEM_READY = 3,
    MODEM_INTERRUPTS = 8,
    STATUS_RECEIVED = 1,
    STATUS_EMPTY = 0x20, // of the FIFO
    STATUS_SENT = 0x40,
};

enum { FIFO_SIZE = 16 };

static volatile uint8_t *uart; // null: not found yet
static unsigned shift, width;

static uint8_t get_register(unsigned number) {
    volatile uint8_t *at = uart + (number << shift);
    return width == 4 ? (uint8_t)*(volatile uint32_t *)at : *at;
}

static void set_register(unsigned number, uint8_t value) {
    volatile uint8_t *at = uart + (number << shift);
    if (width == 4) {
        *(volatile uint32_t *)at = value;
    } else {
        *at = value;
    }
}

// The rate stays what the firmware has set: it has talked by it.
void riscv_console_init(void) {
    if (riscv_machine.uart.base == 0) {
        return;
    }
    shift = riscv_machine.uart.shift;
    width = riscv_machine.uart.width;
    uart = (volatile uint8_t *)riscv_window_map(riscv_machine.uart.base, 8ull << shift);
    if (uart == nullptr) {
        return;
    }
    set_register(INTERRUPTS, 0);
    set_register(LINE, LINE_8N1);
    set_register(FIFO, FIFO_ENABLE_CLEAR);
    set_register(MODEM, MODEM_READY);
}

// The firmware waits for the line itself: it gets no more at once than such a line takes without. It (OpenSBI) also puts a
// carriage return before each line end: one that comes there is left out.
static size_t put_by_firmware(const char *text, size_t length) {
    static bool returned; // the last byte was a carriage return, and has not been put
    size_t taken = length < FIFO_SIZE ? length : FIFO_SIZE;
    for (size_t i = 0; i < taken; i++) {
        if (returned && text[i] != '\n') {
            riscv_sbi_put('\r');
        }
        returned = text[i] == '\r';
        if (!returned) {
            riscv_sbi_put(text[i]);
        }
    }
    return taken;
}

// An empty FIFO takes as many bytes as it has room for.
size_t arch_console_put(const char *text, size_t length) {
    if (uart == nullptr) {
        return put_by_firmware(text, length);
    }
    size_t taken = 0;
    while (taken < length && (get_register(LINE_STATUS) & STATUS_EMPTY) != 0) {
        size_t end = length - taken < FIFO_SIZE ? length : taken + FIFO_SIZE;
        while (taken < end) {
            set_register(DATA, (uint8_t)text[taken++]);
        }
    }
    return taken;
}

bool arch_console_sent(void) {
    return uart == nullptr || (get_register(LINE_STATUS) & STATUS_SENT) != 0;
}

int arch_console_read(void) {
    if (uart == nullptr || (get_register(LINE_STATUS) & STATUS_RECEIVED) == 0) {
        return -1;
    }
    return get_register(DATA);
}

void arch_console_enable(void) {
    if (uart == nullptr) {
        return;
    }
    riscv_irq_enable(riscv_machine.uart.source);
    set_register(INTERRUPTS, INTERRUPT_RECEIVED);
    set_register(MODEM, MODEM_READY | MODEM_INTERRUPTS);
}
