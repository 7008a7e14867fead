#include "acpi.h"

#include "base/memory.h"

#include "boot.h"

struct [[gnu::packed]] rsdp {
    char signature[8];
    uint8_t checksum;
    char oem[6];
    uint8_t revision;
    uint32_t rsdt;
    // from revision 2
    uint32_t length;
    uint64_t xsdt;
    uint8_t checksum_all;
    uint8_t reserved[3];
};
enum { RSDP_1_SIZE = 20 };

struct [[gnu::packed]] table {
    char signature[4];
    uint32_t length;
    uint8_t revision, checksum;
    char oem[6], oem_table[8];
    uint32_t oem_revision, creator, creator_revision;
};

struct [[gnu::packed]] madt {
    struct table header;
    uint32_t local_apic, flags;
};

struct [[gnu::packed]] madt_entry {
    uint8_t type, length;
};
enum { MADT_LOCAL_APIC = 0, MADT_IO_APIC = 1, MADT_OVERRIDE = 2, MADT_LOCAL_X2APIC = 9 };
enum { MADT_ENABLED = 1 };

struct [[gnu::packed]] madt_local_apic {
    struct madt_entry entry;
    uint8_t processor, apic_id;
    uint32_t flags;
};

struct [[gnu::packed]] madt_local_x2apic {
    struct madt_entry entry;
    uint16_t reserved;
    uint32_t apic_id, flags, processor;
};

struct [[gnu::packed]] madt_io_apic {
    struct madt_entry entry;
    uint8_t id, reserved;
    uint32_t address, first_input;
};

struct [[gnu::packed]] madt_override {
    struct madt_entry entry;
    uint8_t bus, irq;
    uint32_t input;
    uint16_t flags; // bits 0-1 polarity, 3 = low; bits 2-3 trigger, 3 = level
};

struct [[gnu::packed]] address {
    uint8_t space, width, offset, access;
    uint64_t address;
};
enum { ADDRESS_IO = 1 };

struct [[gnu::packed]] fadt {
    struct table header;
    uint32_t firmware_control, dsdt;
    uint8_t reserved0, profile;
    uint16_t sci;
    uint32_t smi_command;
    uint8_t acpi_enable, acpi_disable, s4_bios, pstate;
    uint32_t pm1a_event, pm1b_event, pm1a_control, pm1b_control, pm2_control, pm_timer, gpe0, gpe1;
    uint8_t pm1_event_length, pm1_control_length, pm2_control_length, pm_timer_length, gpe0_length, gpe1_length,
        gpe1_base, c_state;
    uint16_t c2_latency, c3_latency, flush_size, flush_stride;
    uint8_t duty_offset, duty_width, day_alarm, month_alarm, century;
    uint16_t boot_flags;
    uint8_t reserved1;
    uint32_t flags;
    struct address reset;
    uint8_t reset_value;
    uint16_t arm_flags;
    uint8_t minor;
    uint64_t firmware_control_64, dsdt_64;
};
static_assert(offsetof(struct fadt, dsdt_64) == 140);
enum { FADT_RESET = 1 << 10, FADT_TIMER_32 = 1 << 8 };

enum : paddr_t { READABLE_LIMIT = 4ull << 30 }; // of the early direct map

struct x86_acpi x86_acpi;

static bool sums_to_zero(const void *bytes, size_t length) {
    const uint8_t *at = bytes;
    uint8_t sum = 0;
    for (size_t i = 0; i < length; i++) {
        sum += at[i];
    }
    return sum == 0;
}

// The table at a physical address, or null if it is none or damaged.
static const struct table *table_at(paddr_t address) {
    if (address == 0 || address + sizeof(struct table) > READABLE_LIMIT) {
        return nullptr;
    }
    const struct table *table = arch_phys_to_virt(address);
    if (table->length < sizeof *table || address + table->length > READABLE_LIMIT ||
        !sums_to_zero(table, table->length)) {
        return nullptr;
    }
    return table;
}

