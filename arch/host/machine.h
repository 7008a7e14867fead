// What the files of the host port share.
#pragma once

#include "fiber.h"
#include "host.h"

struct host_translation {
    uint64_t space; // its id; 0: empty
    uint64_t va;    // page
    uint64_t page;  // where it leads
    unsigned protection;
};

struct host_cpu {
    enum host_cpu_state state;
    struct cpu *cpu;       // the core's
    struct thread *thread; // in user mode
    struct thread *vector; // whose vector state is loaded
    struct arch_space *space;
    struct fiber fiber; // its kernel stack
    bool created;
    enum host_event event; // what it enters the kernel for
    struct fault fault;
    bool relaxed; // left its fiber to let others go on
    bool ipi;
    uint64_t deadline;
    struct host_translation tlb[HOST_TLB_ENTRIES];
};

struct host_machine {
    struct host_cpu cpu[CPU_MAX];
    unsigned cpus;
    struct host_cpu *running; // whose fiber runs or whom the driver plays
    struct fiber driver;
    bool inside; // a CPU's fiber is running, not the driver
    struct boot_info boot;
    unsigned char *memory; // of memory_size bytes, where physical address 0 would be
    uint64_t memory_size;
    uint64_t dead_cpus;
    uint64_t time;
    enum host_end end;
    unsigned status;
    bool console_enabled;
    uint64_t spaces; // ever
    uint64_t table_pages, tlb_flushes;
    uint64_t (*choose)(void *context, uint64_t bound);
    void *choose_context;
    void (*thread_gone)(void *user);
};

extern struct host_machine host;

struct host_cpu *host_cpu_of(unsigned cpu);
void host_cpu_prepare(unsigned cpu); // give it a kernel stack at whose top it will serve its first event
bool host_is_memory(paddr_t page);   // RAM that the core may use
bool host_nobody_inside(void);       // no CPU is in the kernel
void host_console_reset(void);
bool host_console_moved(void); // since this was called last: the line has taken something
struct thread *host_call(struct thread *self);
struct arch_frame *host_frame(struct thread *thread);
struct arch_thread *host_arch_thread(struct thread *thread);
