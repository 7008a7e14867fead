// Who waits for whom (FIELD-1). A thread is stuck if nothing that can still happen wakes it: it has no deadline, and
// everybody who could make one of its events true is a process whose threads are all stuck the same way. Such a set of
// processes is a wait cycle, or waits for one. The search is bounded: where it gets too large, the answer is no.
//
// What counts is what a process can do with the ends that it holds, ending and closing the other end included. A kill, the
// closing of the very handle that is waited by, and changes of names while somebody serves do not count: with those, hardly
// anything would ever be stuck.
// Needs the kernel lock.
#pragma once

#include "base/types.h"

struct object;
struct process;
struct thread;

// *work: how much was looked at, in units of some 25 instructions.
bool wait_graph_stuck(const struct thread *thread, unsigned *work);
// The objects that a parked thread waits for: the number, at most WAIT_MAX; 0 for a sleep.
unsigned wait_graph_objects(const struct thread *thread, struct object **object);
// Visit the processes that can wake a parked thread by way of that object; false if others can too. As object_ops.wakers.
bool wait_graph_wakers(const struct thread *thread, const struct object *object,
                       bool (*visit)(void *context, struct process *process), void *context);