// ---- the root --------------------------------------------------------------------------------------------------------

static bool is_rsdp(const struct rsdp *rsdp) {
    return memcmp(rsdp->signature, "RSD PTR ", 8) == 0 && sums_to_zero(rsdp, RSDP_1_SIZE);
}

static const struct rsdp *scan(paddr_t base, uint64_t size) {
    for (uint64_t offset = 0; offset + sizeof(struct rsdp) <= size; offset += 16) {
        const struct rsdp *rsdp = arch_phys_to_virt(base + offset);
        if (is_rsdp(rsdp)) {
            return rsdp;
        }
    }
    return nullptr;
}

static const struct rsdp *rsdp_find(void) {
    if (x86_boot_rsdp_address != 0 && x86_boot_rsdp_address < READABLE_LIMIT) {
        const struct rsdp *told = arch_phys_to_virt(x86_boot_rsdp_address);
        if (is_rsdp(told)) {
            return told;
        }
    }
    uint16_t segment;
    memcpy(&segment, arch_phys_to_virt(0x40e), sizeof segment); // of the extended BIOS data
    const struct rsdp *found = segment != 0 ? scan((paddr_t)segment << 4, 1024) : nullptr;
    return found != nullptr ? found : scan(0xe0000, 0x20000);
}

// ---- interrupt controllers and CPUs ----------------------------------------------------------------------------------

static void cpu_add(uint32_t apic_id, uint32_t flags) {
    if ((flags & MADT_ENABLED) == 0 || x86_acpi.cpu_count == CPU_MAX) {
        return;
    }
    for (unsigned i = 0; i < x86_acpi.cpu_count; i++) {
        if (x86_acpi.apic_id[i] == apic_id) {
            return; // listed in both forms
        }
    }
    x86_acpi.apic_id[x86_acpi.cpu_count++] = apic_id;
}

static void madt_entry_read(const struct madt_entry *entry) {
    switch (entry->type) {
    case MADT_LOCAL_APIC: {
        const struct madt_local_apic *apic = (const struct madt_local_apic *)entry;
        if (entry->length >= sizeof *apic && apic->apic_id != 0xff) {
            cpu_add(apic->apic_id, apic->flags);
        }
        break;
    }
    case MADT_LOCAL_X2APIC: {
        const struct madt_local_x2apic *apic = (const struct madt_local_x2apic *)entry;
        if (entry->length >= sizeof *apic) {
            cpu_add(apic->apic_id, apic->flags);
        }
        break;
    }
    case MADT_IO_APIC: {
        const struct madt_io_apic *apic = (const struct madt_io_apic *)entry;
        if (entry->length >= sizeof *apic && apic->first_input == 0) {
            x86_acpi.io_apic = apic->address;
        }
        break;
    }
    case MADT_OVERRIDE: {
        const struct madt_override *override = (const struct madt_override *)entry;
        if (entry->length >= sizeof *override && override->irq < X86_ISA_IRQS) {
            x86_acpi.isa[override->irq].input = override->input;
            x86_acpi.isa[override->irq].low = (override->flags & 3) == 3;
            x86_acpi.isa[override->irq].level = (override->flags >> 2 & 3) == 3;
        }
        break;
    }
    default:
        break;
    }
}

static void madt_read(const struct madt *madt) {
    const uint8_t *at = (const uint8_t *)(madt + 1), *end = (const uint8_t *)madt + madt->header.length;
    while (end - at >= (ptrdiff_t)sizeof(struct madt_entry)) {
        const struct madt_entry *entry = (const struct madt_entry *)at;
        if (entry->length < sizeof *entry || entry->length > end - at) {
            break;
        }
        madt_entry_read(entry);
        at += entry->length;
    }
}

// ---- power -----------------------------------------------------------------------------------------------------------

