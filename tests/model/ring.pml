/*
 * The ring's index protocol (lib/ring/index.h): one producer, one consumer, no lock between them, a peer that may write any
 * index it likes. Mirrors ring_room and ring_any (lib/ring/index.h), ring_enqueue, ring_peek and ring_commit
 * (ipc/ring.c).
 *
 * Promela interleaves whole statements in one order for all; what acquire and release forbid to be reordered is
 * therefore in program order here, and each MUTATION puts one pair in the order that a missing barrier would allow.
 *
 *   VARIANT HOSTILE   the producer writes any index at any time
 *
 *   MUTATION 1   the producer publishes tail before it has filled the slot (release missing)
 *   MUTATION 2   the consumer publishes head before it has read the slot (release missing)
 *   MUTATION 3   the producer does not look at head before it reuses a slot (acquire missing, or no look at all)
 *   MUTATION 4   the consumer believes an index without checking it (a hostile peer gets it to read what is not there)
 *
 * Checked: messages arrive in order, whole, none lost, none doubled; never more than DEPTH are queued; what a hostile
 * producer writes into tail makes the consumer refuse, never read a slot outside its ring.
 */
#ifndef MUTATION
#define MUTATION 0
#endif
#ifndef HOSTILE
#define HOSTILE 0
#endif
#define DEPTH 2
#define MESSAGES 5

byte head, tail;             /* shared: nothing in them is trusted */
byte first[DEPTH], second[DEPTH]; /* two halves of each payload: a message is whole if they agree */
byte refused;                /* the consumer has seen a broken protocol */

proctype producer() {
    byte own = 0, seen, n = 1;
    do
    :: n > MESSAGES -> break
    :: else ->
#if MUTATION != 3
        /* ring_take(&shared->head): acquire */
        seen = head;
        if
        :: own - seen == DEPTH -> goto no_room
        :: else
        fi;
#endif
#if MUTATION == 1
        tail = own + 1;
        first[own % DEPTH] = n;
        second[own % DEPTH] = n;
#else
        first[own % DEPTH] = n;
        second[own % DEPTH] = n;
        tail = own + 1; /* ring_publish(&shared->tail): release */
#endif
        own++;
        n++;
        assert(own <= MESSAGES);
no_room:
        skip
    od
}

/* A producer that has been taken over: any index, any time. */
proctype hostile_producer() {
    byte turns = 0;
    do
    :: turns == 3 -> break
    :: else ->
        if
        :: tail = 0
        :: tail = 1
        :: tail = DEPTH
        :: tail = DEPTH + 1
        :: tail = 255
        fi;
        turns++
    od
}

proctype consumer() {
    byte own = 0, seen, a, b, expected = 1, turns = 0;
    do
#if HOSTILE
    :: turns == 4 || refused -> break
#else
    :: expected > MESSAGES -> break
#endif
    :: else ->
        turns++;
        seen = tail; /* ring_take(&shared->tail): acquire */
        if
        :: seen == own -> goto nothing
#if MUTATION != 4
        :: seen != own && seen - own > DEPTH -> refused = 1; goto nothing
        :: seen != own && seen < own -> refused = 1; goto nothing
        :: seen > own && seen - own <= DEPTH
#else
        :: seen != own
#endif
        fi;
        /* The slot lies among the DEPTH that the producer may have filled. */
        assert(seen > own && seen - own <= DEPTH);
#if MUTATION == 2
        head = own + 1;
        a = first[own % DEPTH];
        b = second[own % DEPTH];
#else
        a = first[own % DEPTH];
        b = second[own % DEPTH];
        head = own + 1; /* ring_publish(&shared->head): release */
#endif
#if !HOSTILE
        assert(a == b);        /* whole */
        assert(a == expected); /* in order, none lost, none doubled */
#endif
        expected++;
        own++;
nothing:
        skip
    od
}

init {
    atomic {
#if HOSTILE
        run hostile_producer();
#else
        run producer();
#endif
        run consumer()
    }
}
