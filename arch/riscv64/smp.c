#include "smp.h"

#include "kernel/include/arrival.h"

#include "abi/abi.h"
#include "base/bits.h"
#include "base/format.h"
#include "base/memory.h"
#include "kernel/include/trap.h"
#include "kernel/page_alloc.h"

#include "clock.h"
#include "instructions.h"
#include "layout.h"
#include "machine.h"
#include "map.h"
#include "sbi.h"

extern const uint8_t riscv_start_further[];
extern paddr_t riscv_starting; // start.S

alignas(64) struct arch_cpu riscv_boot_cpu = {.bit = 1, .deadline = UINT64_MAX};
struct arch_cpu *riscv_cpus[CPU_MAX];
unsigned riscv_cpu_slots;
uint64_t riscv_all_cpus;

static enum arrival arrival; // of the CPU that is starting

unsigned arch_cpu_count(void) {
    return riscv_machine.cpu_count;
}

void arch_cpu_attach(struct cpu *cpu) {
    struct arch_cpu *arch = (struct arch_cpu *)cpu;
    *arch = riscv_boot_cpu;
    riscv_all_cpus = UINT64_MAX >> (CPU_MAX - riscv_machine.cpu_count);
    arch->self = arch;
    riscv_cpus[0] = arch;
    riscv_cpu_slots = 1;
    __asm__ volatile("mv tp, %0\n\tcsrw sscratch, tp" ::"r"(arch) : "memory");
}

void arch_cpu_describe(unsigned index, char *text, size_t capacity) {
    format(text, capacity, "hart %llu, %s", (unsigned long long)riscv_machine.hart[index],
           riscv_machine.isa[0] != '\0' ? riscv_machine.isa : "unnamed");
}

void riscv_cpu_init(void) {
    riscv_csr_set(sie, RISCV_INTERRUPT_SOFTWARE | RISCV_INTERRUPT_TIMER);
}

void riscv_cpu_ready(void) {
    static_assert(CALL_FAST <= RISCV_FAST_MAX);
    struct arch_cpu *cpu = (struct arch_cpu *)arch_cpu_current();
    memcpy(cpu->fast, fast_paths, CALL_FAST * sizeof *fast_paths);
    cpu->fast_limit = fast_limit;
}

// ---- interrupts to other CPUs ----------------------------------------------------------------------------------------

// Call the firmware for harts of any numbers, as many as it takes at a time.
static void for_harts(uint64_t cpus, void (*call)(uint64_t mask, uint64_t base)) {
    while (cpus != 0) {
        uint64_t base = riscv_machine.hart[bits_lowest(cpus)];
        uint64_t mask = 0, taken = 0;
        for (uint64_t rest = cpus; rest != 0; rest &= rest - 1) {
            unsigned cpu = bits_lowest(rest);
            uint64_t distance = riscv_machine.hart[cpu] - base; // wraps to more than 63 for lower numbers
            if (distance < 64) {
                mask |= 1ull << distance;
                taken |= 1ull << cpu;
            }
        }
        call(mask, base);
        cpus &= ~taken;
    }
}

// What was stored before is seen by who takes the interrupt: its trap clears the pending bit, then fences (trap.c).
void arch_cpu_ipi(unsigned index) {
    riscv_fence();
    riscv_sbi_ipi(1, riscv_machine.hart[index]);
}

void riscv_smp_ipi_others(void) {
    riscv_fence();
    uint64_t others = 0;
    for (unsigned i = 0; i < riscv_cpu_slots; i++) {
        if (riscv_cpus[i] != nullptr && riscv_cpus[i] != (struct arch_cpu *)arch_cpu_current()) {
            others |= riscv_cpus[i]->bit;
        }
    }
    for_harts(others, riscv_sbi_ipi);
}

void riscv_smp_fence_fetch(uint64_t cpus) {
    for_harts(cpus, riscv_sbi_fence_fetch);
}

// ---- starting one ----------------------------------------------------------------------------------------------------

bool riscv_stacks_map(struct arch_cpu *cpu, paddr_t stack, paddr_t spare) {
    uint64_t va = riscv_window_map(stack, RISCV_STACK_SIZE);
    uint64_t spare_va = riscv_window_map(spare, RISCV_SPARE_STACK_SIZE);
    if (va == 0 || spare_va == 0) {
        return false;
    }
    cpu->stack_limit = va + sizeof(struct arch_frame);
    cpu->stack_top = va + RISCV_STACK_SIZE;
    cpu->spare_top = spare_va + RISCV_SPARE_STACK_SIZE;
    return true;
}

static bool stacks_alloc(struct arch_cpu *cpu) {
    static_assert(RISCV_STACK_SIZE == 4 * 4096 && RISCV_SPARE_STACK_SIZE == 4096);
    paddr_t stack = page_alloc(2), spare = page_alloc(0);
    if (stack != 0 && spare != 0 && riscv_stacks_map(cpu, stack, spare)) {
        return true;
    }
    if (stack != 0) {
        page_free(stack, 2);
    }
    if (spare != 0) {
        page_free(spare, 0);
    }
    return false;
}

status_t arch_cpu_start(unsigned index, struct cpu *cpu) {
    enum : uint64_t { PATIENCE = 10000000000 };
    if (index == 0 || index >= riscv_machine.cpu_count || !riscv_sbi.hsm || arrival == ARRIVAL_GIVEN_UP) {
        return ERR_NO_DEVICE;
    }
    struct arch_cpu *arch = (struct arch_cpu *)cpu;
    arch->self = arch;
    arch->index = index;
    arch->bit = 1ull << index;
    arch->hart = riscv_machine.hart[index];
    arch->deadline = UINT64_MAX;
    arch->start_satp = riscv_kernel_satp;
    if (!stacks_alloc(arch)) {
        return ERR_NO_MEMORY;
    }
    arrival_write(&arrival, ARRIVAL_ASKED);
    __atomic_store_n(&riscv_starting, arch_virt_to_phys(arch), __ATOMIC_RELEASE);
    riscv_fence(); // it reads arch before it has translations
    if (!riscv_sbi_hart_start(arch->hart, arch_virt_to_phys(riscv_start_further), arch_virt_to_phys(arch))) {
        riscv_starting = 0;
        arrival_write(&arrival, ARRIVAL_NONE);
        return ERR_NO_DEVICE; // its stacks stay in the window, which gives nothing back
    }
    if (!arrival_await(&arrival, PATIENCE)) {
        return ERR_NO_DEVICE; // should it come later, it finds that
    }
    riscv_starting = 0;
    arrival_write(&arrival, ARRIVAL_NONE);
    riscv_cpus[index] = arch;
    riscv_cpu_slots = index + 1;
    return 0;
}

static void run_secondary(void *argument) {
    kernel_main_secondary(((struct arch_cpu *)argument)->index);
    riscv_cpu_ready();
}

void riscv_start_secondary(struct arch_cpu *cpu) {
    if (!arrival_decide(&arrival, ARRIVAL_COME)) {
        arch_cpu_stop(); // too late: cpu is gone
    }
    riscv_cpu_init();
    riscv_clock_init_cpu();
    riscv_run(run_secondary, cpu);
    arch_cpu_stop(); // not reached: riscv_run idles
}
