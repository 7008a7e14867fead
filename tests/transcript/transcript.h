// Transcripts (TEST-1, 2, 6): from a seed, a sequence of calls of every kind, made by two processes in turn, and a line for
// each with its arguments and everything that it gave. The same seed gives the same text on every machine and port:
// handles are named by order of birth, ids by order of appearance, chosen addresses by their mapping; what depends on
// time is left out. The same piece of C runs on the workstation and as a user program; only struct transcript_machine
// differs.
//
// What makes the text depend on the seed alone: one process at a time makes a call; everything happens in a directory of
// their own; ends of processes are waited for; no argument names by accident what the machine happens to have.
#pragma once

#include "abi/abi.h"
#include "base/types.h"

enum transcript_actor { TRANSCRIPT_FIRST, TRANSCRIPT_PARTNER, TRANSCRIPT_ACTORS };

// Both actors keep these addresses free: nothing is mapped from here on, for TRANSCRIPT_ARENA_SIZE bytes.
constexpr uint64_t TRANSCRIPT_ARENA = 0x200000000;
constexpr uint64_t TRANSCRIPT_ARENA_SIZE = 0x4000000;

// The first actor is user 0; the partner is user and group TRANSCRIPT_USER.
enum { TRANSCRIPT_USER = 1000 };

enum { TRANSCRIPT_CALLS_MAX = 3000 };

struct transcript_machine {
    void *context;
    int64_t (*call)(void *context, enum transcript_actor actor, uint64_t number, const uint64_t arg[6],
                    uint64_t result[4]);
    // Loads and stores of the first actor.
    void (*load)(void *context, void *to, uint64_t from, size_t length);
    void (*store)(void *context, uint64_t to, const void *from, size_t length);
    void (*line)(void *context, const char *text); // one line of the transcript, without its end
    handle_t root;                                 // the first actor's root directory
    handle_t process[TRANSCRIPT_ACTORS];           // each actor's own process, as it names it
    handle_t partner;                              // the partner's process, as the first actor names it
};

// Make the transcript of `count` calls, at most TRANSCRIPT_CALLS_MAX. Leaves nothing behind. false: more calls, or the
// directory could not be prepared or taken away.
bool transcript_run(const struct transcript_machine *machine, uint64_t seed, unsigned count);

// A digest of lines: begin with 0.
uint64_t transcript_digest(uint64_t digest, const char *line);
