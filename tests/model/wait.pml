/*
 * Waiting, waking, deadlines and ends (IPC-2.4). Mirrors sys_wait (kernel/wait_sys.c), object_notify, look_at and
 * backlog_step (kernel/wait.c), park_thread, park_complete and park_cancel (kernel/park.c), process_end (kernel/process.c).
 *
 * Two threads wait for one source to be readable. A sender makes it so MESSAGES times, a timer's deadline passes for
 * thread 0, and a killer may end thread 1, each at any moment. Whoever is woken takes one message or finds that the other
 * was faster, and waits again. A source with more waiters than NOTIFY_MAX leaves the rest to a slice (here 1 is looked at
 * on the spot), which runs whenever it likes. Everything between kernel_lock and kernel_unlock is one step: the kernel
 * lock is not modelled but assumed; MUTATIONs that look without it are what it forbids.
 *
 *   MUTATION 1   the waiter looks at the source, releases the lock, and parks without looking again
 *   MUTATION 2   waiters beyond the first are dropped instead of left to the slice
 *   MUTATION 3   a deadline does not take the links back: the thread is completed a second time
 *   MUTATION 4   ending a thread does not take its links back
 *
 * Checked: an operation is completed exactly once; nobody is parked for ever while a message is there (no lost wake-up);
 * an ended thread is on no list and is never made to run.
 */
#ifndef MUTATION
#define MUTATION 0
#endif
#define THREADS 2
#define MESSAGES 2

mtype = { RUNNING, PARKED, READY, DEAD };

mtype state[THREADS] = RUNNING;
bool waiting[THREADS];  /* its link is among the source's waiters */
bool backlog[THREADS];  /* its link is in the backlog */
bool timed[THREADS];    /* its deadline is queued */
byte answers[THREADS];  /* of the operation it is parked in */
byte queued, taken, sent;
bool slice;             /* the backlog's slice is queued */
bool done;              /* nobody sends any more */

inline withdraw(t) {
    waiting[t] = false;
    backlog[t] = false;
    timed[t] = false
}

inline complete(t) {
    assert(state[t] == PARKED); /* unpark's assertion */
    answers[t]++;
    assert(answers[t] == 1);
    withdraw(t);
    state[t] = READY
}

/* object_notify: look at the first waiter, leave the others to the slice. */
inline notify() {
    if
    :: waiting[0] && queued > 0 ->
        complete(0);
        if
#if MUTATION == 2
        :: waiting[1] -> waiting[1] = false
#else
        :: waiting[1] -> waiting[1] = false; backlog[1] = true; slice = true
#endif
        :: else
        fi
    :: !waiting[0] && waiting[1] && queued > 0 -> complete(1)
    :: else
    fi
}

proctype thread(byte t) {
    bool looked;
    do
    :: atomic { state[t] == DEAD -> break }
    :: atomic { state[t] == RUNNING && queued > 0 -> queued--; taken++ }
    :: atomic { state[t] == RUNNING && taken > 0 -> state[t] = DEAD; break } /* it may have enough */
    :: atomic { state[t] == RUNNING && queued == 0 && done -> state[t] = DEAD; break }
    :: atomic { state[t] == RUNNING && queued == 0 && !done ->
#if MUTATION != 1
        answers[t] = 0;
        waiting[t] = true;
        timed[t] = (t == 0);
        state[t] = PARKED
#else
        skip
#endif
       };
#if MUTATION == 1
       atomic {
        if
        :: state[t] == RUNNING -> answers[t] = 0; waiting[t] = true; timed[t] = (t == 0); state[t] = PARKED
        :: else
        fi
       }
#endif
    :: atomic { state[t] == READY -> state[t] = RUNNING }
    od
}

proctype sender() {
    do
    :: sent == MESSAGES -> break
    :: else -> atomic { queued++; sent++; notify() }
    od;
    /* The last message of all: whoever still waits afterwards is woken by the source's end. */
    atomic {
        (queued == 0 || (state[0] != RUNNING && state[0] != READY && state[1] != RUNNING && state[1] != READY && !slice));
        /* No lost wake-up: with a message there and all work done, nobody is parked waiting for it. */
        assert(queued == 0 || (state[0] != PARKED && state[1] != PARKED));
        done = true
    }
}

proctype timer() {
    do
    :: atomic { timed[0] && state[0] == PARKED ->
#if MUTATION == 3
        answers[0]++; assert(answers[0] == 1); timed[0] = false; state[0] = READY
#else
        complete(0)
#endif
       }
    :: done -> break
    od
}

proctype backlog_step() {
    do
    :: atomic { slice ->
        slice = false;
        if
        :: backlog[1] ->
            backlog[1] = false;
            waiting[1] = true;
            if
            :: queued > 0 -> complete(1)
            :: else
            fi
        :: else
        fi
       }
    :: done -> break
    od
}

proctype killer() {
    if
    :: atomic { state[1] == PARKED ->
#if MUTATION != 4
        withdraw(1);
#endif
        state[1] = DEAD
       }
    :: skip
    fi
}

/* Whoever waits when nobody will send any more is ended with the system. */
proctype reaper() {
    done;
    do
    :: atomic { state[0] == PARKED -> withdraw(0); state[0] = DEAD }
    :: atomic { state[1] == PARKED -> withdraw(1); state[1] = DEAD }
    :: state[0] == DEAD && state[1] == DEAD -> break
    od
}

init {
    atomic {
        run thread(0);
        run thread(1);
        run sender();
        run timer();
        run backlog_step();
        run killer();
        run reaper()
    }
}
