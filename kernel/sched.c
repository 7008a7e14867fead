#include "kernel/sched.h"

#include "base/bits.h"
#include "kernel/cpu.h"
#include "kernel/panic.h"
#include "kernel/process.h"
#include "kernel/slice.h"
#include "kernel/thread.h"

struct sched_waiting sched_waiting;

static struct process no_process = {.state = PROCESS_EXITED, .ending = 1};
struct thread sched_nobody = {.process = &no_process}, sched_closed = {.process = &no_process, .holds = HOLD_TURN};

static bool has_woken(const struct cpu *cpu) {
    return cpu->woken != &sched_nobody && cpu->woken != &sched_closed;
}

// In place of cpu->woken: there may be a woken thread and a fast path may begin turns, or not. Nobody is woken now.
static void open_turns(struct cpu *cpu) {
    KASSERT(!has_woken(cpu));
    bool open = cpu_slots == 1 && cpu->turn_timed && cpu->turn_length == SCHED_SLICE;
    cpu->woken = open ? &sched_nobody : &sched_closed;
}

enum {
    NOTHING = -1,   // less urgent than any priority
    DOOMED_MAX = 8, // threads of processes that have ended, ended on the way to one that runs
};

static int most_urgent(uint32_t mask) {
    return mask == 0 ? NOTHING : (int)bits_highest(mask);
}

static bool is_running(const struct cpu *cpu) {
    return cpu->current != nullptr && cpu->current->state == THREAD_RUNNING && !thread_doomed(cpu->current);
}

// How urgent is what that CPU runs or is about to run.
static int urgency(const struct cpu *cpu) {
    int running = is_running(cpu) ? cpu->current->priority : NOTHING;
    int ready = most_urgent(cpu->queue.occupied);
    return running > ready ? running : ready;
}

void sched_init_cpu(struct cpu *cpu) {
    for (unsigned i = 0; i < PRIORITIES; i++) {
        list_init(&cpu->queue.ready[i]);
    }
    timer_wheel_init(&cpu->timers, arch_time_now());
    cpu->armed = UINT64_MAX;
    cpu->woken = &sched_closed;
    cpu->switched_at = arch_stamp();
}

static void enqueue(struct cpu *cpu, struct thread *thread, bool at_front) {
    unsigned priority = thread->priority;
    thread->state = THREAD_READY;
    thread->home = (uint8_t)cpu->index;
    if (at_front) {
        list_push_front(&cpu->queue.ready[priority], &thread->ready);
    } else {
        list_push_back(&cpu->queue.ready[priority], &thread->ready);
    }
    cpu->queue.occupied |= 1u << priority;
    cpu->queue.length++;
    sched_waiting.count[priority]++;
    sched_waiting.mask |= 1u << priority;
}

static void dequeue(struct cpu *cpu, struct thread *thread) {
    unsigned priority = thread->priority;
    list_remove(&thread->ready);
    if (list_empty(&cpu->queue.ready[priority])) {
        cpu->queue.occupied &= ~(1u << priority);
    }
    cpu->queue.length--;
    if (--sched_waiting.count[priority] == 0) {
        sched_waiting.mask &= ~(1u << priority);
    }
}

// Where a thread goes that can run.
static struct cpu *choose_cpu(const struct thread *thread) {
    struct cpu *best = cpu_table[thread->home];
    if (cpu_slots == 1) {
        return best;
    }
    int least = urgency(best);
    if (least < thread->priority) {
        return best;
    }
    for (unsigned i = 0; i < cpu_slots && least != NOTHING; i++) {
        struct cpu *cpu = cpu_table[i];
        if (cpu == nullptr || !cpu->online) {
            continue;
        }
        // Where it has to wait anyway, it moves only to where the queue is clearly shorter.
        int urgent = urgency(cpu);
        bool shorter = urgent == least && urgent >= thread->priority && cpu->queue.length + 1 < best->queue.length;
        if (urgent < least || shorter) {
            best = cpu;
            least = urgent;
        }
    }
    return best;
}

static void time_turn(struct cpu *cpu) {
    cpu_arm(cpu, cpu_turn_end(cpu));
    cpu->turn_timed = true;
    open_turns(cpu);
}

static void place(struct thread *thread, bool at_front) {
    struct cpu *cpu = choose_cpu(thread);
    enqueue(cpu, thread, at_front);
    if (!is_running(cpu) || cpu->current->priority < thread->priority) {
        cpu_resched(cpu);
    } else if (cpu->current->priority == thread->priority && !cpu->turn_timed) {
        // Its turn comes when the current one's is over; that CPU's timer may not know yet.
        if (cpu == arch_cpu_current()) {
            time_turn(cpu);
        } else if (cpu->armed > cpu_turn_end(cpu)) {
            cpu_resched(cpu);
        }
    }
}

// The woken thread has its answer in its frame, and is not the woken one any more.
static struct thread *take_woken(struct cpu *cpu) {
    struct thread *thread = cpu->woken;
    cpu->woken = &sched_nobody;
    if (cpu->woken_bits != 0) {
        arch_frame_answer(&thread->frame, 0, (const uint64_t[4]){cpu->woken_bits});
    }
    return thread;
}