// One small integer of an AML package.
static uint8_t aml_byte(const uint8_t **at, const uint8_t *end) {
    enum { ZERO = 0, ONE = 1, BYTE = 0x0a };
    if (end - *at < 2) {
        return 0;
    }
    uint8_t op = *(*at)++;
    return op == BYTE ? *(*at)++ : op == ONE ? 1 : 0;
}

// \_S5 is a package whose first two bytes are the sleep types: Name(_S5_, Package(n) {a, b, …}).
static void dsdt_read(const struct table *dsdt) {
    enum { AML_PACKAGE = 0x12 };
    const uint8_t *at = (const uint8_t *)(dsdt + 1), *end = (const uint8_t *)dsdt + dsdt->length;
    for (; end - at >= 12; at++) {
        if (memcmp(at, "_S5_", 4) != 0 || at[4] != AML_PACKAGE) {
            continue;
        }
        at += 5;
        at += (*at >> 6) + 1; // the package's length
        at += 1;              // its number of elements
        x86_acpi.sleep_type_a = (uint16_t)((aml_byte(&at, end) & 7) << 10);
        x86_acpi.sleep_type_b = (uint16_t)((aml_byte(&at, end) & 7) << 10);
        return;
    }
    x86_acpi.pm1a_control = 0; // no way to power off
}

static void fadt_read(const struct fadt *fadt) {
    if (fadt->header.length < offsetof(struct fadt, reset)) {
        return;
    }
    x86_acpi.pm_timer_port = (uint16_t)fadt->pm_timer;
    x86_acpi.pm_timer_32 = (fadt->flags & FADT_TIMER_32) != 0;
    x86_acpi.pm1a_control = (uint16_t)fadt->pm1a_control;
    x86_acpi.pm1b_control = (uint16_t)fadt->pm1b_control;
    x86_acpi.smi_command = (uint16_t)fadt->smi_command;
    x86_acpi.acpi_enable = fadt->acpi_enable;
    if (fadt->header.length > offsetof(struct fadt, reset_value) && (fadt->flags & FADT_RESET) != 0 &&
        fadt->reset.space == ADDRESS_IO) {
        x86_acpi.reset_address = fadt->reset.address;
        x86_acpi.reset_value = fadt->reset_value;
    }
    const struct table *dsdt = nullptr;
    if (fadt->header.length >= sizeof *fadt) {
        dsdt = table_at(fadt->dsdt_64);
    }
    if (dsdt == nullptr) {
        dsdt = table_at(fadt->dsdt);
    }
    if (dsdt != nullptr) {
        dsdt_read(dsdt);
    } else {
        x86_acpi.pm1a_control = 0;
    }
}

// ---- all of it -------------------------------------------------------------------------------------------------------

static void table_read(const struct table *table) {
    if (table == nullptr) {
        return;
    }
    if (memcmp(table->signature, "APIC", 4) == 0 && table->length >= sizeof(struct madt)) {
        madt_read((const struct madt *)table);
    } else if (memcmp(table->signature, "FACP", 4) == 0) {
        fadt_read((const struct fadt *)table);
    }
}

void x86_acpi_init(void) {
    for (uint32_t irq = 0; irq < X86_ISA_IRQS; irq++) {
        x86_acpi.isa[irq].input = irq;
    }
    const struct rsdp *rsdp = rsdp_find();
    if (rsdp == nullptr) {
        return;
    }
    const struct table *root = nullptr;
    size_t width = 8;
    if (rsdp->revision >= 2) {
        root = table_at(rsdp->xsdt);
    }
    if (root == nullptr) {
        root = table_at(rsdp->rsdt);
        width = 4;
    }
    if (root == nullptr) {
        return;
    }
    x86_acpi.found = true;
    for (size_t offset = sizeof *root; offset + width <= root->length; offset += width) {
        paddr_t address = 0;
        memcpy(&address, (const uint8_t *)root + offset, width);
        table_read(table_at(address));
    }
}
