// The port's own figures (/kern/arch).
#include "kernel/include/arch.h"

#include "base/format.h"
#include "base/str.h"

#include "acpi.h"
#include "apic.h"
#include "clock.h"
#include "processor.h"
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
    const struct x86_features *f = &x86_features;
    const char *name = f->name;
    while (*name == ' ') {
        name++;
    }
    line(&sink, "processor %s\n", name[0] != '\0' ? name : "unnamed");
    const struct {
        const char *name;
        bool present;
    } features[] = {
        {"smep", f->smep},
        {"smap", f->smap},
        {"umip", f->umip},
        {"pcid", f->pcid},
        {"gib_pages", f->gib_pages},
        {"x2apic", f->x2apic},
        {"tsc_deadline", f->tsc_deadline},
        {"tsc_invariant", f->tsc_invariant},
    };
    for (unsigned i = 0; i < sizeof features / sizeof *features; i++) {
        line(&sink, "%s %u\n", features[i].name, features[i].present);
    }
    line(&sink, "tsc_hz %llu\n", (unsigned long long)x86_clock_tsc_hz());
    line(&sink, "timer_hz %llu\n", (unsigned long long)x86_clock_timer_hz());
    line(&sink, "pcids_used %llu\n", (unsigned long long)x86_pcid_count());
    line(&sink, "acpi %u\n", x86_acpi.found);
}
