// A thread: registers, priority, state, and what it is parked on. It belongs to one process for life. Its home CPU's
// run queue holds it while ready. Needs the kernel lock.
#pragma once

#include "kernel/fault.h"
#include "kernel/id_tree.h"
#include "kernel/include/arch.h"
#include "kernel/object.h"
#include "kernel/park.h"
#include "kernel/wait.h"

struct process;
struct thread;

// What a thread has to do with calls (ipc/call.h).
struct call_end {
    struct object *turn_at; // while parked in a call that nobody has taken: the channel, referenced
    user_ptr_t receive;
    uint16_t room;   // while parked: how many bytes of payload fit at `receive`; else 0
    uint16_t length; // while waiting its turn: the payload, kept; null if length is 0
    bool lost;       // the caller that it served has gone; the next reply_wait tells
    void *payload;
    struct thread *server;  // while parked in a call and turn_at is null: who has taken it, or null
    struct thread *serving; // the caller, parked, whose call this thread has taken and not yet replied to
};

enum thread_state {
    THREAD_RUNNING, // current on a CPU
    THREAD_READY,   // in the run queue of its home CPU, or that CPU's woken thread
    THREAD_NEW,     // made, not started
    THREAD_PARKED,
    THREAD_DEAD, // never runs again
};

// What the fast paths use comes before the frame, near enough to load and store it in pairs where a machine can.
struct thread {
    struct object object;
    // Handles that fast paths of it named, or handle_none; whether they still are, their values tell. Given by: call, send,
    // signal; taken by: the others. A thread that is not to make calls any more has none.
    const struct handle *last_given;
    struct process *process; // referenced
    const struct handle *last_taken;
    struct call_end call;
    struct park park;
    uint64_t cpu_ticks;  // up to when it was last switched to: thread_cpu_time adds the rest
    uint64_t slice_left; // nanoseconds of its turn that a preemption left it; 0: a whole turn
    uint32_t id;         // unique for the life of the system
    enum thread_state state;
    uint8_t base_priority;
    uint8_t home; // CPU index; of a running thread: thread_cpu
    uint8_t wait_count;
    union {
        struct {
            uint8_t priority; // at least base_priority; more while it serves a call of somebody more urgent
            uint16_t
                holds; // HOLD_*: why it is not for the fast paths. ENDING: it is dropped when its CPU next enters the
                       // kernel; TIMED: parked with a deadline; TURN: it has a rest of a turn, or not a call's frame
        };
        uint32_t standing; // both: its priority if nothing holds it, else more than any
    };
    struct arch_frame frame; // user registers while not running; here and next, for the port
    struct arch_thread arch;
    struct list siblings; // in process->threads
    struct id_node by_id; // in process->thread_ids
    struct list ready;    // in a run queue
    union {
        struct wait_link wait[WAIT_MAX];
        struct fault_record fault; // of one that waits for nothing any more, since it has ended its process
    };
    uint64_t started;
    uint64_t call_pc;    // of the call last made again for want of memory
    unsigned call_turns; // how often (syscall.c)
    bool call_again;     // it is to be made again, once all of the frame is there (call_settle)
};

// Instead of a thread (cpu.h); of a process that never runs.
extern struct thread sched_nobody, sched_closed;

// The thread of an OBJECT_THREAD.
static inline struct thread *thread_of(const struct object *object) {
    return container_of(object, struct thread, object);
}

static_assert(offsetof(struct thread, frame) == THREAD_FRAME_OFFSET);
static_assert(offsetof(struct thread, holds) == THREAD_FRAME_OFFSET - sizeof(uint16_t));
static_assert(offsetof(struct thread, arch) == THREAD_FRAME_OFFSET + sizeof(struct arch_frame));

extern const struct object_ops thread_ops;

// Make a thread in process, ready to run at entry; it holds a reference to itself while alive. ERR_NO_MEMORY, ERR_LIMIT,
// ERR_DEAD. On success *thread has one reference for the caller.
[[nodiscard]] status_t thread_create(struct process *process, uint64_t entry, uint64_t stack, uint64_t argument,
                                     unsigned priority, struct thread **thread);
void thread_start(struct thread *thread); // to the scheduler, once
// The thread of a process with the next higher id, or null; not a new reference.
struct thread *thread_after(const struct process *process, uint32_t id);
struct cpu *thread_cpu(const struct thread *thread); // where it runs, or would best run
// End a thread, in whatever state it is; a thread running on another CPU stops when that CPU takes the interrupt sent to
// it. Idempotent.
void thread_end(struct thread *thread);
// A running thread makes no calls any more: it is dropped when its CPU next enters the kernel, for which that must be asked.
void thread_stop(struct thread *thread);
// Whether a running thread must not go back to user mode: it, or its process, has been ended.
bool thread_doomed(const struct thread *thread);
// The current thread of this CPU is doomed: leave it and its address space for good.
void thread_drop(struct thread *self);
uint64_t thread_cpu_time(const struct thread *thread); // nanoseconds, up to now
uint32_t thread_current_pid(void);                     // of the process whose thread is current on this CPU; 0: none
uint64_t thread_count(void);                           // alive
uint64_t thread_created(void);                         // ever
