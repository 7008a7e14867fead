// User threads as the test plays them.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/cpu.h"
#include "kernel/handle.h"
#include "kernel/process.h"
#include "kernel/thread.h"
#include "machine_impl.h"

enum { PROGRAMS_MAX = 256, PROGRAM_BASE = 0x400000, PROGRAM_STEP = 16, STACK_SIZE = 256 * 1024, FAULTS_MAX = 1000 };
enum { TURNS_MAX = 100000, TURNS_IN_NO_TIME = 4096, REST = 100000, EQUIPPED_MAX = 1 << 14 };

struct player *players, *playing;
static struct fiber test; // the stack that plays all others
static program_t *programs[PROGRAMS_MAX];
static unsigned program_count = 1; // 0: a puppet

// What a thread is given by the test, found by the stack pointer it starts with: it may run before the one that made it
// goes on.
constexpr uint64_t STACK_BASE = 0x7ff000000000;
static struct user equipped[EQUIPPED_MAX];
static uint64_t equipped_count;

static uint64_t equip_stack(const struct user *equipment) {
    equipped[equipped_count % EQUIPPED_MAX] = *equipment;
    return STACK_BASE + 16 * (equipped_count++ % EQUIPPED_MAX);
}

static void take_equipment(struct user *self, uint64_t stack) {
    uint64_t index = (stack - STACK_BASE) / 16;
    if (stack >= STACK_BASE && index < EQUIPPED_MAX) {
        const struct user *given = &equipped[index];
        self->root = given->root;
        self->own = given->own;
        self->process = given->process;
        self->scratch = given->scratch;
        self->context = given->context;
    }
}

// ---- who is who ------------------------------------------------------------------------------------------------------

uint64_t machine_entry(program_t *program) {
    unsigned index = 0;
    while (index < program_count && programs[index] != program) {
        index++;
    }
    if (index == program_count) {
        if (program_count == PROGRAMS_MAX) {
            machine_fail("too many programs");
        }
        programs[program_count++] = program;
    }
    return PROGRAM_BASE + (uint64_t)index * PROGRAM_STEP;
}

program_t *program_at(uint64_t entry) {
    uint64_t index = (entry - PROGRAM_BASE) / PROGRAM_STEP;
    return entry >= PROGRAM_BASE && index < program_count ? programs[index] : nullptr;
}

struct arch_frame *frame_of(struct thread *thread) {
    return &thread->frame;
}

static struct player *new_player(struct thread *thread) {
    struct player *player = calloc(1, sizeof *player);
    player->user.thread = thread;
    player->user.pid = thread->process->pid;
    player->user.argument = thread->frame.argument;
    player->program = program_at(thread->frame.pc);
    take_equipment(&player->user, thread->frame.sp);
    player->next = players;
    players = player;
    if (thread->state == THREAD_DEAD) {
        player->user.gone = true;
        player->user.thread = nullptr;
    } else {
        thread->arch.user = player;
    }
    return player;
}

struct player *player_of(struct thread *thread) {
    return thread->arch.user != nullptr ? thread->arch.user : new_player(thread);
}

static void end_program(struct player *player) {
    if (player->started) {
        fiber_destroy(&player->fiber);
        player->started = false;
    }
}

void player_gone(void *user) {
    struct player *player = user;
    player->user.gone = true;
    player->user.thread = nullptr;
    end_program(player);
}

void players_forget(void) {
    while (players != nullptr) {
        struct player *next = players->next;
        end_program(players);
        free(players);
        players = next;
    }
}

bool user_gone(const struct user *self) {
    return self->gone || self->thread->state == THREAD_DEAD;
}

bool user_parked(const struct user *self) {
    return !user_gone(self) && self->thread->state == THREAD_PARKED && !((const struct player *)self)->resting;
}

// ---- requests --------------------------------------------------------------------------------------------------------

bool player_can_act(const struct player *player) {
    switch (player->request) {
    case USER_NOTHING:
        return player->program != nullptr;
    case USER_CALLED:
        return frame_of(player->user.thread)->again;
    default:
        return true;
    }
}

bool machine_woken(const struct thread *thread, uint64_t *bits) {
    const struct cpu *cpu = cpu_table[thread->home];
    *bits = cpu->woken_bits;
    return cpu->woken == thread && *bits != 0;
}

