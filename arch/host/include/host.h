// The other side of the host port: how a test plays the machine. One host thread plays all CPUs, so every interleaving
// is the test's choice and every run can be repeated.
//
// Each virtual CPU has a kernel stack of its own (fiber.h). host_enter makes a CPU enter the kernel and go on until it
// leaves. A CPU that spins (arch_cpu_relax) lets others go on: those inside the kernel, and those that have an
// interrupt from another CPU pending. A CPU can therefore remain inside the kernel, spinning for the lock, while others
// leave: it is then HOST_KERNEL until host_continue lets it leave too.
//
// Translations are cached per CPU and checked against the page tables whenever no CPU is inside the kernel: a missing
// shoot-down is found at once, not when it does harm. A breach of the seam's rules by the core prints what it was and
// aborts.
#pragma once

#include "kernel/include/arch.h"
#include "kernel/include/trap.h"

enum {
    HOST_ARCHIVES_MAX = BOOT_ARCHIVES_MAX,
    HOST_TLB_ENTRIES = 64,
};

// Physical memory begins above page 0 and is made of the given ranges; the direct map covers mapped_limit at first.
struct host_options {
    unsigned cpus;   // 0: 1
    uint64_t memory; // bytes, in one range, when range_count is 0; 0: 8 MiB
    unsigned range_count;
    struct boot_range range[BOOT_RANGES_MAX];
    uint64_t mapped_limit;    // 0: everything
    const char *command_line; // null: none
    unsigned archive_count;   // copied behind the ranges, not aligned
    struct {
        const void *data;
        size_t size;
    } archive[HOST_ARCHIVES_MAX];
    uint64_t dead_cpus; // bit i: CPU i does not answer when it is started
};

enum host_cpu_state {
    HOST_OFF,
    HOST_IDLE,   // halted, interrupts on
    HOST_USER,   // runs the thread that host_cpu_thread names
    HOST_KERNEL, // inside, spinning
    HOST_STOPPED // halted for good
};

enum host_event {
    HOST_BOOT,  // kernel_main
    HOST_START, // kernel_main_secondary
    HOST_CALL,  // the thread's frame holds a call
    HOST_FAULT,
    HOST_TIMER,
    HOST_IPI,
    HOST_CONSOLE,
    HOST_SPURIOUS,
    HOST_KERNEL_FAULT, // the kernel itself faults at once
};

enum host_end {
    HOST_RUNNING,
    HOST_POWER_OFF,
    HOST_PANIC,
    HOST_RESET,
};

// A new machine, switched off: fresh memory, time 0, the core's variables as the program began with them.
void host_reset(const struct host_options *options);
// Switch on: CPU 0 boots, those that it starts come up; false when the machine stopped instead.
bool host_boot(void);

const struct boot_info *host_boot_info(void); // what CPU 0 is told

enum host_end host_ended(void);
unsigned host_status(void); // of HOST_POWER_OFF

unsigned host_cpu_count(void);
enum host_cpu_state host_cpu_state(unsigned cpu);
struct thread *host_cpu_thread(unsigned cpu); // in user mode there; else null
bool host_timer_due(unsigned cpu);
uint64_t host_timer_deadline(unsigned cpu); // UINT64_MAX: not armed
bool host_ipi_pending(unsigned cpu);
bool host_console_pending(void); // bytes are waiting and reception is enabled

// Enter the kernel on a CPU that is in user mode or idle (HOST_CALL, HOST_FAULT: user mode). The fault is for
// HOST_FAULT and HOST_KERNEL_FAULT.
void host_enter(unsigned cpu, enum host_event event, const struct fault *fault);
// Let a CPU that spins inside the kernel go on until it leaves.
void host_continue(unsigned cpu);
// Play that CPU in test code that calls the core directly; no CPU is inside the kernel. Stays until the next
// host_enter.
void host_become(unsigned cpu);

uint64_t host_time(void);
void host_time_set(uint64_t nanoseconds); // not backwards
void host_time_advance(uint64_t nanoseconds);

// A load or store of the thread in user mode on that CPU: false on a fault, and what would be raised.
bool host_user_access(unsigned cpu, uint64_t va, void *buffer, size_t length, bool store, struct fault *fault);

void host_console_type(const void *text, size_t length); // bytes that arrive on the serial line
size_t host_console_output(const char **text);           // all that was written so far, zero-terminated
void host_console_clear(void);
// What the line is like: it takes so many bytes at once, and then none for so many times. After a reset SIZE_MAX and 0.
void host_console_line(size_t bytes, unsigned pause);

// Who decides when the port has a choice, such as whom to let go on; null: always the first.
void host_set_chooser(uint64_t (*choose)(void *context, uint64_t bound), void *context);
// Told when a thread's port part is destroyed, with what the driver stored in it.
void host_set_thread_gone(void (*gone)(void *user));

uint64_t host_table_pages(void);    // pages that page tables hold now
uint64_t host_tlb_flushes(void);    // ever
void host_check_translations(void); // when no CPU is inside the kernel: nothing stale is cached

[[noreturn, gnu::format(printf, 1, 2)]] void host_breach(const char *format, ...); // a rule of the seam was broken
