/*
 * Bits of a notifier: signal and take (IPC-2.4). Mirrors notifier_signal, notifier_take and take_withdraw
 * (ipc/notifier.c).
 *
 * Two takers ask for overlapping bits, a signaller sets them at any moment, the first taker has a deadline. Each call is
 * one step, as the kernel lock makes it.
 *
 *   MUTATION 1   take looks without the lock and parks later
 *   MUTATION 2   a bit given to one taker is given to the next one too
 *   MUTATION 3   what a taker gets is not cleared from what remains
 *
 * Checked: each signalled bit is got exactly once or still set; nobody is parked while a bit that it asked for is set; an
 * operation is completed exactly once.
 */
#ifndef MUTATION
#define MUTATION 0
#endif
#define SIGNALS 3

byte bits;
byte mask[2];
bool parked[2];
byte answers[2];
byte got;      /* bits got in total, counted */
byte signalled; /* bits newly set in total, counted */
bool done;

inline count(n, word) {
    n = n + (word & 1) + ((word >> 1) & 1)
}

inline signal(b) {
    d_step {
        byte word = bits | b, part;
        byte fresh = b & ~bits;
        count(signalled, fresh);
        part = word & mask[0];
        if
        :: parked[0] && part != 0 ->
#if MUTATION != 2
            word = word & ~part;
#endif
            answers[0]++;
            parked[0] = false;
            count(got, part)
        :: else
        fi;
        part = word & mask[1];
        if
        :: parked[1] && part != 0 ->
            word = word & ~part;
            answers[1]++;
            parked[1] = false;
            count(got, part)
        :: else
        fi;
        bits = word
    }
}

proctype signaller() {
    byte n = 0;
    do
    :: n == SIGNALS -> break
    :: else ->
        if
        :: signal(1)
        :: signal(2)
        :: signal(3)
        fi;
        n++
    od;
    done = true
}

proctype taker(byte t; byte want) {
    byte part, turns = 0;
    mask[t] = want;
    do
    :: turns == 2 -> break
    :: else ->
        turns++;
        answers[t] = 0;
#if MUTATION == 1
        if
        :: (bits & want) == 0 -> parked[t] = true
        :: else -> d_step { part = bits & want; count(got, part); bits = bits & ~part }
        fi;
#else
        d_step {
            part = bits & want;
            if
            :: part == 0 -> parked[t] = true
            :: else ->
                count(got, part);
#if MUTATION != 3
                bits = bits & ~part
#else
                skip
#endif
            fi
        };
#endif
        do
        :: !parked[t] -> break
        :: d_step { parked[t] && t == 0 -> answers[t]++; parked[t] = false } /* the deadline */
        :: parked[t] && done -> parked[t] = false; goto over
        od;
        assert(answers[t] <= 1)
    od;
over:
    skip
}

/* At every moment: nobody is parked while a bit that it asked for is set, and every bit is accounted for. */
proctype observer() {
    atomic {
        assert(!(parked[0] && (bits & mask[0]) != 0) && !(parked[1] && (bits & mask[1]) != 0));
        byte set = 0;
        count(set, bits);
        assert(signalled == got + set)
    }
}

init {
    atomic {
        run signaller();
        run taker(0, 1);
        run taker(1, 3);
        run observer()
    }
}
