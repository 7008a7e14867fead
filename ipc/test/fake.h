// What the suites of ipc/ put below it in place of the rest of the kernel: memory that can be made to fail, user memory
// that can be made to fault, threads reduced to what they wait for. Objects and slices are the real ones.
#pragma once

#include "kernel/object.h"

// Memory. Allocations fail from the n-th, or only that.
void fake_memory_fail(unsigned nth, bool and_all_later); // 1: the next; 0: none
bool fake_memory_failed(void);                           // since fake_memory_fail
uint64_t fake_memory_pages(void);                        // taken now
uint64_t fake_memory_objects(void);

// User memory is the test's own: an address is a pointer. The next copies fault after moving a part.
extern bool fake_user_faults;
static inline user_ptr_t fake_user(const void *pointer) {
    return (user_ptr_t){.va = (uintptr_t)pointer};
}

extern uint64_t fake_time;

// A thread that waits for events of one object.
struct fake_waiter {
    struct list link;
    struct object *object; // null: it does not wait
    uint32_t events;
    uint64_t woken; // times
};

void fake_wait(struct fake_waiter *waiter, struct object *object, uint32_t events); // woken at once if one holds
void fake_wait_end(struct fake_waiter *waiter);

uint64_t fake_notified(void); // calls of object_notify and object_notify_some, ever

// Let time pass, and what is due by then expire.
void fake_time_pass(uint64_t nanoseconds);
bool fake_timer_runs(void);
