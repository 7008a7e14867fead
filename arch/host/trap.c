// Frames of user threads and what else belongs to a thread.
#include <stdio.h>
#include <string.h>

#include "machine.h"

// As the seam places it (arch.h).
static struct thread *host_current(void) {
    return *(struct thread **)((char *)host_cpu_current + CPU_CURRENT_OFFSET);
}

struct arch_frame *host_frame(struct thread *thread) {
    return (struct arch_frame *)((char *)thread + THREAD_FRAME_OFFSET);
}

struct arch_thread *host_arch_thread(struct thread *thread) {
    return (struct arch_thread *)((char *)thread + THREAD_FRAME_OFFSET + sizeof(struct arch_frame));
}

void arch_frame_init(struct arch_frame *frame, uint64_t entry, uint64_t stack, uint64_t argument) {
    memset(frame, 0, sizeof *frame);
    frame->pc = entry;
    frame->sp = stack;
    frame->argument = argument;
}

void arch_frame_again(struct arch_frame *frame) {
    frame->again = true;
}

// Vector state has no content here, but whose is loaded is followed, so that a switch that is forgotten is found.
void arch_thread_switch(struct thread *from, struct thread *to) {
    struct host_cpu *self = host.running;
    if (self->vector != from) {
        host_breach("vector state is switched from a thread that is not loaded");
    }
    self->vector = to;
}

struct fast_answer arch_fast_leave(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t) {
    struct thread *next = trap_syscall(host.running->thread);
    if (next != host_current()) {
        host_breach("the thread to resume is not the current one");
    }
    return (struct fast_answer){next};
}

static struct fast_answer go_on(uint64_t to) {
    struct thread *next = (struct thread *)to;
    if (next != host_current()) {
        host_breach("the thread that goes on is not the current one");
    }
    return (struct fast_answer){next};
}

static struct fast_answer go_on_with(uint64_t to, uint64_t status, uint64_t word, uint64_t second) {
    struct fast_answer answer = go_on(to);
    arch_frame_answer(host_frame(answer.next), (int64_t)status, (const uint64_t[4]){word, second});
    return answer;
}

struct fast_answer arch_fast_words_exit(uint64_t word0, uint64_t status, uint64_t word1, uint64_t word2, uint64_t word3,
                                        uint64_t self) {
    struct fast_answer answer = go_on(self);
    arch_frame_answer(host_frame(answer.next), (int64_t)status, (const uint64_t[4]){word0, word1, word2, word3});
    return answer;
}

struct fast_answer arch_fast_stay_exit(uint64_t word, uint64_t status, uint64_t, uint64_t self, uint64_t, uint64_t) {
    return go_on_with(self, status, word, 0);
}

struct fast_answer arch_fast_called_exit(uint64_t word, uint64_t status, uint64_t, uint64_t self, uint64_t, uint64_t) {
    return arch_fast_stay_exit(word, status, 0, self, 0, 0);
}

struct fast_answer arch_fast_called_words_exit(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                                               uint64_t a5) {
    return arch_fast_words_exit(a0, a1, a2, a3, a4, a5);
}

// On a machine with registers they would just stay what they are: the message goes from one thread to the other.
struct fast_answer arch_fast_pair_exit(uint64_t word, uint64_t status, uint64_t from, uint64_t to, uint64_t second,
                                       uint64_t) {
    struct thread *before = (struct thread *)from, *next = (struct thread *)to;
    memcpy(host_frame(next)->message, host_frame(before)->message, sizeof host_frame(next)->message);
    memset(host_frame(before)->message, 0, sizeof host_frame(before)->message);
    arch_thread_switch(before, next);
    return go_on_with(to, status, word, second);
}

struct fast_answer arch_fast_exit(uint64_t word, uint64_t status, uint64_t from, uint64_t to, uint64_t, uint64_t) {
    return arch_fast_pair_exit(word, status, from, to, 0, 0);
}

struct fast_answer arch_fast_word_exit(uint64_t word, uint64_t status, uint64_t from, uint64_t to, uint64_t, uint64_t) {
    arch_thread_switch((struct thread *)from, (struct thread *)to);
    return go_on_with(to, status, word, 0);
}

struct fast_answer arch_fast_frame_exit(uint64_t, uint64_t, uint64_t from, uint64_t to, uint64_t, uint64_t) {
    arch_thread_switch((struct thread *)from, (struct thread *)to);
    return go_on(to);
}

struct fast_answer arch_fast_settle(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t) {
    return go_on((uint64_t)trap_settle());
}

// A call as the entry code of a machine makes it.
struct thread *host_call(struct thread *self) {
    struct arch_frame *frame = host_frame(self);
    frame->again = false;
    if (frame->number >= fast_limit) {
        return trap_syscall(self);
    }
    const uint64_t *arg = frame->arg;
    return fast_paths[frame->number](arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]).next;
}

void arch_thread_destroy(struct arch_thread *thread) {
    for (unsigned i = 0; i < host.cpus; i++) {
        if (host.cpu[i].vector != nullptr && host_arch_thread(host.cpu[i].vector) == thread) {
            host_breach("a thread whose vector state is loaded on CPU %u is destroyed", i);
        }
    }
    if (thread->user != nullptr && host.thread_gone != nullptr) {
        host.thread_gone(thread->user);
    }
    thread->user = nullptr;
}

uint64_t arch_frame_pc(const struct arch_frame *frame) {
    return frame->pc;
}

const char *arch_frame_register(const struct arch_frame *frame, unsigned index, uint64_t *value) {
    const struct {
        const char *name;
        uint64_t value;
    } registers[] = {
        {"pc", frame->pc},
        {"sp", frame->sp},
        {"fp", frame->fp},
        {"number", frame->number},
    };
    if (index >= sizeof registers / sizeof registers[0]) {
        return nullptr;
    }
    *value = registers[index].value;
    return registers[index].name;
}

uint64_t arch_frame_pointer(const struct arch_frame *frame) {
    return frame->fp;
}

bool arch_frame_link(const struct arch_frame *, uint64_t at, uint64_t link[2]) {
    enum { LENGTH = 16 };
    return at >= ARCH_USER_BASE && at <= ARCH_USER_TOP - LENGTH && arch_user_copy_in(link, at, LENGTH);
}
