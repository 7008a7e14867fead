#include "bare.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/cpu.h"
#include "kernel/lock.h"
#include "kernel/page_alloc.h"
#include "kernel/sched.h"

void bare_boot(const struct host_options *options) {
    static struct cpu cpu;
    host_reset(options);
    host_become(0);
    memset(&cpu, 0, sizeof cpu);
    arch_cpu_attach(&cpu);
    cpu_table[0] = &cpu;
    kernel_lock();
    const struct boot_info *boot = host_boot_info();
    page_alloc_init(boot);
    if (arch_direct_map_extend(boot) != 0) {
        abort();
    }
    page_alloc_extend(boot);
    sched_init_cpu(&cpu);
    cpu.online = true;
}
