// The console: a PL011, the one that the device tree names for output, or the first. Input comes by
// interrupt. The line's speed is as the firmware left it.
#include "console.h"

#include "base/str.h"
#include "kernel/include/arch.h"

#include "boot.h"
#include "gic.h"
#include "instructions.h"
#include "map.h"

enum pl011_register {
    DATA = 0x00,
    FLAGS = 0x18,
    LINE = 0x2c,
    CONTROL = 0x30,
    FIFO_LEVELS = 0x34,
    INTERRUPT_MASK = 0x38,
    INTERRUPT_CLEAR = 0x44,
};

enum {
    FLAG_BUSY = 1 << 3, // until the last bit has left
    FLAG_RECEIVE_EMPTY = 1 << 4,
    FLAG_TRANSMIT_FULL = 1 << 5,
    LINE_FIFO = 1 << 4,
    LINE_8_BITS = 3 << 5,
    CONTROL_ENABLE = 1 | 1 << 8 | 1 << 9, // the UART, transmission, reception
    INTERRUPT_RECEIVED = 1 << 4 | 1 << 6, // as many as the level, or some and a pause
    INTERRUPTS_ALL = 0x7ff,
};

static volatile uint8_t *uart; // null: none
static unsigned interrupt_number;

static bool is_console(const struct fdt_node *node) {
    return fdt_compatible(node, "arm,pl011") && fdt_enabled(node);
}

// The path of /chosen/stdout-path, up to its options, may be an alias.
static bool find_chosen(struct fdt_node *node) {
    char path[64];
    if (!fdt_find(&arm64_tree, "/chosen", node)) {
        return false;
    }
    const char *text = fdt_property_string(node, "stdout-path");
    if (text == nullptr) {
        return false;
    }
    size_t length = 0;
    while (text[length] != '\0' && text[length] != ':') {
        length++;
    }
    if (str_copy_bytes(path, sizeof path, text, length) >= sizeof path) {
        return false;
    }
    if (path[0] != '/') {
        text = fdt_find(&arm64_tree, "/aliases", node) ? fdt_property_string(node, path) : nullptr;
        return text != nullptr && fdt_find(&arm64_tree, text, node) && is_console(node);
    }
    return fdt_find(&arm64_tree, path, node) && is_console(node);
}

static bool find_first(struct fdt_node *node) {
    *node = fdt_root(&arm64_tree);
    while (fdt_next(node)) {
        if (is_console(node)) {
            return true;
        }
    }
    return false;
}

void arm64_console_init(void) {
    struct fdt_node node;
    uint64_t base, size;
    if ((!find_chosen(&node) && !find_first(&node)) || !fdt_reg(&node, 0, &base, &size) || size < 0x48) {
        return;
    }
    if (!arm64_boot_interrupt(&node, 0, &interrupt_number)) {
        interrupt_number = 0;
    }
    uart = arm64_window_device(base, size);
    if (uart != nullptr) {
        arm64_write32(uart + INTERRUPT_MASK, 0);
        arm64_write32(uart + INTERRUPT_CLEAR, INTERRUPTS_ALL);
        arm64_write32(uart + LINE, LINE_8_BITS | LINE_FIFO);
        arm64_write32(uart + FIFO_LEVELS, 0);
        arm64_write32(uart + CONTROL, CONTROL_ENABLE);
    }
}

unsigned arm64_console_interrupt(void) {
    return interrupt_number;
}

size_t arch_console_put(const char *text, size_t length) {
    if (uart == nullptr) {
        return length;
    }
    size_t taken = 0;
    while (taken < length && (arm64_read32(uart + FLAGS) & FLAG_TRANSMIT_FULL) == 0) {
        arm64_write32(uart + DATA, (uint8_t)text[taken++]);
    }
    return taken;
}

bool arch_console_sent(void) {
    return uart == nullptr || (arm64_read32(uart + FLAGS) & FLAG_BUSY) == 0;
}

int arch_console_read(void) {
    if (uart == nullptr || (arm64_read32(uart + FLAGS) & FLAG_RECEIVE_EMPTY) != 0) {
        return -1;
    }
    return (int)(arm64_read32(uart + DATA) & 0xff);
}

void arch_console_enable(void) {
    if (uart != nullptr && interrupt_number != 0) {
        arm64_gic->enable((struct arch_cpu *)arch_cpu_current(), interrupt_number);
        arm64_write32(uart + INTERRUPT_MASK, INTERRUPT_RECEIVED);
    }
}
