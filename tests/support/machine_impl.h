// What the files of the machine's support share.
#pragma once

#include "../../arch/host/fiber.h"
#include "machine.h"

enum user_request {
    USER_NOTHING,
    USER_CALL,   // to be made when the thread is next in user mode
    USER_CALLED, // made, not yet answered
    USER_ACCESS,
    USER_WORK,
    USER_RAISE,
};

struct player {
    struct user user; // first: a user pointer is a player's
    struct player *next;
    program_t *program; // null: a puppet
    struct fiber fiber; // of a program
    bool started;
    bool resting; // the call is not the test's: an idle puppet lets others have its CPU
    enum user_request request;
    uint64_t number, arg[6];
    uint64_t answers; // the frame's, before the call
    uint64_t va;      // of an access
    unsigned char *buffer;
    size_t length;
    bool store;
    unsigned faults; // in a row for one access
    uint64_t nanoseconds;
    enum fault_kind kind;
};

extern struct player *players;
extern struct player *playing; // whose program runs now; null: the test

struct player *player_of(struct thread *thread); // made when first asked for
struct arch_frame *frame_of(struct thread *thread);
program_t *program_at(uint64_t entry);
void player_settle(struct player *player); // note the answer if there is one
void player_act(struct player *player, unsigned cpu);
bool player_can_act(const struct player *player);
bool rest_a_puppet(void);       // false: there is none in user mode
void to_next_deadline(void);    // time passes; fails the test when nobody has one
void machine_begins_call(void); // the test makes a call: the machine has as many steps as ever to come to rest
void players_forget(void);
void player_gone(void *user);

// An archive with the given files and bin/init; from malloc.
void *archive_make(const struct machine_file *file, unsigned count, size_t *size);
