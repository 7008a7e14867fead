// Many processes do anything to each other on several CPUs, interrupts come late and in any order, memory runs out now and
// then. After every step the scheduler's promises must hold; in the end everything must have been returned.
#include <criterion/criterion.h>
#include <string.h>

#include "abi/calls.h"
#include "kernel/alloc_fault.h"
#include "kernel/cpu.h"
#include "kernel/lock.h"
#include "kernel/process.h"
#include "kernel/slice.h"
#include "kernel/thread.h"
#include "machine.h"
#include "property.h"

static struct property *p; // of the case under way

static uint64_t below(const char *label, uint64_t bound) {
    return property_choose(p, label, bound);
}

static bool chance(const char *label, unsigned percent) {
    return property_chance(p, label, percent);
}

// ---- what must hold whenever no CPU is inside the kernel -------------------------------------------------------------

static bool somebody_inside(void) {
    for (unsigned i = 0; i < host_cpu_count(); i++) {
        if (host_cpu_state(i) == HOST_KERNEL || host_cpu_state(i) == HOST_OFF) {
            return true;
        }
    }
    return false;
}

static void check_queue(const struct cpu *cpu, int *most_urgent) {
    uint32_t length = 0;
    for (unsigned priority = 0; priority < PRIORITIES; priority++) {
        const struct list *ready = &cpu->queue.ready[priority];
        property_equal(p, cpu->queue.occupied >> priority & 1, !list_empty(ready));
        list_for_each(link, ready) {
            const struct thread *thread = container_of(link, struct thread, ready);
            property_equal(p, thread->state, THREAD_READY);
            property_equal(p, thread_cpu(thread)->index, cpu->index);
            property_equal(p, thread->priority, priority);
            if (!thread_doomed(thread) && (int)priority > *most_urgent) {
                *most_urgent = (int)priority;
            }
            length++;
        }
    }
    property_equal(p, cpu->queue.length, length);
}

static void check_cpu(unsigned index) {
    const struct cpu *cpu = cpu_table[index];
    const struct thread *thread = host_cpu_thread(index);
    property_check(p, cpu->current == thread);
    property_check(p, cpu->space == (thread == nullptr ? nullptr : &thread->process->space));
    property_equal(p, cpu->armed, host_timer_deadline(index));
    if (cpu->resched || (thread != nullptr && thread_doomed(thread))) {
        property_check(p, host_ipi_pending(index));
    }
    if (thread != nullptr) {
        property_equal(p, thread->state, THREAD_RUNNING);
        property_equal(p, thread_cpu(thread)->index, index);
        // An equal that waits gets its turn: the timer will come.
        if ((cpu->queue.occupied >> thread->priority & 1) != 0 && !host_ipi_pending(index)) {
            property_check(p, cpu->armed <= cpu_turn_end(cpu) || cpu->armed <= host_time());
        }
    }
}

static void check_processes(void) {
    uint32_t last = 0;
    uint64_t threads = 0;
    for (struct process *process = process_after(0); process != nullptr; process = process_after(process->pid)) {
        property_check(p, process->pid > last);
        last = process->pid;
        uint32_t count = 0;
        list_for_each(link, &process->threads) {
            const struct thread *thread = container_of(link, struct thread, siblings);
            property_check(p, thread->process == process);
            property_check(p, thread->state != THREAD_NEW && thread->state != THREAD_DEAD);
            // What it waits for does not hold: no wake-up was lost.
            if (thread->state == THREAD_PARKED && !slice_pending()) {
                property_equal(p, wait_ready(thread), 0);
            }
            count++;
        }
        property_equal(p, process->thread_count, count);
        property_check(p, process->state != PROCESS_RUNNING || count > 0);
        property_check(p, !process->exited || (count == 0 && process->handles.used == 0));
        threads += count;
    }
    property_equal(p, thread_count(), threads);
}

static void check_world(void) {
    if (somebody_inside()) {
        return;
    }
    int most_urgent = -1;
    bool quiet = true, armed = false;
    for (unsigned i = 0; i < host_cpu_count(); i++) {
        check_queue(cpu_table[i], &most_urgent);
        check_cpu(i);
        quiet = quiet && !host_ipi_pending(i) && !host_timer_due(i);
        armed = armed || host_timer_deadline(i) != UINT64_MAX;
    }
    // But for interrupts under way no CPU does less than what waits, and queued work goes on by itself.
    for (unsigned i = 0; quiet && most_urgent >= 0 && i < host_cpu_count(); i++) {
        const struct thread *thread = host_cpu_thread(i);
        property_check(p, thread != nullptr && thread->priority >= most_urgent);
    }
    property_check(p, !quiet || !slice_pending() || armed);
    check_processes();
}

// ---- what threads do -------------------------------------------------------------------------------------------------