void player_settle(struct player *player) {
    if (player->request != USER_CALLED || user_gone(&player->user)) {
        return;
    }
    const struct arch_frame *frame = frame_of(player->user.thread);
    uint64_t bits;
    if (machine_woken(player->user.thread, &bits)) {
        player->user.status = 0;
        memcpy(player->user.word, (const uint64_t[4]){bits}, sizeof player->user.word);
        player->request = USER_NOTHING;
    } else if (frame->answers != player->answers && player->resting) {
        player->resting = false;
        player->request = USER_NOTHING;
    } else if (frame->answers != player->answers) {
        player->user.status = frame->status;
        memcpy(player->user.word, frame->word, sizeof player->user.word);
        player->request = USER_NOTHING;
    }
}

static void program_entry(void) {
    struct player *self = playing;
    self->program(&self->user);
    // A program that returns ends its thread.
    CALL(&self->user, THREAD_EXIT);
    machine_fail("a thread that has exited goes on");
}

static void run_program(struct player *player) {
    if (!player->started) {
        player->started = true;
        fiber_create(&player->fiber, STACK_SIZE, program_entry);
    }
    playing = player;
    fiber_switch(&test, &player->fiber);
    playing = nullptr;
}

static void touch(struct player *player, unsigned cpu) {
    struct fault fault;
    if (host_user_access(cpu, player->va, player->buffer, player->length, player->store, &fault)) {
        player->request = USER_NOTHING;
        player->user.status = 0;
        return;
    }
    if (++player->faults > FAULTS_MAX) {
        machine_fail("a fault at %#llx is answered again and again but not resolved", (unsigned long long)player->va);
    }
    host_enter(cpu, HOST_FAULT, &fault);
}

void player_act(struct player *player, unsigned cpu) {
    if (player->request == USER_NOTHING) {
        run_program(player); // up to its next request
    }
    struct arch_frame *frame = frame_of(player->user.thread);
    switch (player->request) {
    case USER_CALL:
        frame->number = player->number;
        memcpy(frame->arg, player->arg, sizeof frame->arg);
        player->answers = frame->answers;
        player->request = USER_CALLED;
        host_enter(cpu, HOST_CALL, nullptr);
        break;
    case USER_ACCESS:
        touch(player, cpu);
        break;
    case USER_WORK:
        player->request = USER_NOTHING;
        host_time_advance(player->nanoseconds);
        break;
    case USER_RAISE: {
        struct fault fault = {.kind = player->kind, .access = ARCH_PROT_READ, .name = "raised"};
        player->request = USER_NOTHING;
        host_enter(cpu, HOST_FAULT, &fault);
        break;
    }
    case USER_CALLED: // to be made again
        host_enter(cpu, HOST_CALL, nullptr);
        break;
    case USER_NOTHING:
        break;
    }
}

static void set_call(struct player *player, uint64_t number, const uint64_t arg[6]) {
    player->number = number;
    memcpy(player->arg, arg, sizeof player->arg);
}

void to_next_deadline(void) {
    uint64_t next = UINT64_MAX;
    for (unsigned i = 0; i < host_cpu_count(); i++) {
        next = host_timer_deadline(i) < next ? host_timer_deadline(i) : next;
    }
    if (next == UINT64_MAX) {
        machine_fail("a thread that is ready never runs");
    }
    host_time_set(next > host_time() ? next : host_time());
}

// A puppet in user mode with nothing to do keeps its CPU from others: let one sleep for a moment. false: there is none.
bool rest_a_puppet(void) {
    for (unsigned i = 0; i < host_cpu_count(); i++) {
        struct thread *thread = host_cpu_thread(i);
        struct player *player = thread == nullptr ? nullptr : player_of(thread);
        if (player != nullptr && player->program == nullptr && player->request == USER_NOTHING) {
            set_call(player, CALL_WAIT, (const uint64_t[6]){0, 0, host_time() + REST});
            player->resting = true;
            player->request = USER_CALL;
            return true;
        }
    }
    return false;
}

