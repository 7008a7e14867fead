#include "memory_world.h"

#include <string.h>

#include "host.h"
#include "kernel/cpu.h"
#include "kernel/page_alloc.h"
#include "kernel/slab.h"
#include "kernel/slice.h"
#include "kernel/space.h"

static struct cpu cpu;

void world_begin(uint64_t memory) {
    struct host_options options = {.memory = memory};
    host_reset(&options);
    host_become(WORLD_CPU);
    memset(&cpu, 0, sizeof cpu);
    arch_cpu_attach(&cpu);
    cpu_table[WORLD_CPU] = &cpu;
    static struct boot_info boot;
    boot = (struct boot_info){
        .range_count = 1,
        .range = {{PAGE_SIZE, memory - PAGE_SIZE}},
        .mapped_limit = memory,
    };
    page_alloc_init(&boot);
}

void world_enter(struct arch_space *space) {
    cpu.space = space != nullptr ? container_of(space, struct space, arch) : nullptr;
    arch_space_switch(space);
}

uint64_t world_pages_taken(void) {
    struct page_stats stats = page_alloc_stats();
    uint64_t taken = stats.total - stats.free;
    for (unsigned i = 0; i < SLAB_SIZES; i++) {
        struct slab_stats class = slab_stats(i);
        taken -= class.used == 0 ? class.pages : 0; // the one empty page that a class may keep
    }
    return taken;
}

uint64_t world_objects_taken(void) {
    uint64_t taken = 0;
    for (unsigned i = 0; i < SLAB_CLASSES; i++) {
        taken += slab_stats(i).used;
    }
    return taken;
}

void world_finish_slices(void) {
    while (slice_pending()) {
        slice_run(SLICE_BUDGET);
    }
}