static handle_t any_handle(struct process *process) {
    uint32_t index = process->handles.fresh == 0 ? 0 : (uint32_t)below("handle", process->handles.fresh);
    struct handle *handle = handle_next(&process->handles, &index);
    if (handle == nullptr) {
        index = 0;
        handle = handle_next(&process->handles, &index);
    }
    return handle == nullptr ? 0 : handle_value(handle, index);
}

static handle_t handle_of(struct process *process, enum object_kind kind) {
    handle_t value = 0;
    for (unsigned tries = 0; tries < 6; tries++) {
        struct handle *handle;
        value = any_handle(process);
        if (handle_find(&process->handles, value, &handle) == 0 && handle->object->ops->kind == kind) {
            break;
        }
    }
    return value;
}

static uint32_t rights_of(struct process *process, handle_t value) {
    struct handle *handle;
    return handle_find(&process->handles, value, &handle) == 0 ? handle->rights : 0;
}

// Store into the thread's memory as it would itself; false if that ended it or made its CPU turn to another.
static bool store(unsigned cpu, uint64_t va, const void *bytes, size_t length) {
    struct thread *thread = host_cpu_thread(cpu);
    struct fault fault;
    char buffer[64];
    memcpy(buffer, bytes, length);
    for (unsigned tries = 0; !host_user_access(cpu, va, buffer, length, true, &fault); tries++) {
        property_check(p, tries < 1000);
        host_enter(cpu, HOST_FAULT, &fault);
        if (host_cpu_state(cpu) != HOST_USER || host_cpu_thread(cpu) != thread) {
            return false;
        }
    }
    return true;
}

enum { STACK_BYTES = 0x8000 };

static bool prepare_wait(unsigned cpu, struct process *process, struct arch_frame *frame) {
    struct abi_wait_item items[3] = {};
    uint64_t *arg = frame->arg;
    frame->number = CALL_WAIT;
    arg[0] = frame->sp - 512;
    arg[1] = below("sources", 4);
    for (unsigned i = 0; i < arg[1]; i++) {
        items[i] = (struct abi_wait_item){any_handle(process), (uint32_t)below("events", 32)};
    }
    switch (below("deadline", 4)) {
    case 0:
        arg[2] = host_time() + below("soon", 1000000);
        break;
    case 1:
        arg[2] = host_time() + below("late", 3000000000);
        break;
    case 2:
        arg[2] = process->pid == 1 ? host_time() + 1000 : FOREVER;
        break;
    case 3:
        arg[2] = 0;
        break;
    }
    return store(cpu, arg[0], items, sizeof items);
}

// Choose a call and its arguments; false: nothing this time.
static bool prepare_call(unsigned cpu) {
    struct thread *thread = host_cpu_thread(cpu);
    struct process *process = thread->process;
    struct arch_frame *frame = &thread->frame;
    uint64_t *arg = frame->arg;
    bool init = process->pid == 1;
    memset(frame->arg, 0, sizeof frame->arg);
    switch (below("call", 17)) {
    case 0:
        frame->number = CALL_YIELD;
        return true;
    case 1:
        return prepare_wait(cpu, process, frame);
    case 2:
        frame->number = CALL_CLOSE;
        arg[0] = any_handle(process);
        return true;
    case 3:
        frame->number = CALL_DUP;
        arg[0] = any_handle(process);
        arg[1] = rights_of(process, (handle_t)arg[0]) & ~below("dropped", 256);
        return true;
    case 4:
    case 5:
        frame->number = CALL_GIVE;
        arg[0] = handle_of(process, OBJECT_PROCESS);
        arg[1] = any_handle(process);
        arg[2] = rights_of(process, (handle_t)arg[1]) & ~(below("dropped", 256) & ~(uint64_t)RIGHT_GRANT);
        return true;
    case 6:
        frame->number = CALL_PROCESS_CREATE;
        arg[0] = frame->sp - 256;
        arg[1] = 7;
        arg[2] = arg[3] = ID_INHERIT;
        return store(cpu, arg[0], "program", 8);
    case 7:
    case 8:
        frame->number = CALL_THREAD_CREATE;
        arg[0] = handle_of(process, OBJECT_PROCESS);
        arg[1] = 0x400000;
        arg[2] = frame->sp;
        arg[4] = 5 * below("priority", 4); // few, so that equals meet
        arg[4] = arg[4] < thread->priority ? arg[4] : thread->priority;
        return true;
    case 9:
        frame->number = CALL_PAGES_CREATE;
        arg[0] = STACK_BYTES;
        return true;
    case 10:
        frame->number = CALL_MAP;
        arg[0] = handle_of(process, OBJECT_PROCESS);
        arg[1] = handle_of(process, OBJECT_PAGES);
        arg[2] = frame->sp - STACK_BYTES;
        arg[4] = STACK_BYTES;
        arg[5] = PROT_READ | PROT_WRITE;
        return true;
    case 11:
        frame->number = CALL_CHANNEL_CREATE;
        return true;
    case 12:
        frame->number = CALL_CONNECT;
        arg[0] = handle_of(process, OBJECT_CHANNEL);
        arg[1] = RIGHTS_ALL;
        return true;
    case 13:
        frame->number = CALL_SEND;
        arg[0] = handle_of(process, OBJECT_CONNECTION);
        arg[1] = frame->sp - 300;
        arg[2] = below("length", 80);
        return true;
    case 14:
        frame->number = CALL_RECV;
        arg[0] = handle_of(process, OBJECT_CHANNEL);
        arg[1] = frame->sp - 300;
        arg[2] = MESSAGE_MAX;
        return true;
    case 15:
        frame->number = CALL_KILL;
        arg[0] = handle_of(process, OBJECT_PROCESS);
        arg[1] = 9;
        return chance("kill", 20);
    case 16:
        frame->number = chance("all", 30) ? CALL_EXIT : CALL_THREAD_EXIT;
        return !init && chance("exit", 30);
    }
    return false;
}