// Run the machine for a puppet until its request is done. false: gone, or nothing can do it now.
static bool until_done(struct player *player) {
    struct user *self = &player->user;
    for (unsigned turns = 0; player->request != USER_NOTHING; turns++) {
        if (user_gone(self)) {
            return false;
        }
        if (turns > TURNS_MAX) {
            machine_fail("a thread that is ready never runs");
        }
        if (machine_step()) {
            if (turns % TURNS_IN_NO_TIME == TURNS_IN_NO_TIME - 1) { // others go on and on: that takes time
                to_next_deadline();
            }
            continue;
        }
        if (user_gone(self) || user_parked(self)) {
            return player->request == USER_NOTHING;
        }
        if (self->thread->state == THREAD_PARKED || !rest_a_puppet()) { // parked: it rests itself
            to_next_deadline();
        }
    }
    return true;
}

// Before the test's next request: a puppet's own rest ends.
static bool awake(struct player *player) {
    if (player->request != USER_NOTHING && !player->resting) {
        machine_fail("a thread that has not been answered makes another request");
    }
    return !player->resting || until_done(player);
}

static bool perform(struct player *player, enum user_request request) {
    if (player == playing) {
        player->request = request;
        fiber_switch(&player->fiber, &test);
        return true;
    }
    if (playing != nullptr) {
        machine_fail("a program plays another thread");
    }
    if (user_gone(&player->user)) {
        return false;
    }
    uint64_t number = player->number, arg[6];
    memcpy(arg, player->arg, sizeof arg);
    if (!awake(player)) {
        return false;
    }
    set_call(player, number, arg);
    player->request = request;
    return until_done(player);
}

int64_t user_call(struct user *self, uint64_t number, const uint64_t arg[6]) {
    struct player *player = (struct player *)self;
    if (playing == nullptr) {
        machine_begins_call();
    }
    set_call(player, number, arg);
    if (perform(player, USER_CALL)) {
        return self->status;
    }
    return user_gone(self) ? USER_GONE : USER_PARKED;
}

void user_begin(struct user *self, uint64_t number, const uint64_t arg[6]) {
    struct player *player = (struct player *)self;
    if (player->program != nullptr) {
        machine_fail("only a puppet begins a call");
    }
    if (user_gone(self) || !awake(player)) {
        return;
    }
    set_call(player, number, arg);
    player->request = USER_CALL;
}

bool user_answered(struct user *self) {
    const struct player *player = (const struct player *)self;
    return player->request == USER_NOTHING || player->resting || user_gone(self);
}

int64_t user_finish(struct user *self) {
    while (!user_answered(self)) {
        if (!machine_step() && (user_parked(self) || !rest_a_puppet())) {
            to_next_deadline();
        }
    }
    return user_gone(self) ? USER_GONE : self->status;
}

void user_become(struct user *self, program_t *program) {
    struct player *player = (struct player *)self;
    if (player->program != nullptr || playing != nullptr) {
        machine_fail("only a puppet can become something else");
    }
    if (!user_gone(self) && awake(player)) {
        player->program = program;
    }
}

static bool access_memory(struct user *self, uint64_t va, const void *buffer, size_t length, bool store) {
    struct player *player = (struct player *)self;
    player->va = va;
    player->buffer = (unsigned char *)(uintptr_t)buffer;
    player->length = length;
    player->store = store;
    player->faults = 0;
    return perform(player, USER_ACCESS);
}

bool user_load(struct user *self, void *to, uint64_t from, size_t length) {
    return access_memory(self, from, to, length, false);
}

bool user_store(struct user *self, uint64_t to, const void *from, size_t length) {
    return access_memory(self, to, from, length, true);
}

void user_work(struct user *self, uint64_t nanoseconds) {
    ((struct player *)self)->nanoseconds = nanoseconds;
    perform((struct player *)self, USER_WORK);
}

void user_raise(struct user *self, enum fault_kind kind) {
    ((struct player *)self)->kind = kind;
    perform((struct player *)self, USER_RAISE);
}

// ---- making threads --------------------------------------------------------------------------------------------------

struct user *machine_user(struct user *creator, handle_t thread) {
    struct handle *handle;
    if (handle_find(&creator->thread->process->handles, thread, &handle) != 0 ||
        handle->object->ops->kind != OBJECT_THREAD) {
        machine_fail("handle %u is no thread", thread);
    }
    struct user *made = &player_of(thread_of(handle->object))->user;
    made->self = thread;
    return made;
}

