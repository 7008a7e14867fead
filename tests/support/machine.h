// A booted machine for tests: the real core on the host port, and user threads that the test plays.
//
// A user thread is either a program, a C function that runs on a stack of its own and makes calls like one; or a puppet,
// which does nothing until the test itself makes calls through it. Both use the same functions: user_call, user_load,
// user_store, user_work. For a puppet they run the machine until the call is answered, or until nothing can answer it
// now (USER_PARKED; ask user_answered later).
//
// The machine goes step by step; in each step one virtual CPU does one thing: the next thing of the thread in user mode,
// an interrupt that is pending, or going on inside the kernel. Which one is the test's choice (options.property), or in
// turn. Time stands still unless a thread works or everything rests.
//
// A puppet that is not asked for anything sits in user mode. When another thread needs its CPU, it sleeps for a moment
// (some 0.1 ms of virtual time) by a call that the test does not see.
//
// init is a puppet (or the program options.init) with priority PRIORITY_DEFAULT, a root directory, itself as a handle, and
// some mapped memory for arguments.
#pragma once

#include "abi/abi.h"
#include "host.h"
#include "kernel/object.h"
#include "kernel/slab.h"

struct property;
struct user;
typedef void program_t(struct user *self);

struct machine_file {
    const char *path; // without a leading slash; folders on the way are added
    const void *data;
    size_t size;
    unsigned mode; // 0: 0644
};

struct machine_options {
    unsigned cpus;         // 0: 1
    uint64_t memory;       // bytes; 0: 8 MiB
    uint64_t mapped_limit; // 0: all of it is mapped at boot
    const char *command_line;
    struct property *property; // chooses who goes on; null: in turn
    program_t *init;           // null: a puppet
    unsigned file_count;       // of the initial archive, beside bin/init
    const struct machine_file *file;
    const void *archive; // another initial archive as it stands, good or bad, unpacked first; null: none
    size_t archive_size;
    uint64_t refuse;                 // the allocation of the boot that is refused, counted from 1; 0: none
    const struct host_options *host; // where more has to be said; cpus, memory and archives are filled in
};

// Switch a new machine on; init runs. Fails the test when it does not come up.
void machine_boot(const struct machine_options *options);
// The same without the demand: false when it stopped (host_ended) or init never ran.
bool machine_try_boot(const struct machine_options *options);
bool machine_boot_refused(void); // whether the last boot came to the allocation that options.refuse names
struct user *machine_init(void);

// One thing on one CPU; false when there is nothing to do at this time.
bool machine_step(void);
// Until there is nothing more to do without time passing.
void machine_settle(void);
// Until there is nothing more to do at all: time goes to the next deadline again and again, at most to `until`.
void machine_run(uint64_t until);
void machine_run_until_idle(void);
// Until it is switched off or reset by what was asked of it: how it ended. Fails the test when it goes on.
enum host_end machine_run_to_end(void);
uint64_t machine_steps(void);

// ---- user threads ----------------------------------------------------------------------------------------------------

enum { USER_SCRATCH_SIZE = 128 * 1024 };

// What user_call returns instead of a status.
constexpr int64_t USER_PARKED = INT64_MIN;
constexpr int64_t USER_GONE = INT64_MIN + 1;

struct user {
    struct thread *thread; // null once the core has destroyed it
    uint32_t pid;
    handle_t process, self; // as its creator names it: handles of the process and of the thread
    handle_t root, own;     // as it itself names them: its root directory and its process; 0: none
    uint64_t scratch;       // USER_SCRATCH_SIZE bytes of its memory for arguments; 0: none
    uint64_t argument;
    void *context;    // the test's
    uint64_t word[4]; // results of the last call
    int64_t status;   // of the last call
    bool gone;
};

// Make a call: status, and results in self->word.
int64_t user_call(struct user *self, uint64_t number, const uint64_t arg[6]);
#define CALL(self, name, ...) user_call(self, CALL_##name, (const uint64_t[6]){__VA_ARGS__})
// Puppets: make a call and do not wait for the answer.
void user_begin(struct user *self, uint64_t number, const uint64_t arg[6]);
// Whether a fast path has woken it and nobody has written down its answer yet: status 0 and these bits.
bool machine_woken(const struct thread *thread, uint64_t *bits);
bool user_answered(struct user *self);  // the last call is, or the thread is gone
int64_t user_finish(struct user *self); // let time pass until it is answered: the status
bool user_gone(const struct user *self);
bool user_parked(const struct user *self);

