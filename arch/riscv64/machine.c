#include "machine.h"

#include "base/format.h"
#include "base/str.h"

enum { CAUSE_SUPERVISOR_EXTERNAL = 9 };

struct riscv_machine riscv_machine;

// ---- processors ------------------------------------------------------------------------------------------------------

// Whether an ISA string such as "rv64imafdc_zicsr_sstc" names a single-letter extension.
static bool has_letter(const char *isa, char letter) {
    for (const char *at = isa + 4; isa[0] != '\0' && *at != '\0' && *at != '_'; at++) {
        if (*at == letter || (*at == 'g' && (letter == 'd' || letter == 'f'))) {
            return true;
        }
        if (*at == 'z' || *at == 's' || *at == 'x') { // names of more letters follow
            return false;
        }
    }
    return false;
}

static uint32_t controller_of(struct fdt_node cpu) {
    unsigned depth = cpu.depth;
    while (fdt_next_below(&cpu, depth)) {
        struct fdt_value value;
        if (cpu.depth == depth + 1 && fdt_property(&cpu, "interrupt-controller", &value)) {
            return fdt_property_u32(&cpu, "phandle", 0);
        }
    }
    return 0;
}

static void read_boot_cpu(const struct fdt_node *cpu) {
    struct riscv_machine *m = &riscv_machine;
    const char *isa = fdt_property_string(cpu, "riscv,isa");
    str_copy(m->isa, sizeof m->isa, isa != nullptr ? isa : "");
    m->has_double = strlen(m->isa) > 4 && has_letter(m->isa, 'd') && has_letter(m->isa, 'f');
    if (m->timebase_hz == 0) {
        m->timebase_hz = fdt_property_u32(cpu, "timebase-frequency", 0);
    }
}

static void read_cpus(const struct fdt *fdt, uint64_t boot_hart) {
    struct riscv_machine *m = &riscv_machine;
    m->hart[0] = boot_hart;
    m->cpu_count = 1;
    struct fdt_node node;
    if (!fdt_find(fdt, "/cpus", &node)) {
        return;
    }
    m->timebase_hz = fdt_property_u32(&node, "timebase-frequency", 0);
    unsigned depth = node.depth;
    while (fdt_next_below(&node, depth)) {
        const char *type = fdt_property_string(&node, "device_type");
        uint64_t hart;
        if (node.depth != depth + 1 || type == nullptr || !str_equal(type, "cpu") || !fdt_unit(&node, &hart)) {
            continue;
        }
        if (hart == boot_hart) {
            m->hart_controller[0] = controller_of(node);
            read_boot_cpu(&node);
        } else if (fdt_enabled(&node) && m->cpu_count < CPU_MAX) {
            m->hart_controller[m->cpu_count] = controller_of(node);
            m->hart[m->cpu_count++] = hart;
        }
    }
}

// ---- interrupts ------------------------------------------------------------------------------------------------------

static uint32_t parent_of(const struct fdt *fdt, const struct fdt_node *node) {
    uint32_t parent = fdt_property_u32(node, "interrupt-parent", 0);
    for (unsigned depth = node->depth; parent == 0 && depth > 0; depth--) {
        struct fdt_node above = *node;
        above.depth = depth - 1;
        parent = fdt_property_u32(&above, "interrupt-parent", 0);
    }
    (void)fdt;
    return parent;
}

// Which of the pairs in "interrupts-extended" is the boot hart's supervisor external interrupt. False: none.
static bool boot_hart_index(const struct fdt_node *node, uint32_t *index) {
    struct fdt_value value;
    if (!fdt_property(node, "interrupts-extended", &value)) {
        return false;
    }
    uint32_t phandle, cause;
    for (uint32_t i = 0; fdt_cell(&value, i * 2, &phandle) && fdt_cell(&value, i * 2 + 1, &cause); i++) {
        if (phandle == riscv_machine.hart_controller[0] && cause == CAUSE_SUPERVISOR_EXTERNAL) {
            *index = i;
            return true;
        }
    }
    return false;
}