static void admit(struct cpu *cpu) {
    if (has_woken(cpu)) {
        place(take_woken(cpu), false);
    }
}

void sched_admit(void) {
    admit(arch_cpu_current());
}

bool sched_wake(struct thread *thread, uint64_t bits) {
    struct cpu *cpu = arch_cpu_current();
    const struct thread *current = cpu->current;
    if (cpu->woken != &sched_nobody || thread->holds != 0 || current == nullptr || current->state != THREAD_RUNNING ||
        thread->priority > current->priority) {
        return false;
    }
    thread->state = THREAD_READY;
    cpu->woken = thread;
    cpu->woken_bits = bits;
    return true;
}

void sched_ready(struct thread *thread) {
    if (!sched_wake(thread, 0)) {
        sched_admit(); // it was first
        place(thread, false);
    }
}

void sched_next(struct thread *thread) {
    struct cpu *cpu = arch_cpu_current();
    uint64_t now = arch_time_now();
    // The turn goes on; one that is over ends at the next tick.
    uint64_t end = cpu_turn_end(cpu);
    thread->slice_left = end > now ? end - now : 1;
    thread->holds |= HOLD_TURN;
    enqueue(cpu, thread, true);
    cpu_resched(cpu);
}

void sched_timer_came(struct cpu *cpu) {
    admit(cpu);
    cpu->armed = UINT64_MAX;
    cpu->timer_came = true;
    cpu->turn_timed = false;
    open_turns(cpu);
}

void sched_set_priority(struct thread *thread, unsigned priority) {
    if (thread->priority == priority) {
        return;
    }
    if (thread->state == THREAD_READY) {
        sched_admit();
        dequeue(cpu_table[thread->home], thread);
        thread->priority = (uint8_t)priority;
        place(thread, false);
        return;
    }
    thread->priority = (uint8_t)priority;
    if (thread->state == THREAD_RUNNING) {
        cpu_resched(thread_cpu(thread));
    }
}

void sched_remove(struct thread *thread) {
    KASSERT(thread->state == THREAD_READY);
    sched_admit();
    dequeue(cpu_table[thread->home], thread);
}

void sched_pass(struct thread *self) {
    struct cpu *cpu = arch_cpu_current();
    KASSERT(cpu->current == self);
    admit(cpu);
    if ((cpu->queue.occupied >> self->priority & 1) != 0) {
        cpu->turn_length = 0;
        cpu->turn_timed = false; // for that end; it matters if all that is met on the way to an equal has ended
        open_turns(cpu);
        cpu_resched(cpu);
    }
}

// The current thread, if any, has run up to now.
static void account(struct cpu *cpu, uint64_t now) {
    uint64_t ticks = now > cpu->switched_at ? now - cpu->switched_at : 0; // clocks of two CPUs may differ a little
    if (cpu->current == nullptr) {
        cpu->idle_ticks += ticks;
    } else {
        cpu->current->cpu_ticks += ticks;
        cpu->current->process->cpu_ticks += ticks;
    }
    cpu->switched_at += ticks;
}

void sched_leave(void) {
    struct cpu *cpu = arch_cpu_current();
    account(cpu, arch_stamp());
    arch_thread_switch(cpu->current, nullptr);
    cpu->current = nullptr;
    cpu_enter_space(cpu, nullptr);
    cpu_resched(cpu);
}

// The most urgent thread that waits anywhere, taken out of its queue: this CPU's own unless another's is more urgent.
static struct thread *take_next(struct cpu *cpu) {
    int priority = most_urgent(sched_waiting.mask);
    if (priority == NOTHING) {
        return nullptr;
    }
    struct cpu *from = cpu;
    if ((cpu->queue.occupied >> priority & 1) == 0) {
        uint32_t longest = 0;
        for (unsigned i = 0; i < cpu_slots; i++) {
            struct cpu *other = cpu_table[i];
            if (other != nullptr && (other->queue.occupied >> priority & 1) != 0 && other->queue.length > longest) {
                from = other;
                longest = other->queue.length;
            }
        }
        cpu->count[COUNT_STEAL]++;
    }
    struct thread *thread = container_of(list_first(&from->queue.ready[priority]), struct thread, ready);
    dequeue(from, thread);
    return thread;
}

// The same, ending what it meets of processes that have ended, up to a bound: then null, and a teardown is pending that
// goes on with it.
static struct thread *take_alive(struct cpu *cpu) {
    for (unsigned i = 0; i < DOOMED_MAX; i++) {
        struct thread *thread = take_next(cpu);
        if (thread == nullptr || !thread_doomed(thread)) {
            return thread;
        }
        enqueue(cpu, thread, true);
        thread_end(thread);
    }
    return nullptr;
}

static bool turn_is_over(const struct cpu *cpu, const struct thread *thread, uint64_t now) {
    return now >= cpu_turn_end(cpu) && (cpu->queue.occupied >> thread->priority & 1) != 0;
}