// Its memory, as its own loads and stores: they fault like real ones. false: that ended the thread.
bool user_load(struct user *self, void *to, uint64_t from, size_t length);
bool user_store(struct user *self, uint64_t to, const void *from, size_t length);
void user_work(struct user *self, uint64_t nanoseconds);  // compute; time passes
void user_raise(struct user *self, enum fault_kind kind); // a fault of its own making

// The address by which a program (null: a puppet) is named as a thread's entry.
uint64_t machine_entry(program_t *program);
// The thread that a handle of self names, as a user to play. Also for threads made through plain calls.
struct user *machine_user(struct user *creator, handle_t thread);
// A process with one thread, made by `parent` through calls, with scratch memory, its own process handle and the parent's
// root. null: a call failed, and everything made for it is closed again.
struct user *machine_spawn(struct user *parent, const char *name, program_t *program, void *context, unsigned priority);
// The same with another identity; only user 0 may ask for one.
struct user *machine_spawn_as(struct user *parent, const char *name, program_t *program, void *context,
                              unsigned priority, uint32_t owner, uint32_t group);
// A further thread of the same process.
struct user *machine_thread(struct user *creator, program_t *program, void *context, unsigned priority);

// From now on a puppet is played by a program.
void user_become(struct user *self, program_t *program);

// Calls with their arguments put into the caller's scratch memory.
int64_t user_open(struct user *self, handle_t dir, const char *path, unsigned flags, unsigned mode);
int64_t user_make(struct user *self, handle_t dir, const char *path, unsigned kind, unsigned mode);
int64_t user_link(struct user *self, handle_t dir, const char *path, const char *target);
int64_t user_remove(struct user *self, handle_t dir, const char *path);
int64_t user_rename(struct user *self, handle_t dir, const char *from, const char *to);
int64_t user_stat(struct user *self, handle_t dir, const char *path, struct abi_stat *stat);
int64_t user_read(struct user *self, handle_t handle, void *buffer, size_t length, uint64_t offset);
int64_t user_write(struct user *self, handle_t handle, const void *buffer, size_t length, uint64_t offset);
// config null: defaults; path null: no name.
int64_t user_channel(struct user *self, handle_t dir, const char *path, const struct abi_channel_config *config);
int64_t user_send(struct user *self, handle_t handle, const void *payload, size_t length, uint64_t id,
                  uint64_t connection);
int64_t user_recv(struct user *self, handle_t handle, void *buffer, size_t capacity);
int64_t user_wait(struct user *self, const struct abi_wait_item *item, unsigned count, uint64_t deadline);
int64_t user_wait_one(struct user *self, handle_t handle, unsigned events, uint64_t deadline);
// The whole text of a file by path, zero-terminated, or what there is of it by now; its length or an error.
int64_t user_text(struct user *self, const char *path, char *text, size_t capacity);

// End every process but init's, with no call, and let them be taken apart: for processes that nobody holds any more.
void machine_end_others(void);

// ---- accounts --------------------------------------------------------------------------------------------------------

// What the core holds. Pages that slabs keep in reserve count as free.
struct machine_census {
    uint64_t free_pages;
    uint64_t table_pages;
    uint64_t slab[SLAB_CLASSES];
    uint64_t objects[OBJECT_KINDS];
    uint64_t processes, threads;
    uint64_t nodes;
};

// Let queued work finish, then count.
void machine_count(struct machine_census *census);
// Fails the test, naming what differs, unless both are equal.
void machine_compare(const struct machine_census *before, const struct machine_census *after);
// What must hold whenever no CPU is inside the kernel: books of messages, objects, run queues. Fails the test if not.
void machine_check(void);

// For every n: a new machine, prepare, then scenario with its n-th allocation refused, then undo; what prepare left must
// be left again. Ends when the scenario makes fewer than n allocations; returns that n. Any may be null but scenario.
struct machine_scenario {
    struct machine_options options;
    void (*prepare)(void);
    void (*scenario)(void); // must take any refusal as it comes
    void (*undo)(void);     // with memory again
};
unsigned machine_refuse_each_allocation(const struct machine_scenario *scenario);

// Fail the test, from any stack, with what the console says.
[[noreturn, gnu::format(printf, 1, 2)]] void machine_fail(const char *format, ...);
#define require(condition)                                                                                             \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            machine_fail("%s:%d: %s does not hold", __FILE_NAME__, __LINE__, #condition);                              \
    } while (0)
#define require_equal(left, right)                                                                                     \
    do {                                                                                                               \
        int64_t left_ = (int64_t)(left), right_ = (int64_t)(right);                                                    \
        if (left_ != right_)                                                                                           \
            machine_fail("%s:%d: %s is %lld, %s is %lld", __FILE_NAME__, __LINE__, #left, (long long)left_, #right,    \
                         (long long)right_);                                                                           \
    } while (0)
