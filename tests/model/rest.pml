/*
 * The kernel lock, and CPUs that rest until their turn. Mirrors kernel_lock, kernel_lock_queue,
 * kernel_lock_grant, kernel_unlock and rest (kernel/lock.c), kernel_lock_first and
 * kernel_lock_last (kernel/lock.h), arch_cpu_rest and arch_cpu_ipi (kernel/include/arch.h).
 *
 * CPUS CPUs take the lock, the last of them once, the others ROUNDS times, so that places are used again. A CPU that
 * waits may at any turn of its loop rest instead, which then ends only by an interrupt; interrupts are off while it
 * waits, so one that was sent before stays pending and ends the rest at once. Outside of the kernel interrupts are on
 * and it takes what is pending. Every load and store of shared memory is a step of its own. A store with a full barrier
 * behind it reaches memory before the next step of its CPU; a relaxed one, and what a MUTATION weakens to a release,
 * may stay behind until it is flushed at any later moment, a relaxed one at the latest by the next release of its CPU.
 *
 *   MUTATION 1   the store that announces a rest is only a release
 *   MUTATION 2   the store of granted is only a release, and may come behind the look at who rests
 *   MUTATION 3   no look at granted once more after the rest is announced
 *   MUTATION 4   an interrupt that came before the halt does not end it
 *   MUTATION 5   the 0 that ends a rest is not released by the unlock, and may overtake a later ticket's announcement
 *   MUTATION 6   fewer places than CPUs
 *   MUTATION 7   the grant looks at who rests before it is made
 *   MUTATION 8   the grant looks at the place of the ticket before
 *
 * Checked: one holder at a time, those with tickets in their order; nobody rests for ever while its ticket is granted (no end state in
 * which a CPU has not had its rounds).
 */
#ifndef MUTATION
#define MUTATION 0
#endif
#define CPUS 3
#define ROUNDS 2
#if MUTATION == 6
#define PLACES 2
#else
#define PLACES CPUS
#endif

byte contenders; /* CPUs that hold or want the lock */
byte next_ticket, granted;
byte resting[PLACES]; /* by ticket: who rests, plus 1 */
bool pending[CPUS];   /* an interrupt was sent and not taken yet */
bool held;
byte served;          /* tickets whose owners have had the lock */

/* What is not in memory yet: a 0 for a place, an announcement, the next grant. */
bool zero_late[CPUS], announced_late[CPUS], served_late[CPUS];
byte zero_place[CPUS], announced_place[CPUS], served_ticket[CPUS];

proctype processor(byte me) {
    byte round = (me == CPUS - 1 -> ROUNDS - 1 : 0), ticket, place, next;
    bool look, first, others;
    do
    :: round == ROUNDS -> break
    :: else ->
        /* In user mode. */
        if
        :: pending[me] -> pending[me] = false
        :: true
        fi;
        /* kernel_lock_first: a read-modify-write, whose reading is in order with all others of that word. */
        d_step { first = (contenders == 0); contenders++ };
        if
        :: first -> goto holds
        :: else
        fi;
        /* kernel_lock_queue: the draw releases, so what was stored before is in memory. */
#if MUTATION != 5
        d_step { !zero_late[me] -> ticket = next_ticket; next_ticket++ };
#else
        d_step { ticket = next_ticket; next_ticket++ };
#endif
        place = ticket % PLACES;
        do
        :: granted > ticket -> break
        :: granted <= ticket ->
            /* rest. A later store to the same place is not overtaken by an earlier one of the same CPU. */
            !(zero_late[me] && zero_place[me] == place);
#if MUTATION == 1
            atomic { !announced_late[me] -> announced_late[me] = true; announced_place[me] = place };
#else
            resting[place] = me + 1;
#endif
#if MUTATION != 3
            look = (granted <= ticket);
#else
            look = true;
#endif
            if
            :: look ->
#if MUTATION == 4
                pending[me] = false;
#endif
                /* arch_cpu_rest */
                pending[me] -> pending[me] = false
            :: else
            fi;
            atomic { !announced_late[me] && !zero_late[me] -> zero_late[me] = true; zero_place[me] = place }
        od;
        assert(ticket == served);
        served++;
holds:
        assert(!held);
        held = true;
        held = false;
        /* kernel_lock_last: releases, so what was stored before is in memory. */
#if MUTATION != 5
        d_step { !zero_late[me] -> contenders--; others = (contenders > 0) };
#else
        d_step { contenders--; others = (contenders > 0) };
#endif
        next = 0;
        if
        :: others ->
            /* kernel_lock_grant: nobody else makes one now. */
            ticket = granted;
#if MUTATION == 7
            next = resting[ticket % PLACES];
            granted = ticket + 1;
#else
#if MUTATION == 2
            atomic { !served_late[me] -> served_late[me] = true; served_ticket[me] = ticket + 1 };
#else
            granted = ticket + 1;
#endif
#if MUTATION == 8
            next = resting[(ticket + PLACES - 1) % PLACES];
#else
            next = resting[ticket % PLACES];
#endif
#endif
        :: else
        fi;
        if
        :: next != 0 -> !served_late[me]; pending[next - 1] = true /* arch_cpu_ipi: behind all that was stored */
        :: else
        fi;
        round++
    od
}

/* Flush what is late, at any moment. */
proctype memory(byte me) {
end:
    do
    :: atomic {
           zero_late[me] -> resting[zero_place[me]] = 0; zero_late[me] = false
       }
    :: atomic {
           announced_late[me] -> resting[announced_place[me]] = me + 1; announced_late[me] = false
       }
    :: atomic {
           served_late[me] -> granted = served_ticket[me]; served_late[me] = false
       }
    od
}

init {
    byte i = 0;
    atomic {
        do
        :: i == CPUS -> break
        :: else -> run processor(i); run memory(i); i++
        od
    }
}
