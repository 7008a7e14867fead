// The virtual CPUs: who is where, and how one goes on while another spins.
#include <stdio.h>
#include <stdlib.h>

#include "abi/abi.h"
#include "machine.h"

enum { STACK_SIZE = 256 * 1024, SPINS_MAX = 100000 };

thread_local struct cpu *host_cpu_current;

struct host_cpu *host_cpu_of(unsigned cpu) {
    if (cpu >= host.cpus) {
        host_breach("there is no CPU %u", cpu);
    }
    return &host.cpu[cpu];
}

static unsigned index_of(const struct host_cpu *cpu) {
    return (unsigned)(cpu - host.cpu);
}

unsigned host_cpu_count(void) {
    return host.cpus;
}

enum host_cpu_state host_cpu_state(unsigned cpu) {
    return host_cpu_of(cpu)->state;
}

struct thread *host_cpu_thread(unsigned cpu) {
    struct host_cpu *self = host_cpu_of(cpu);
    return self->state == HOST_USER ? self->thread : nullptr;
}

bool host_ipi_pending(unsigned cpu) {
    return host_cpu_of(cpu)->ipi;
}

bool host_nobody_inside(void) {
    for (unsigned i = 0; i < host.cpus; i++) {
        if (host.cpu[i].state == HOST_KERNEL) {
            return false;
        }
    }
    return true;
}

static uint64_t choose(uint64_t bound) {
    return host.choose == nullptr || bound < 2 ? 0 : host.choose(host.choose_context, bound);
}

// What a CPU does in the kernel, from entry to leaving; runs on its own stack.
static void serve(struct host_cpu *self) {
    bool idle = self->thread == nullptr;
    struct thread *next = nullptr;
    switch (self->event) {
    case HOST_BOOT:
        kernel_main(&host.boot);
        break;
    case HOST_START:
        kernel_main_secondary(index_of(self));
        break;
    case HOST_CALL:
        next = host_call(self->thread);
        break;
    case HOST_FAULT:
        next = trap_fault(self->thread, &self->fault);
        break;
    case HOST_TIMER:
        trap_timer();
        next = idle ? trap_idle() : trap_resume();
        break;
    case HOST_IPI:
        trap_ipi();
        next = idle ? trap_idle() : trap_resume();
        break;
    case HOST_CONSOLE:
        trap_console();
        next = idle ? trap_idle() : trap_resume();
        break;
    case HOST_KERNEL_FAULT:
        trap_kernel_fault(&(struct arch_frame){}, &self->fault);
    case HOST_SPURIOUS:
        trap_spurious();
        next = idle ? trap_idle() : trap_resume();
        break;
    }
    self->thread = next;
    self->state = next == nullptr ? HOST_IDLE : HOST_USER;
}

static void leave_to_driver(struct host_cpu *self) {
    host.inside = false;
    fiber_switch(&self->fiber, &host.driver);
}

static void cpu_entry(void) {
    for (;;) {
        struct host_cpu *self = host.running;
        serve(self);
        leave_to_driver(self);
    }
}

void host_cpu_prepare(unsigned cpu) {
    struct host_cpu *self = host_cpu_of(cpu);
    fiber_create(&self->fiber, STACK_SIZE, cpu_entry);
    self->created = true;
}

// Go on in that CPU's kernel stack until it leaves the kernel or spins.
static void go_on(struct host_cpu *self) {
    struct host_cpu *before = host.running;
    struct cpu *before_current = host_cpu_current;
    bool before_inside = host.inside;
    host.running = self;
    host_cpu_current = self->cpu;
    host.inside = true;
    self->relaxed = false;
    fiber_switch(&host.driver, &self->fiber);
    self->cpu = host_cpu_current != nullptr ? host_cpu_current : self->cpu;
    host.running = before;
    host_cpu_current = before_current;
    host.inside = before_inside;
}

static void begin(struct host_cpu *self, enum host_event event) {
    if (event == HOST_IPI) {
        self->ipi = false;
    } else if (event == HOST_TIMER) {
        self->deadline = UINT64_MAX;
    }
    self->event = event;
    self->state = HOST_KERNEL;
    go_on(self);
}

