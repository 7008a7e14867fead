/*
 * Room in a full queue (IPC-2.4): the line of those who wait for it, and invitations. Mirrors room_tell, room_await,
 * room_taken, room_leave and lapsed (ipc/room.c).
 *
 * Clients send to a queue of one or two slots; a server receives whatever is there. A client that finds the queue full stands in
 * line and parks. When there is room, as many are woken as there are slots that nobody is invited to. A client that was
 * woken may send, may be slower than one that was not in line, may end, or may do something else for ever and keep its
 * invitation. Each call is one step, as the kernel lock makes it; time passes whenever it likes.
 *
 *   MUTATION 1   invitations are for ever
 *   MUTATION 2   who finds the queue full a second time does not stand in line again
 *   MUTATION 3   a client asks without the lock and parks later
 *   MUTATION 4   the timer is set by whoever receives, but not again when it has run
 *
 * Checked: when nothing can happen any more, nobody is parked while the queue has room; never more are woken than there
 * is room for, counted from the last time that invitations lapsed.
 */
#ifndef MUTATION
#define MUTATION 0
#endif
#define CLIENTS 3
#define SENDS 2 /* of each client */

mtype = { RUNNING, PARKED, READY, ELSEWHERE, ENDED };

mtype state[CLIENTS] = RUNNING;
bool lined[CLIENTS], invited[CLIENTS], waited[CLIENTS];
chan line = [CLIENTS] of { byte };
byte depth, queued, all_invited;
bool timer;

/* Take c out of the line, wherever it stands. */
inline leave_line(c) {
    if
    :: lined[c] -> line??eval(c); lined[c] = false
    :: else
    fi
}

inline end_invitation(c) {
    if
    :: invited[c] -> invited[c] = false; all_invited--
    :: else
    fi
}

inline tell() {
    byte first;
    do
    :: nempty(line) && depth - queued > all_invited ->
        line?first;
        lined[first] = false;
        assert(state[first] == PARKED);
        state[first] = READY;
        assert(!invited[first]);
        invited[first] = true;
        all_invited++;
        assert(all_invited <= depth - queued)
    :: else -> break
    od;
#if MUTATION != 1
    if
    :: nempty(line) && queued < depth -> timer = true
    :: else
    fi
#else
    skip
#endif
}

inline finish(c) {
    state[c] = ENDED;
    leave_line(c);
    end_invitation(c);
    tell()
}

proctype client(byte c) {
    byte sends;
    do
    :: atomic { state[c] == READY -> state[c] = RUNNING }
    :: atomic { state[c] == RUNNING && queued < depth && sends < SENDS -> queued++; sends++; end_invitation(c) }
    :: atomic { state[c] == RUNNING && queued == depth && sends < SENDS ->
#if MUTATION != 3
        end_invitation(c);
#if MUTATION == 2
        if
        :: !waited[c] -> line!c; lined[c] = true; waited[c] = true
        :: else
        fi;
#else
        line!c;
        lined[c] = true;
#endif
        state[c] = PARKED
#else
        skip
#endif
       };
#if MUTATION == 3
       atomic { end_invitation(c); state[c] = PARKED; if :: queued == depth -> line!c; lined[c] = true :: else fi }
#endif
    :: atomic { state[c] == RUNNING -> state[c] = ELSEWHERE; break } /* with its invitation */
    :: atomic { state[c] == RUNNING -> finish(c); break }
    :: state[c] == ENDED -> break
    od
}

/* One of the clients may be ended from outside, also while it is parked. */
proctype killer() {
    byte c;
    if
    :: c = 0
    :: c = 1
    :: c = 2
    fi;
    if
    :: atomic { state[c] == PARKED || state[c] == READY -> finish(c) }
    :: skip
    fi
}

proctype server() {
end:
    do
    :: atomic { queued > 0 ->
        queued--;
        tell()
       }
    od
}

proctype time() {
end:
    do
    :: atomic { timer ->
        timer = false;
        all_invited = 0;
        invited[0] = false; invited[1] = false; invited[2] = false;
#if MUTATION == 4
        if
        :: nempty(line) && queued < depth ->
            byte one;
            line?one; lined[one] = false; state[one] = READY; invited[one] = true; all_invited++
        :: else
        fi
#else
        tell()
#endif
       }
    :: atomic { all_invited > 0 && empty(line) -> /* noticed by the next that looks */
#if MUTATION != 1
        all_invited = 0;
        invited[0] = false; invited[1] = false; invited[2] = false
#else
        skip
#endif
       }
    od
}

/* No lost wake-up. The clients that are parked for ever in a run that has come to rest: there is room for them. */
proctype rest() {
end:
    do
    :: timeout ->
        assert(queued == 0);
        assert(state[0] != PARKED && state[1] != PARKED && state[2] != PARKED);
        break
    od
}

init {
    atomic {
        if
        :: depth = 1
        :: depth = 2
        fi;
        run client(0);
        run client(1);
        run client(2);
        run killer();
        run server();
        run time();
        run rest()
    }
}
