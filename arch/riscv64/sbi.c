#include "sbi.h"

enum extension : uint64_t {
    LEGACY_PUT = 0x01,
    BASE = 0x10,
    TIME = 0x54494d45,
    IPI = 0x735049,
    RFENCE = 0x52464e43,
    HSM = 0x48534d,
    SRST = 0x53525354,
    DBCN = 0x4442434e,
};

enum { BASE_VERSION = 0, BASE_IMPLEMENTATION = 1, BASE_IMPLEMENTATION_VERSION = 2, BASE_PROBE = 3 };
enum { DBCN_WRITE_BYTE = 2 };
enum : uint32_t { VERSION_0_2 = 2 };

struct riscv_sbi riscv_sbi;

struct result {
    int64_t error;
    uint64_t value;
};

static struct result call(enum extension extension, uint64_t function, uint64_t a, uint64_t b, uint64_t c) {
    register uint64_t a0 __asm__("a0") = a;
    register uint64_t a1 __asm__("a1") = b;
    register uint64_t a2 __asm__("a2") = c;
    register uint64_t a6 __asm__("a6") = function;
    register uint64_t a7 __asm__("a7") = extension;
    __asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a6), "r"(a7) : "memory");
    return (struct result){(int64_t)a0, a1};
}

static bool has(enum extension extension) {
    struct result r = call(BASE, BASE_PROBE, extension, 0, 0);
    return r.error == 0 && r.value != 0;
}

bool riscv_sbi_init(void) {
    struct result version = call(BASE, BASE_VERSION, 0, 0, 0);
    if (version.error != 0 || version.value < VERSION_0_2) {
        return false;
    }
    riscv_sbi = (struct riscv_sbi){
        .version = (uint32_t)version.value,
        .implementation = call(BASE, BASE_IMPLEMENTATION, 0, 0, 0).value,
        .implementation_version = call(BASE, BASE_IMPLEMENTATION_VERSION, 0, 0, 0).value,
        .time = has(TIME),
        .ipi = has(IPI),
        .rfence = has(RFENCE),
        .hsm = has(HSM),
        .srst = has(SRST),
        .dbcn = has(DBCN),
    };
    return riscv_sbi.time && riscv_sbi.ipi && riscv_sbi.rfence;
}

void riscv_sbi_put(char byte) {
    if (riscv_sbi.dbcn) {
        (void)call(DBCN, DBCN_WRITE_BYTE, (uint8_t)byte, 0, 0);
    } else {
        (void)call(LEGACY_PUT, 0, (uint8_t)byte, 0, 0);
    }
}

void riscv_sbi_timer(uint64_t ticks) {
    (void)call(TIME, 0, ticks, 0, 0);
}

void riscv_sbi_ipi(uint64_t mask, uint64_t base) {
    (void)call(IPI, 0, mask, base, 0);
}

void riscv_sbi_fence_fetch(uint64_t mask, uint64_t base) {
    (void)call(RFENCE, 0, mask, base, 0);
}

bool riscv_sbi_hart_start(uint64_t hart, uint64_t address, uint64_t argument) {
    return call(HSM, 0, hart, address, argument).error == 0;
}

void riscv_sbi_reset(enum riscv_sbi_reset type) {
    if (riscv_sbi.srst) {
        (void)call(SRST, 0, type, 0, 0);
    }
}