static void read_aplic(const struct fdt *fdt, const struct fdt_node *node) {
    typeof(riscv_machine.controller) *c = &riscv_machine.controller;
    c->sources = fdt_property_u32(node, "riscv,num-sources", 0);
    if (boot_hart_index(node, &c->context)) {
        c->kind = RISCV_APLIC;
        return;
    }
    struct fdt_node imsic;
    if (fdt_find_phandle(fdt, fdt_property_u32(node, "msi-parent", 0), &imsic) &&
        fdt_compatible(&imsic, "riscv,imsics") && fdt_reg(&imsic, 0, &c->imsic.base, &c->imsic.size) &&
        boot_hart_index(&imsic, &c->imsic.index)) {
        c->kind = RISCV_APLIC_IMSIC;
        c->imsic.identities = fdt_property_u32(&imsic, "riscv,num-ids", 0);
        c->imsic.index_bits = fdt_property_u32(&imsic, "riscv,guest-index-bits", 0);
    }
}

static void read_controller(const struct fdt *fdt) {
    typeof(riscv_machine.controller) *c = &riscv_machine.controller;
    struct fdt_node node;
    if (riscv_machine.uart.parent == 0 || !fdt_find_phandle(fdt, riscv_machine.uart.parent, &node) ||
        !fdt_reg(&node, 0, &c->base, &c->size)) {
        return;
    }
    if (fdt_compatible(&node, "riscv,plic0") || fdt_compatible(&node, "sifive,plic-1.0.0")) {
        c->sources = fdt_property_u32(&node, "riscv,ndev", 0);
        c->kind = boot_hart_index(&node, &c->context) ? RISCV_PLIC : RISCV_NO_CONTROLLER;
    } else if (fdt_compatible(&node, "riscv,aplic")) {
        read_aplic(fdt, &node);
    }
}

// ---- devices ---------------------------------------------------------------------------------------------------------

// The node of the console: /chosen/stdout-path, up to a colon; or the first UART there is.
static bool find_uart(const struct fdt *fdt, struct fdt_node *node) {
    struct fdt_node chosen;
    const char *path = nullptr;
    if (fdt_find(fdt, "/chosen", &chosen)) {
        path = fdt_property_string(&chosen, "stdout-path");
    }
    if (path != nullptr) {
        char text[128];
        size_t length = 0;
        while (path[length] != '\0' && path[length] != ':') {
            length++;
        }
        if (str_copy_bytes(text, sizeof text, path, length) < sizeof text && fdt_find(fdt, text, node) &&
            fdt_compatible(node, "ns16550a")) {
            return true;
        }
    }
    *node = fdt_root(fdt);
    while (fdt_next(node)) {
        if (fdt_compatible(node, "ns16550a") && fdt_enabled(node)) {
            return true;
        }
    }
    return false;
}

static void read_uart(const struct fdt *fdt) {
    typeof(riscv_machine.uart) *uart = &riscv_machine.uart;
    struct fdt_node node;
    if (!find_uart(fdt, &node) || !fdt_reg(&node, 0, &uart->base, &uart->size)) {
        uart->base = 0;
        return;
    }
    uart->shift = fdt_property_u32(&node, "reg-shift", 0);
    uart->width = fdt_property_u32(&node, "reg-io-width", 1);
    uart->source = fdt_property_u32(&node, "interrupts", 0);
    uart->parent = parent_of(fdt, &node);
}

static void read_test_device(const struct fdt *fdt) {
    struct fdt_node node = fdt_root(fdt);
    uint64_t size;
    while (fdt_next(&node)) {
        if (fdt_compatible(&node, "sifive,test0")) {
            if (!fdt_reg(&node, 0, &riscv_machine.test_device, &size)) {
                riscv_machine.test_device = 0;
            }
            return;
        }
    }
}

void riscv_machine_read(const struct fdt *fdt, uint64_t boot_hart) {
    struct fdt_node root = fdt_root(fdt);
    const char *model = fdt_property_string(&root, "model");
    str_copy(riscv_machine.model, sizeof riscv_machine.model, model != nullptr ? model : "");
    read_cpus(fdt, boot_hart);
    read_uart(fdt);
    read_controller(fdt);
    read_test_device(fdt);
}