static void act(unsigned cpu, bool refuse) {
    if (chance("fault", 1) && host_cpu_thread(cpu)->process->pid != 1) {
        host_enter(cpu, HOST_FAULT, &(struct fault){.kind = FAULT_INSTRUCTION, .name = "#UD"});
        return;
    }
    if (refuse && chance("refuse", 20)) {
        alloc_fault_arm(1 + below("which allocation", 6), chance("and later", 30));
    }
    struct thread *thread = host_cpu_thread(cpu);
    if (prepare_call(cpu) && host_cpu_state(cpu) == HOST_USER && host_cpu_thread(cpu) == thread) {
        host_enter(cpu, HOST_CALL, nullptr);
    }
    alloc_fault_arm(0, false);
}

// ---- the machine -----------------------------------------------------------------------------------------------------

static bool deliver(bool all) {
    bool busy = false;
    for (unsigned i = 0; i < host_cpu_count(); i++) {
        if (host_cpu_state(i) == HOST_KERNEL && (all || chance("go on", 60))) {
            host_continue(i);
            busy = true;
        } else if ((host_cpu_state(i) == HOST_USER || host_cpu_state(i) == HOST_IDLE)) {
            if (host_ipi_pending(i) && (all || chance("ipi", 50))) {
                host_enter(i, HOST_IPI, nullptr);
                busy = true;
            } else if (host_timer_due(i) && (all || chance("timer", 60))) {
                host_enter(i, HOST_TIMER, nullptr);
                busy = true;
            }
        }
    }
    return busy;
}

// Let everything that is under way arrive, and queued work finish.
static void settle(void) {
    for (unsigned turns = 0; deliver(true) || slice_pending(); turns++) {
        property_check(p, turns < 20000);
        if (slice_pending()) {
            host_time_advance(300000);
        }
    }
}

static void pass_time(void) {
    uint64_t next = UINT64_MAX;
    bool rest = true;
    for (unsigned i = 0; i < host_cpu_count(); i++) {
        rest = rest && host_cpu_state(i) == HOST_IDLE && !host_ipi_pending(i);
        next = host_timer_deadline(i) < next ? host_timer_deadline(i) : next;
    }
    if (rest && next != UINT64_MAX && next > host_time()) {
        host_time_set(next);
    } else if (chance("time", 30)) {
        host_time_advance(below("nanoseconds", chance("much", 10) ? 20000000 : 300000));
    }
}

static void world(struct property *property) {
    p = property;
    unsigned cpus = 1 + (unsigned)below("cpus", 8);
    bool refuse = chance("memory is refused", 30);
    machine_boot(&(struct machine_options){.cpus = cpus, .memory = 4u << 20, .property = property});
    while (property_more(property, 600)) {
        unsigned cpu = (unsigned)below("cpu", cpus);
        deliver(false);
        if (host_cpu_state(cpu) == HOST_USER) {
            act(cpu, refuse);
        } else if (host_cpu_state(cpu) == HOST_KERNEL) {
            host_continue(cpu);
        }
        pass_time();
        property_check(p, host_ended() == HOST_RUNNING);
        check_world();
    }
    settle();
    host_become(0);
    kernel_lock();
    for (struct process *process = process_after(0); process != nullptr; process = process_after(process->pid)) {
        (void)process_end(process, PROCESS_KILLED, -1);
    }
    kernel_unlock();
    host_enter(0, HOST_SPURIOUS, nullptr); // this CPU told itself of it
    settle();
    check_world();
    property_equal(p, process_count(), 0);
    property_check(p, process_after(0) == nullptr);
    property_equal(p, handle_count(), 0);
    static const enum object_kind gone[] = {OBJECT_PROCESS, OBJECT_THREAD, OBJECT_CHANNEL, OBJECT_CONNECTION};
    for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++) {
        property_equal(p, object_count(gone[i]), 0);
    }
}

Test(world, keeps_its_promises) {
    cr_assert(property_run("world_keeps_its_promises", 1000, world));
}
