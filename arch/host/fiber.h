// A second thread of control on a stack of its own, switched to and from by hand; the sanitizers are told.
#pragma once

#include <stddef.h>
#if !defined(__x86_64__)
#include <ucontext.h>
#endif

struct fiber {
#if defined(__x86_64__)
    void *stack_pointer; // while switched away; the registers that a call keeps lie there
#else
    ucontext_t context;
#endif
    void *stack; // above a guard page; null: the stack that the program began with
    size_t size;
    void *shadow;        // the sanitizer's fake stack while switched away
    void (*entry)(void); // until it first runs
};

// Make one that runs entry when first switched to. entry never returns.
void fiber_create(struct fiber *fiber, size_t size, void (*entry)(void));
void fiber_destroy(struct fiber *fiber); // not the running one
// Go on in `to`; comes back when something switches to `from`, which must describe the running one.
void fiber_switch(struct fiber *from, struct fiber *to);
