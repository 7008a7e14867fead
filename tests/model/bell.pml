/*
 * A ring in shared memory together with sleeping and waking (RING-3, FIELD-4), with no lock anywhere: what lib/mapped.h
 * promises. Mirrors ring_room and ring_any (lib/ring/index.h), mapped_publish, mapped_try_send and mapped_try_recv
 * (user/lib/mapped.h), ring, fall_asleep, wake_up, drain, await, mapped_send and mapped_recv (user/lib/mapped.c).
 *
 * A producer sends MESSAGES through a ring of DEPTH slots and sleeps when it is full; a consumer takes them and sleeps
 * when it is empty. Each has a queue for doorbells that holds BELLS, and wakes also when the other is gone. Waiting and
 * the doorbell are calls: each is one step, as the kernel lock makes it. Every load and store of shared memory is a
 * step of its own. A store with a full barrier behind it reaches memory before the next step of its process; where a
 * MUTATION weakens one to a release, it stays in the process's store buffer, behind which the process's own loads may
 * go ahead, until it is flushed at any later moment, or by the next call. One wait may end by its deadline, one
 * doorbell may find no memory.
 *
 *   VARIANT DEATH   either side may die between any two steps; the kernel tells the other of it some time after
 *
 *   MUTATION 1   the producer's store of tail is only a release
 *   MUTATION 2   the consumer's store of its sleep flag is only a release
 *   MUTATION 3   the consumer does not look once more after it has set its sleep flag
 *   MUTATION 4   the producer looks whether the other sleeps before it publishes, not behind
 *   MUTATION 5   the sleep flag is cleared behind the doorbell, not before it
 *   MUTATION 6   doorbells are taken between the look at the ring and the wait
 *   MUTATION 7   a consumer that is told of the other's end does not look at the ring once more
 *   MUTATION 8   a doorbell that found no memory is tried again without the sleep flag put back, if that is set
 *   MUTATION 9   the producer, who finds no room, does not look once more after it has set its sleep flag
 *   MUTATION 10  the consumer does not ring a producer who sleeps for room
 *
 * Checked: nobody sleeps for ever while the other has moved on or is gone (no end state in which one waits); messages
 * arrive in order and whole, none lost that was published, none doubled, whoever dies.
 */
#ifndef MUTATION
#define MUTATION 0
#endif
#ifndef DEATH
#define DEATH 0
#endif
#define DEPTH 2
#define MESSAGES 4
#define BELLS 1

byte tail, head;           /* the shared indices */
byte slot[DEPTH];
bool p_asleep, c_asleep;   /* the shared sleep flags, each side's own */
byte p_bells, c_bells;     /* the queues of the connection */
bool p_gone, c_gone;       /* told by the kernel */
bool p_dying, c_dying;
bool timed_out, no_memory; /* has happened */

/* Store buffers of one store each. */
bool p_buffered, c_buffered;
byte p_store;

#define P_CALL (!p_buffered)
#define C_CALL (!c_buffered)

/* ring: clear the flag, send an empty message. The flag is cleared first: what is set later is another sleep's. */
#if MUTATION == 5
#define RING(call, asleep, bells) \
    d_step { call -> if :: bells < BELLS -> bells++ :: else fi }; \
    asleep = false
#else
#define RING(call, asleep, bells) \
    do \
    :: asleep = false; \
       if \
       :: d_step { call && !no_memory -> no_memory = true }; PUT_BACK(asleep) \
       :: d_step { call -> if :: bells < BELLS -> bells++ :: else fi }; break \
       fi \
    od
#endif
#if MUTATION == 8
#define PUT_BACK(asleep) looked = asleep; if :: looked :: else -> break fi
#else
#define PUT_BACK(asleep) asleep = true
#endif

/* sys_recv until the queue is empty: ended when the other is gone and nothing is left. */
#define DRAIN(call, bells, gone) \
    d_step { call -> if :: gone -> ended = true :: else fi; bells = 0 }

proctype producer() {
    byte own = 0, seen = 0;
    bool looked, ended = false;
    {
        do
        :: own == MESSAGES -> break
        :: else ->
            seen = head; /* ring_room */
            if
            :: own - seen < DEPTH ->
                slot[own % DEPTH] = own + 1;
                /* mapped_publish */
#if MUTATION == 4
                looked = c_asleep;
                tail = own + 1;
                own++;
#else
#if MUTATION == 1
                atomic { !p_buffered -> p_buffered = true; p_store = own + 1 };
#else
                tail = own + 1;
#endif
                own++;
                looked = c_asleep;
#endif
                if
                :: looked -> RING(P_CALL, c_asleep, c_bells)
                :: else
                fi
            :: else ->
                if
                :: ended -> break
                :: else
                fi;
                /* await: fall_asleep, wait, wake_up, drain */
                p_asleep = true;
#if MUTATION != 9
                looked = (head == seen);
#else
                looked = true;
#endif
                if
                :: looked ->
                    if
                    :: P_CALL && (p_bells > 0 || c_gone)
                    :: d_step { P_CALL && !timed_out -> timed_out = true }
                    fi
                :: else
                fi;
                p_asleep = false;
                DRAIN(P_CALL, p_bells, c_gone)
            fi
        od;
        /* Like a client that waits for the last answer: only then it closes, and that wakes nobody who should not sleep. */
        P_CALL && (head == own || ended || c_gone)
    } unless { p_dying };
    /* It closes, or the kernel closes for it: its last store has reached memory by then. */
    d_step { P_CALL -> p_gone = true }
}

proctype consumer() {
    byte own = 0, seen = 0, got;
    bool looked, ended = false;
    {
        do
        :: own == MESSAGES -> break
        :: else ->
            seen = tail; /* ring_any */
            if
            :: seen != own ->
                assert(seen > own && seen - own <= DEPTH);
                got = slot[own % DEPTH];
                assert(got == own + 1); /* in order, whole, not doubled */
                own++;
                head = own; /* mapped_publish */
                looked = p_asleep;
                if
#if MUTATION != 10
                :: looked -> RING(C_CALL, p_asleep, p_bells)
#else
                :: looked
#endif
                :: else
                fi
            :: else ->
                if
                :: ended -> break
                :: else
                fi;
                /* await */
#if MUTATION == 2
                atomic { !c_buffered -> c_buffered = true };
#else
                c_asleep = true;
#endif
#if MUTATION != 3
                looked = (tail == own);
#else
                looked = true;
#endif
#if MUTATION == 6
                DRAIN(C_CALL, c_bells, false);
#endif
                if
                :: looked ->
                    if
                    :: C_CALL && (c_bells > 0 || p_gone)
                    :: d_step { C_CALL && !timed_out -> timed_out = true }
                    fi
                :: else -> C_CALL
                fi;
                c_asleep = false;
                DRAIN(C_CALL, c_bells, p_gone);
#if MUTATION == 7
                if
                :: ended -> break
                :: else
                fi
#endif
            fi
        od;
        assert(!ended || own == tail) /* all that was published */
    } unless { c_dying };
    d_step { C_CALL -> c_gone = true }
}

/* Flush what is buffered, at any moment. */
proctype flusher() {
end:
    do
    :: atomic { p_buffered -> tail = p_store; p_buffered = false }
    :: atomic { c_buffered -> c_asleep = true; c_buffered = false }
    od
}

proctype killer() {
#if DEATH
    if
    :: p_dying = true
    :: c_dying = true
    :: skip
    fi
#endif
    skip
}

init {
    atomic {
        run producer();
        run consumer();
        run flusher();
        run killer()
    }
}
