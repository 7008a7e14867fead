// The port's own figures (/kern/arch).
#include "kernel/include/arch.h"

#include "base/format.h"

#include "clock.h"
#include "gic.h"
#include "instructions.h"
#include "processor.h"
#include "psci.h"
#include "space.h"

struct sink {
    void (*emit)(void *context, const char *text, size_t length);
    void *context;
};

[[gnu::format(printf, 2, 3)]] static void line(const struct sink *sink, const char *text, ...) {
    va_list args;
    va_start(args, text);
    format_to(sink->emit, sink->context, text, args);
    va_end(args);
}

void arch_describe(void (*emit)(void *context, const char *text, size_t length), void *context) {
    const struct sink sink = {emit, context};
    uint64_t model = ((const struct arch_cpu *)arch_cpu_current())->model;
    const char *name = arm64_model_name(model);
    line(&sink, "processor %s\n", name != nullptr ? name : "unnamed");
    line(&sink, "model 0x%08llx\n", (unsigned long long)model);
    line(&sink, "gic %s\n", arm64_gic->name);
    line(&sink, "timer_hz %llu\n", (unsigned long long)arm64_clock_hz());
    line(&sink, "asid_bits %u\n", arm64_asid_bits());
    line(&sink, "asids_used %llu\n", (unsigned long long)arm64_asid_count());
    line(&sink, "pan %u\n", arm64_features.pan);
    line(&sink, "epan %u\n", arm64_features.epan);
    line(&sink, "atomics %u\n", arm64_features.atomics);
    line(&sink, "psci %u\n", arm64_psci_found());
}
