// Threads: the start record lies at the top of the new thread's own stack.
#include "lib/thread.h"

#include "isthmus/calls.h"
#include "lib/memory.h"
#include "lib/self.h"

enum { STACK_DEFAULT = 64 * 1024 };

struct thread_record {
    void (*body)(void *argument);
    void *argument;
};

// In start.S: the first instruction of a thread; calls thread_main with an aligned stack.
void thread_entry(void);

[[noreturn]] void thread_main(struct thread_record *record);

void thread_main(struct thread_record *record) {
    record->body(record->argument);
    for (;;) {
        (void)sys_thread_exit();
    }
}

long thread_start(void (*body)(void *argument), void *argument, size_t stack_size) {
    if (stack_size == 0) {
        stack_size = STACK_DEFAULT;
    }
    char *stack = memory_map(stack_size);
    if (stack == nullptr) {
        return ERR_NO_MEMORY;
    }
    uintptr_t top = ((uintptr_t)stack + stack_size - sizeof(struct thread_record)) & ~(uintptr_t)15;
    struct thread_record *record = (struct thread_record *)top;
    *record = (struct thread_record){.body = body, .argument = argument};
    long thread = sys_thread_create(self_process(), (uint64_t)(uintptr_t)thread_entry, top, top, PRIORITY_DEFAULT);
    if (thread < 0) {
        memory_unmap(stack);
    }
    return thread;
}