static struct user *start(struct user *creator, handle_t process, program_t *program, const struct user *equipment,
                          unsigned priority) {
    int64_t thread = CALL(creator, THREAD_CREATE, process, machine_entry(program), equip_stack(equipment), 0, priority);
    return thread < 0 ? nullptr : machine_user(creator, (handle_t)thread);
}

// Map scratch memory into a process; 0: it failed, and nothing is left of it.
static uint64_t give_scratch(struct user *creator, handle_t process) {
    int64_t pages = CALL(creator, PAGES_CREATE, USER_SCRATCH_SIZE);
    if (pages < 0) {
        return 0;
    }
    bool mapped = CALL(creator, MAP, process, (uint64_t)pages, 0, 0, USER_SCRATCH_SIZE, PROT_READ | PROT_WRITE) == 0;
    uint64_t address = creator->word[0];
    CALL(creator, CLOSE, (uint64_t)pages);
    return mapped ? address : 0;
}

struct user *machine_thread(struct user *creator, program_t *program, void *context, unsigned priority) {
    struct user equipment = {.root = creator->root, .own = creator->own, .process = creator->own, .context = context};
    equipment.scratch = give_scratch(creator, creator->own);
    if (equipment.scratch == 0) {
        return nullptr;
    }
    struct user *made = start(creator, creator->own, program, &equipment, priority);
    if (made == nullptr) {
        CALL(creator, UNMAP, creator->own, equipment.scratch);
    }
    return made;
}

// Everything a process needs, or false with what failed left undone.
static bool equip(struct user *parent, handle_t process, struct user *equipment) {
    int64_t own = CALL(parent, GIVE, process, process, RIGHTS_ALL);
    if (own < 0) {
        return false;
    }
    equipment->own = (handle_t)own;
    if (parent->root != 0) {
        int64_t root = ERR_RIGHTS; // as many as the parent has
        for (unsigned dropped = 0; root == ERR_RIGHTS && dropped <= RIGHTS_ALL; dropped++) {
            root = CALL(parent, GIVE, process, parent->root, RIGHTS_ALL & ~dropped);
        }
        if (root < 0) {
            return false;
        }
        equipment->root = (handle_t)root;
    }
    equipment->scratch = give_scratch(parent, process);
    return equipment->scratch != 0;
}

struct user *machine_spawn_as(struct user *parent, const char *name, program_t *program, void *context,
                              unsigned priority, uint32_t owner, uint32_t group) {
    if (!user_store(parent, parent->scratch, name, strlen(name))) {
        return nullptr;
    }
    int64_t process = CALL(parent, PROCESS_CREATE, parent->scratch, strlen(name), owner, group);
    if (process < 0) {
        return nullptr;
    }
    struct user equipment = {.process = (handle_t)process, .context = context};
    struct user *made = nullptr;
    if (equip(parent, (handle_t)process, &equipment)) {
        made = start(parent, (handle_t)process, program, &equipment, priority);
    }
    if (made == nullptr) {
        CALL(parent, KILL, (uint64_t)process, 0); // it holds a handle of itself
        CALL(parent, CLOSE, (uint64_t)process);
    }
    return made;
}

struct user *machine_spawn(struct user *parent, const char *name, program_t *program, void *context,
                           unsigned priority) {
    return machine_spawn_as(parent, name, program, context, priority, ID_INHERIT, ID_INHERIT);
}

// ---- calls with arguments in memory ----------------------------------------------------------------------------------

enum { PATH_AT = 0, SECOND_AT = 1024, RECORD_AT = 2048, DATA_AT = 8192 };

static uint64_t put(struct user *self, uint64_t at, const void *data, size_t length) {
    if (length > 0 && !user_store(self, self->scratch + at, data, length)) {
        return 0;
    }
    return self->scratch + at;
}

static int64_t fetch(struct user *self, int64_t status, void *to, uint64_t at, size_t length) {
    if (status >= 0 && length > 0 && !user_load(self, to, self->scratch + at, length)) {
        return USER_GONE;
    }
    return status;
}

