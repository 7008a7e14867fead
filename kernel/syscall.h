// How a call is made and answered. The generated dispatcher decodes the arguments; the implementation, sys_<name>, stands
// beside its object in <object>_sys.c: it refuses first, then acts, and returns a status.
#pragma once

#include "abi/abi.h"
#include "base/types.h"

// Instead of a status, and below all of them. AGAIN: an implementation has done a share of what is too long for one stay in
// the kernel, and nothing else; the thread goes back to user mode, where interrupts are let in, and makes the same call anew.
// PENDING: it has parked the calling thread or ended it: there is no answer yet, or never. ANSWERED: a decoder has put answer
// and results into the frame.
enum { CALL_AGAIN = -999999, CALL_PENDING = -1000000, CALL_ANSWERED = -1000001 };

struct process;
struct thread;

enum { CALL_ERRORS = 31 }; // error codes from -1 to -CALL_ERRORS are counted
static_assert(-CALL_ERRORS < ERR_NO_DEVICE);

// Make the call that the running thread's frame holds; answer it unless it is pending. A refused call has changed nothing,
// so one that found no memory is made again while slices are queued, which may return some: each time it leaves the
// kernel, a share of them is done; this a number of times. However often it is made again, it counts as one call. Needs the kernel lock.
void call_make(struct thread *self);
// The end of it, when the call that the frame holds was made and has neither succeeded nor been answered.
void call_refuse(struct thread *self, long status);
// And when all that the ABI keeps is in the frame: if the call is to be made again, have the thread do so.
void call_settle(struct thread *self);
// Whether the call under way will be made again if it answers this. Who counts refusals counts the last.
bool call_made_again(long status);
// How often a call was refused with this error since boot; by minus the error.
extern uint64_t call_refusals[CALL_COUNT][CALL_ERRORS + 1];
uint64_t call_refused(uint64_t number, int32_t error);
void call_count_refusal(struct process *process, uint64_t number, long error);