// Have the timer come for the next deadline and, if an equal waits, for the end of the turn. Who adds a deadline arms the
// timer for it (cpu_arm); so only when it has come is it to be found out what is next.
static void arm(struct cpu *cpu) {
    if (cpu->timer_came) {
        cpu->timer_came = false;
        cpu_arm(cpu, timer_next(cpu));
    }
    if (cpu->current == nullptr) {
        if (slice_pending()) {
            cpu_arm(cpu, 0);
        }
    } else if ((cpu->queue.occupied >> cpu->current->priority & 1) != 0 && !cpu->turn_timed) {
        time_turn(cpu);
    }
}

// Something still waits that is more urgent than what another CPU does: have that one choose anew; if more wait, it will
// go on here. This happens when something more urgent came while a CPU was still on its way to what it had been told.
static void spread(void) {
    int urgent = most_urgent(sched_waiting.mask);
    for (unsigned i = 0; i < cpu_slots && urgent != NOTHING; i++) {
        struct cpu *cpu = cpu_table[i];
        if (cpu != nullptr && cpu->online && !cpu->resched && urgency(cpu) < urgent) {
            cpu_resched(cpu);
            return;
        }
    }
}

// A turn of its own begins, or what it has left of one.
static void begin_turn(struct cpu *cpu, struct thread *next, uint64_t now) {
    uint64_t left = next->slice_left;
    cpu->turn_began = now;
    if (left == 0 && cpu->turn_timed && cpu->turn_length == SCHED_SLICE) {
        return; // the timer comes by the end of the last turn, and so of this one
    }
    next->slice_left = 0;
    cpu->turn_length = left != 0 ? left : SCHED_SLICE;
    cpu->turn_timed = cpu->armed <= cpu_turn_end(cpu);
    open_turns(cpu);
}

// `next` goes on in place of what is current.
static void enter(struct cpu *cpu, struct thread *next) {
    struct thread *current = cpu->current;
    uint64_t now = arch_stamp();
    account(cpu, now);
    cpu->current = next;
    next->state = THREAD_RUNNING;
    next->home = (uint8_t)cpu->index;
    next->holds &= (uint16_t)~HOLD_TURN;
    begin_turn(cpu, next, now);
    if (next != current) {
        cpu->count[COUNT_SWITCH]++;
        arch_thread_switch(current, next);
    }
    cpu_enter_space(cpu, &next->process->space);
}

static void idle(struct cpu *cpu) {
    struct thread *current = cpu->current;
    account(cpu, arch_stamp());
    cpu->current = nullptr;
    if (current != nullptr) {
        arch_thread_switch(current, nullptr);
    }
    cpu_enter_space(cpu, nullptr);
}

// current can go on, and does unless somebody else who waits comes first.
static struct thread *keep(struct cpu *cpu, struct thread *current) {
    KASSERT(!thread_doomed(current));
    admit(cpu);
    uint64_t now = arch_time_now();
    bool over = turn_is_over(cpu, current, now);
    if (!over && most_urgent(sched_waiting.mask) <= current->priority) {
        return current;
    }
    struct thread *next = take_alive(cpu);
    // Nothing alive is more urgent after all?
    if (next == nullptr || next->priority < current->priority || (next->priority == current->priority && !over)) {
        if (next != nullptr) {
            enqueue(cpu, next, true);
        }
        return current;
    }
    cpu->count[COUNT_PREEMPTION]++;
    uint64_t end = cpu_turn_end(cpu);
    admit(cpu); // ending threads on the way may have woken one
    enter(cpu, next);
    // Preempted: it keeps the rest of its turn and its place before its equals. Its turn over: behind them.
    if (!over) {
        current->slice_left = end > now ? end - now : 0;
    }
    if (current->slice_left != 0 || !arch_frame_is_call(&current->frame)) {
        current->holds |= HOLD_TURN;
    }
    place(current, !over && current->slice_left != 0);
    spread();
    return next;
}

// In place of one that has parked: the woken thread, without a detour through the queue, unless somebody waits who comes
// first.
static struct thread *replace(struct cpu *cpu) {
    struct thread *next = nullptr;
    if (has_woken(cpu) && sched_waiting.mask >> cpu->woken->priority == 0 && !thread_doomed(cpu->woken)) {
        next = take_woken(cpu);
    } else {
        admit(cpu);
        next = take_alive(cpu);
    }
    if (next == nullptr) {
        idle(cpu);
        return nullptr;
    }
    enter(cpu, next);
    spread();
    return next;
}

struct thread *sched_pick(void) {
    struct cpu *cpu = arch_cpu_current();
    struct thread *current = cpu->current;
    bool fit = current != nullptr && current->state == THREAD_RUNNING;
    struct thread *next = fit ? keep(cpu, current) : replace(cpu);
    arm(cpu);
    // Only now: ending threads on the way wakes others, which asks for what has just been done. A request that stayed
    // would keep other CPUs from interrupting this one.
    cpu->resched = false;
    return next;
}