int64_t user_open(struct user *self, handle_t dir, const char *path, unsigned flags, unsigned mode) {
    return CALL(self, OPEN, dir, put(self, PATH_AT, path, strlen(path)), strlen(path), flags, mode);
}

int64_t user_make(struct user *self, handle_t dir, const char *path, unsigned kind, unsigned mode) {
    return CALL(self, MAKE, dir, put(self, PATH_AT, path, strlen(path)), strlen(path), kind, mode);
}

int64_t user_link(struct user *self, handle_t dir, const char *path, const char *target) {
    char both[1024];
    size_t length = strlen(path) + 1 + strlen(target);
    memcpy(both, path, strlen(path) + 1);
    memcpy(both + strlen(path) + 1, target, strlen(target));
    return CALL(self, MAKE, dir, put(self, PATH_AT, both, length), length, NODE_LINK, 0);
}

int64_t user_remove(struct user *self, handle_t dir, const char *path) {
    return CALL(self, REMOVE, dir, put(self, PATH_AT, path, strlen(path)), strlen(path));
}

int64_t user_rename(struct user *self, handle_t dir, const char *from, const char *to) {
    uint64_t from_at = put(self, PATH_AT, from, strlen(from)), to_at = put(self, SECOND_AT, to, strlen(to));
    return CALL(self, RENAME, dir, from_at, strlen(from), to_at, strlen(to));
}

int64_t user_stat(struct user *self, handle_t dir, const char *path, struct abi_stat *stat) {
    int64_t status =
        CALL(self, STAT, dir, put(self, PATH_AT, path, strlen(path)), strlen(path), self->scratch + RECORD_AT);
    return fetch(self, status, stat, RECORD_AT, sizeof *stat);
}

int64_t user_read(struct user *self, handle_t handle, void *buffer, size_t length, uint64_t offset) {
    int64_t status = CALL(self, READ, handle, self->scratch + DATA_AT, length, offset);
    return fetch(self, status, buffer, DATA_AT, status > 0 ? (size_t)status : 0);
}

int64_t user_write(struct user *self, handle_t handle, const void *buffer, size_t length, uint64_t offset) {
    return CALL(self, WRITE, handle, put(self, DATA_AT, buffer, length), length, offset);
}

int64_t user_channel(struct user *self, handle_t dir, const char *path, const struct abi_channel_config *config) {
    uint64_t record = config == nullptr ? 0 : put(self, RECORD_AT, config, sizeof *config);
    size_t length = path == nullptr ? 0 : strlen(path);
    return CALL(self, CHANNEL_CREATE, dir, put(self, PATH_AT, path, length), length, record);
}

int64_t user_send(struct user *self, handle_t handle, const void *payload, size_t length, uint64_t id,
                  uint64_t connection) {
    return CALL(self, SEND, handle, put(self, DATA_AT, payload, length), length, id, connection);
}

int64_t user_recv(struct user *self, handle_t handle, void *buffer, size_t capacity) {
    int64_t status = CALL(self, RECV, handle, self->scratch + DATA_AT, capacity);
    return fetch(self, status, buffer, DATA_AT, status > 0 ? (size_t)status : 0);
}

int64_t user_wait(struct user *self, const struct abi_wait_item *item, unsigned count, uint64_t deadline) {
    return CALL(self, WAIT, put(self, RECORD_AT, item, count * sizeof *item), count, deadline);
}

int64_t user_wait_one(struct user *self, handle_t handle, unsigned events, uint64_t deadline) {
    struct abi_wait_item item = {handle, events};
    return user_wait(self, &item, 1, deadline);
}

int64_t user_text(struct user *self, const char *path, char *text, size_t capacity) {
    int64_t handle = user_open(self, self->root, path, OPEN_READ, 0);
    if (handle < 0) {
        return handle;
    }
    size_t length = 0;
    int64_t got;
    do {
        size_t room = capacity - 1 - length;
        got = user_read(self, (handle_t)handle, text + length, room < 4096 ? room : 4096, length);
        length += got > 0 ? (size_t)got : 0;
    } while (got > 0 && length + 1 < capacity);
    text[length] = 0;
    CALL(self, CLOSE, (uint64_t)handle);
    bool all = got >= 0 || (got == ERR_EMPTY && length > 0);
    return all ? (int64_t)length : got;
}
