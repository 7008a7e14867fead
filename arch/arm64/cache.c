#include "cache.h"

#include "instructions.h"

enum : uint64_t { PAGE = 4096 };
enum { POLICY_PIPT = 3 };

static uint64_t data_line, instruction_line;
static bool data_reaches;        // CTR_EL0.IDC: no cleaning needed
static bool instruction_reaches; // CTR_EL0.DIC: no invalidation needed
static bool by_address;          // an invalidation by one address finds the code under all its addresses

void arm64_cache_init(void) {
    uint64_t type = ARM64_READ(ctr_el0);
    data_line = 4ull << (type >> 16 & 15);
    instruction_line = 4ull << (type & 15);
    data_reaches = type >> 28 & 1;
    instruction_reaches = type >> 29 & 1;
    by_address = (type >> 14 & 3) == POLICY_PIPT;
}

void arm64_cache_page_code(paddr_t page) {
    uint64_t start = (uint64_t)arch_phys_to_virt(page);
    if (!data_reaches) {
        for (uint64_t at = start; at < start + PAGE; at += data_line) {
            __asm__ volatile("dc cvau, %0" ::"r"(at) : "memory");
        }
    }
    arm64_dsb_stores();
    if (instruction_reaches) {
        return;
    }
    if (by_address) {
        for (uint64_t at = start; at < start + PAGE; at += instruction_line) {
            __asm__ volatile("ic ivau, %0" ::"r"(at) : "memory");
        }
    } else {
        __asm__ volatile("ic ialluis" ::: "memory");
    }
    arm64_dsb();
}