// While self spins, somebody else must be able to end that: one who is inside the kernel, or who has been interrupted.
static bool let_another_go_on(struct host_cpu *self) {
    struct host_cpu *candidate[CPU_MAX];
    unsigned count = 0;
    for (unsigned i = 1; i < host.cpus; i++) {
        struct host_cpu *other = &host.cpu[(index_of(self) + i) % host.cpus];
        bool interruptible = other->state == HOST_IDLE || other->state == HOST_USER;
        if (other->state == HOST_KERNEL || (interruptible && other->ipi)) {
            candidate[count++] = other;
        }
    }
    if (count == 0) {
        return false;
    }
    struct host_cpu *other = candidate[choose(count)];
    if (other->state == HOST_KERNEL) {
        go_on(other);
    } else {
        begin(other, HOST_IPI);
    }
    return true;
}

static void until_it_leaves(struct host_cpu *self) {
    unsigned alone = 0;
    for (unsigned turns = 0; host.end == HOST_RUNNING && self->state == HOST_KERNEL; turns++) {
        alone = let_another_go_on(self) || host_console_moved() ? 0 : alone + 1;
        if (alone > SPINS_MAX || turns > 100 * SPINS_MAX) {
            host_breach("CPU %u spins in the kernel and nobody can end it", index_of(self));
        }
        if (host.end == HOST_RUNNING && self->state == HOST_KERNEL) {
            go_on(self);
        }
    }
    if (host.end == HOST_RUNNING && host_nobody_inside()) {
        host_check_translations();
    }
}

void host_enter(unsigned cpu, enum host_event event, const struct fault *fault) {
    struct host_cpu *self = host_cpu_of(cpu);
    if (host.end != HOST_RUNNING) {
        host_breach("CPU %u is made to enter the kernel of a machine that is off", cpu);
    }
    bool booting = event == HOST_BOOT || event == HOST_START;
    bool user = event == HOST_CALL || event == HOST_FAULT;
    if (booting ? self->state != HOST_OFF : self->state != HOST_USER && (user || self->state != HOST_IDLE)) {
        host_breach("CPU %u is in no state for event %d", cpu, (int)event);
    }
    if (fault != nullptr) {
        self->fault = *fault;
    }
    struct thread *caller = self->thread;
    uint64_t answers = event == HOST_CALL ? host_frame(caller)->answers : 0;
    host_cpu_current = nullptr;
    begin(self, event);
    until_it_leaves(self);
    if (event == HOST_CALL && host.end == HOST_RUNNING && self->state == HOST_USER && self->thread == caller &&
        host_frame(caller)->answers + host_frame(caller)->again != answers + 1) {
        host_breach("a call was answered %llu times", (unsigned long long)(host_frame(caller)->answers - answers));
    }
}

void host_continue(unsigned cpu) {
    struct host_cpu *self = host_cpu_of(cpu);
    host_cpu_current = nullptr;
    until_it_leaves(self);
}

void host_become(unsigned cpu) {
    struct host_cpu *self = host_cpu_of(cpu);
    host.running = self;
    host_cpu_current = self->cpu;
}

void host_cpu_relax(void) {
    if (!host.inside) { // test code plays this CPU
        if (!let_another_go_on(host.running)) {
            host_breach("test code spins in the kernel and nobody can end it");
        }
        return;
    }
    struct host_cpu *self = host.running;
    leave_to_driver(self);
}

unsigned arch_cpu_count(void) {
    return host.cpus;
}

status_t arch_cpu_start(unsigned index, struct cpu *cpu) {
    struct host_cpu *self = host_cpu_of(index);
    if ((host.dead_cpus >> index & 1) != 0) {
        return ERR_NO_DEVICE;
    }
    if (self->state != HOST_OFF || index == 0) {
        host_breach("CPU %u is started twice", index);
    }
    host_cpu_prepare(index);
    self->cpu = cpu;
    self->event = HOST_START;
    self->state = HOST_KERNEL; // it begins when the one that starts it spins or is done
    return 0;
}

void arch_cpu_attach(struct cpu *cpu) {
    ((struct arch_cpu *)cpu)->index = index_of(host.running);
    host.running->cpu = cpu;
    host_cpu_current = cpu;
}

void arch_cpu_ipi(unsigned index) {
    struct host_cpu *other = host_cpu_of(index);
    if (other->state == HOST_OFF) {
        host_breach("CPU %u is interrupted but was never started", index);
    }
    other->ipi = true;
}

void arch_cpu_rest(void) {
    host_cpu_relax();
}

void arch_cpu_stop(void) {
    struct host_cpu *self = host.running;
    self->state = HOST_STOPPED;
    leave_to_driver(self);
    abort();
}

void arch_cpu_describe(unsigned index, char *text, size_t capacity) {
    snprintf(text, capacity, "virtual %u", index);
}
