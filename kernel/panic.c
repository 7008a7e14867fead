#include "kernel/panic.h"

#include <stdatomic.h>

#include "base/str.h"
#include "kernel/console.h"
#include "kernel/fault.h"
#include "kernel/include/arch.h"
#include "kernel/log.h"

// Set by the first CPU that reports. Another that comes meanwhile stops, so that the report stays readable; the same one
// coming again has failed while it reported, and stops everything. Only who was first matters, which one atomic exchange
// decides: a report reads what it can get, in whatever order memory shows it.
static struct cpu *_Atomic reporter;

void panic_begin(void) {
    struct cpu *none = nullptr;
    struct cpu *self = arch_cpu_current();
    if (!atomic_compare_exchange_strong_explicit(&reporter, &none, self, memory_order_acq_rel, memory_order_acquire)) {
        if (none == self) {
            arch_power_panic();
        }
        arch_cpu_stop();
    }
    console_finish();
}

void panic_end(void) {
    fault_write_rest();
    console_finish();
    arch_power_panic();
}

void kernel_refuse(const char *why) {
    console_write_now(why, strlen(why));
    console_finish();
    arch_power_panic();
}

void panic(const char *format, ...) {
    panic_begin();
    va_list args;
    va_start(args, format);
    log_panic("\nkernel panic: ");
    log_panic_args(format, args);
    log_panic("\n");
    va_end(args);
    log_panic("back trace:");
    // The frame pointers of the kernel's own stack. A pointer that does not lead further up ends the walk.
    const uint64_t *frame = __builtin_frame_address(0);
    for (unsigned depth = 0; depth < 16 && frame != nullptr; depth++) {
        const uint64_t *next = (const uint64_t *)(uintptr_t)frame[0];
        log_panic(" 0x%llx", (unsigned long long)frame[1]);
        if (next <= frame || (uintptr_t)next - (uintptr_t)frame > PANIC_STACK_MAX || ((uintptr_t)next & 7) != 0) {
            break;
        }
        frame = next;
    }
    log_panic("\n");
    panic_end();
}
