// Who waits for whom, and who holds what (FIELD-1, FIELD-2): /kern/ipc/waits and /kern/ipc/holders against a model that
// keeps its own books of handles, and finds who can still be woken by plain repetition until nothing changes.
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/cpu.h"
#include "kernel/process.h"
#include "kernel/slice.h"
#include "kernel/thread.h"
#include "kfs/file.h"
#include "kfs/node.h"
#include "kfs/text.h"
#include "kfs/tree.h"
#include "machine.h"
#include "property.h"

enum { PROCESSES = 9, STARTED = 6, ACTORS = 2 * STARTED - 1, THINGS = 48, HELD = 256, ITEMS = 3, TABLE = 65536 };
static constexpr uint64_t FAR = UINT64_C(1000000000000000);

enum what { PROCESS, THREAD, CHANNEL, CONNECTION, NOTIFIER };
static const char *const what_name[] = {"process", "thread", "channel", "connection", "notifier"};

struct thing {
    enum what what;
    unsigned process; // of a process or thread
    unsigned channel; // of a connection
    bool named;       // of a channel
    bool detached;    // of a connection: from the time of former servers
    bool watching;    // of a notifier
};

struct held {
    unsigned process, thing;
    handle_t handle;
    uint32_t rights;
};

struct process_model {
    uint32_t pid;
    bool there, embryo;
    unsigned creator, thing;
};

// A thread that is played.
struct actor {
    struct user *user;
    unsigned process;
    bool gone, parked;
    const char *operation;
    unsigned count, thing[ITEMS];
    uint64_t deadline;
    bool can; // something can still make it go on
};

static struct property *p;
static struct user *init;
static struct process_model process[PROCESSES];
static struct actor actor[ACTORS];
static struct thing thing[THINGS];
static struct held held[HELD];
static unsigned processes, actors, things, helds;
static char table[TABLE];

// ---- the books -------------------------------------------------------------------------------------------------------

static unsigned thing_add(struct thing new) {
    thing[things] = new;
    return things++;
}

static void hold(unsigned who, unsigned what, int64_t handle, uint32_t rights) {
    property_check(p, handle > 0 && helds < HELD);
    held[helds++] = (struct held){who, what, (handle_t)handle, rights};
}

static unsigned holders_of(unsigned what) {
    unsigned count = 0;
    for (unsigned i = 0; i < helds; i++) {
        count += held[i].thing == what;
    }
    return count;
}

static void lose(unsigned index) {
    unsigned what = held[index].thing;
    held[index] = held[--helds];
    if (holders_of(what) > 0) {
        return;
    }
    thing[what].watching = false;
    for (unsigned i = 0; thing[what].what == CHANNEL && i < things; i++) {
        if (thing[i].what == CONNECTION && thing[i].channel == what) {
            thing[i].detached = true;
        }
    }
}

static struct process *core_process(unsigned which) {
    return process_by_pid(process[which].pid);
}

// What ended took its handles with it, and perhaps answered others.
static void settle(void) {
    machine_settle();
    while (slice_pending()) { // a process that ends is taken apart share by share, and shares come with time
        machine_run(host_time() + 100000);
    }
    for (unsigned i = 0; i < processes; i++) {
        struct process *core = core_process(i);
        if (process[i].there && (core == nullptr || !process_alive(core))) {
            process[i].there = false;
        }
    }
    for (unsigned i = helds; i-- > 0;) {
        if (!process[held[i].process].there) {
            lose(i);
        }
    }
    for (unsigned i = 0; i < actors; i++) {
        actor[i].gone = user_gone(actor[i].user);
        actor[i].parked = actor[i].parked && !actor[i].gone && !user_answered(actor[i].user);
    }
}

// ---- the model -------------------------------------------------------------------------------------------------------

struct wakers {
    bool process[PROCESSES];
    bool any;
};

static void add_holders(struct wakers *wakers, unsigned what, uint32_t rights) {
    for (unsigned i = 0; i < helds; i++) {
        if (held[i].thing == what && (rights == 0 || (held[i].rights & rights) != 0)) {
            wakers->process[held[i].process] = true;
        }
    }
}

static struct wakers wakers_of(unsigned what) {
    struct wakers wakers = {};
    const struct thing *t = &thing[what];
    switch (t->what) {
    case PROCESS:
        wakers.process[t->process] = true;
        if (process[t->process].embryo) {
            wakers.process[process[t->process].creator] = true;
            add_holders(&wakers, what, 0);
        }
        break;
    case THREAD:
        wakers.process[t->process] = true;
        break;
    case CHANNEL:
        for (unsigned i = 0; i < things; i++) {
            if (thing[i].what == CONNECTION && thing[i].channel == what && !thing[i].detached) {
                add_holders(&wakers, i, 0);
            }
        }
        add_holders(&wakers, what, RIGHT_ADMIN);
        wakers.any = t->named;
        break;
    case CONNECTION:
        wakers.any = holders_of(t->channel) == 0;
        if (!wakers.any) {
            add_holders(&wakers, t->channel, 0);
            add_holders(&wakers, what, RIGHT_WRITE);
        }
        break;
    case NOTIFIER:
        add_holders(&wakers, what, RIGHT_WRITE | RIGHT_ADMIN);
        wakers.any = t->watching;
        break;
    }
    return wakers;
}

static bool process_can(unsigned which) {
    for (unsigned i = 0; i < actors; i++) {
        if (actor[i].process == which && !actor[i].gone && actor[i].can) {
            return true;
        }
    }
    if (process[which].there && process[which].embryo) {
        struct wakers wakers = wakers_of(process[which].thing);
        for (unsigned i = 0; i < processes; i++) {
            if (i != which && wakers.process[i] && process_can(i)) {
                return true;
            }
        }
    }
    return false;
}

static bool can_go_on(const struct actor *a) {
    if (a->gone || !a->parked || a->deadline != FOREVER) {
        return !a->gone;
    }
    for (unsigned i = 0; i < a->count; i++) {
        struct wakers wakers = wakers_of(a->thing[i]);
        if (wakers.any) {
            return true;
        }
        for (unsigned k = 0; k < processes; k++) {
            if (wakers.process[k] && process_can(k)) {
                return true;
            }
        }
    }
    return false;
}

static void find_who_can(void) {
    for (unsigned i = 0; i < actors; i++) {
        actor[i].can = false;
    }
    for (bool changed = true; changed;) {
        changed = false;
        for (unsigned i = 0; i < actors; i++) {
            if (!actor[i].can && can_go_on(&actor[i])) {
                actor[i].can = changed = true;
            }
        }
    }
}

// ---- the files -------------------------------------------------------------------------------------------------------

static void load(const char *path) {
    int64_t length = user_text(init, path, table, sizeof table);
    property_check(p, length > 0 && length < TABLE - 1);
}

// Cut the first line off what is left of the table; null at its end. The header is the first.
static char *next_line(char **at) {
    char *line = *at;
    char *end = strchr(line, '\n');
    if (end == nullptr) {
        property_check(p, *line == '\0');
        return nullptr;
    }
    *end = '\0';
    *at = end + 1;
    return line;
}

static struct actor *actor_of(unsigned thread) {
    for (unsigned i = 0; i < actors; i++) {
        if (!actor[i].gone && actor[i].user->thread->id == thread) {
            return &actor[i];
        }
    }
    return nullptr;
}

static void check_wakers(const char *shown, struct wakers want) {
    char words[128];
    strcpy(words, shown);
    bool any = false;
    unsigned count = 0;
    for (char *rest, *word = strtok_r(words, ",", &rest); word != nullptr; word = strtok_r(nullptr, ",", &rest)) {
        if (strcmp(word, "any") == 0) {
            any = true;
            continue;
        }
        bool wanted = strcmp(word, "-") == 0;
        for (unsigned i = 0; i < processes; i++) {
            if (want.process[i] && process[i].pid == strtoul(word, nullptr, 10)) {
                want.process[i] = false;
                wanted = true;
            }
        }
        if (!wanted) {
            property_fail(p, "%s cannot wake it (of %s)", word, shown);
        }
        count++;
    }
    property_check(p, count > 0 || any);
    property_equal(p, any, want.any);
    for (unsigned i = 0; i < processes; i++) {
        if (want.process[i]) {
            property_fail(p, "%u can wake it, too (of %s)", process[i].pid, shown);
        }
    }
}

static void check_waits(void) {
    find_who_can();
    load("/kern/ipc/waits");
    unsigned seen[ACTORS] = {};
    char *at = table;
    property_check(p, strncmp(next_line(&at), "pid process thread", 3) == 0);
    for (char *line; (line = next_line(&at)) != nullptr;) {
        unsigned pid, thread, stuck;
        unsigned long long since, deadline;
        char name[64], operation[32], object[32], about[512], wakers[128];
        property_note(p, "    %s", line);
        property_equal(p,
                       sscanf(line, "%u %63s %u %31s %31s %511s %llu %llu %127s %u", &pid, name, &thread, operation,
                              object, about, &since, &deadline, wakers, &stuck),
                       10);
        struct actor *a = actor_of(thread);
        property_check(p, a != nullptr && pid == a->user->pid && since <= host_time());
        property_check(p, strcmp(name, core_process(a->process)->name) == 0);
        if (!a->parked) { // it rests between two calls
            property_check(p, strcmp(object, "-") == 0 && deadline != 0 && stuck == 0 && strcmp(wakers, "any") == 0);
            continue;
        }
        unsigned item = seen[a - actor]++;
        property_check(p, strcmp(operation, a->operation) == 0);
        property_equal(p, deadline, a->deadline == FOREVER ? 0 : a->deadline);
        property_equal(p, stuck, !a->can);
        if (a->count == 0) {
            property_check(p, item == 0 && strcmp(object, "-") == 0 && strcmp(about, "-") == 0);
            check_wakers(wakers, (struct wakers){.any = a->deadline != FOREVER});
            continue;
        }
        property_check(p, item < a->count);
        property_check(p, strcmp(object, what_name[thing[a->thing[item]].what]) == 0 && strcmp(about, "-") != 0);
        check_wakers(wakers, wakers_of(a->thing[item]));
    }
    for (unsigned i = 0; i < actors; i++) {
        property_equal(p, seen[i], !actor[i].parked ? 0 : actor[i].count == 0 ? 1 : actor[i].count);
    }
}

static void check_holders(void) {
    static const char letters[] = "rwcmxvga";
    load("/kern/ipc/holders");
    unsigned lines = 0, wanted = 0;
    char *at = table;
    property_check(p, strncmp(next_line(&at), "object about pid", 6) == 0);
    for (char *line; (line = next_line(&at)) != nullptr; lines++) {
        unsigned pid, handle, derived;
        unsigned long long badge;
        char name[64], object[32], about[512], rights[16];
        property_equal(p,
                       sscanf(line, "%31s %511s %u %63s %u %15s %llu %u", object, about, &pid, name, &handle, rights,
                              &badge, &derived),
                       8);
        const struct held *found = nullptr;
        for (unsigned i = 0; i < helds; i++) {
            if (held[i].handle == handle && process[held[i].process].pid == pid) {
                found = &held[i];
            }
        }
        if (found == nullptr) {
            property_fail(p, "nobody holds this: %s", line);
        }
        property_check(p, strcmp(object, what_name[thing[found->thing].what]) == 0);
        for (unsigned i = 0; i < 8; i++) {
            property_equal(p, rights[i], (found->rights >> i & 1) != 0 ? letters[i] : '-');
        }
        property_equal(p, badge != 0, thing[found->thing].what == CONNECTION);
    }
    for (unsigned i = 0; i < helds; i++) {
        wanted += thing[held[i].thing].what >= CHANNEL;
    }
    property_equal(p, lines, wanted);
}

// ---- steps -----------------------------------------------------------------------------------------------------------

// A handle of the process, drawn; null if it has none, or one without the rights.
static struct held *draw_held(unsigned who, uint32_t rights) {
    unsigned mine[HELD], count = 0;
    for (unsigned i = 0; i < helds; i++) {
        if (held[i].process == who && (held[i].rights & rights) == rights) {
            mine[count++] = i;
        }
    }
    return count == 0 ? nullptr : &held[mine[property_choose(p, "handle", count)]];
}

static uint32_t draw_rights(uint32_t of) {
    uint32_t rights = RIGHT_WATCH;
    rights |= property_chance(p, "read", 60) ? RIGHT_READ : 0;
    rights |= property_chance(p, "write", 50) ? RIGHT_WRITE : 0;
    rights |= property_chance(p, "grant", 50) ? RIGHT_GRANT : 0;
    rights |= property_chance(p, "admin", 25) ? RIGHT_ADMIN : 0;
    return rights & of;
}

static void park(struct actor *a, const char *operation, int64_t status, unsigned count, uint64_t deadline) {
    if (status == USER_PARKED) {
        a->parked = true;
        a->operation = operation;
        a->count = count;
        a->deadline = deadline;
        property_note(p, "%u parks: %s for %u", a->user->pid, operation, count);
    }
}

static void step_wait(struct actor *a) {
    struct abi_wait_item item[ITEMS];
    unsigned count = 0;
    uint64_t deadline = property_chance(p, "deadline", 15) ? FAR : FOREVER;
    for (unsigned wanted = 1 + (unsigned)property_choose(p, "items", ITEMS); count < wanted; count++) {
        const struct held *h = property_chance(p, "sleep", 5) ? nullptr : draw_held(a->process, RIGHT_WATCH);
        if (h == nullptr) {
            break;
        }
        a->thing[count] = h->thing;
        enum what what = thing[h->thing].what;
        uint32_t events = what <= THREAD                                             ? EVENT_EXITED
                          : what == CONNECTION && property_chance(p, "for room", 40) ? EVENT_WRITABLE
                                                                                     : EVENT_READABLE;
        item[count] = (struct abi_wait_item){.handle = h->handle, .events = events};
    }
    park(a, "wait", user_wait(a->user, item, count, deadline), count, deadline);
}

static void step_take(struct actor *a) {
    struct held *h = draw_held(a->process, RIGHT_READ);
    if (h != nullptr && thing[h->thing].what == NOTIFIER) {
        a->thing[0] = h->thing;
        park(a, "take", CALL(a->user, TAKE, h->handle, 1, FOREVER), 1, FOREVER);
    }
}

static void step_embryo(struct actor *a) {
    if (processes == PROCESSES) {
        return;
    }
    user_store(a->user, a->user->scratch, "embryo", 6);
    int64_t handle = CALL(a->user, PROCESS_CREATE, a->user->scratch, 6, ID_INHERIT, ID_INHERIT);
    property_check(p, handle > 0);
    struct handle *entry;
    property_equal(p, handle_find(&a->user->thread->process->handles, (handle_t)handle, &entry), 0);
    unsigned what = thing_add((struct thing){.what = PROCESS, .process = processes});
    process[processes] = (struct process_model){
        .pid = process_of(entry->object)->pid, .there = true, .embryo = true, .creator = a->process, .thing = what};
    processes++;
    hold(a->process, what, handle, RIGHTS_ALL);
    property_note(p, "%u makes embryo %u", a->user->pid, process[processes - 1].pid);
}

static void step_give(struct actor *a) {
    const struct held *to = draw_held(a->process, RIGHT_ADMIN);
    const struct held *h = draw_held(a->process, RIGHT_GRANT);
    uint32_t rights = draw_rights(RIGHTS_ALL);
    if (to == nullptr || h == nullptr || thing[to->thing].what != PROCESS || helds == HELD) {
        return;
    }
    int64_t given = CALL(a->user, GIVE, to->handle, h->handle, rights & h->rights);
    property_note(p, "%u gives a %s to %u: %lld", a->user->pid, what_name[thing[h->thing].what],
                  process[thing[to->thing].process].pid, (long long)given);
    if (given != ERR_DEAD) {
        hold(thing[to->thing].process, h->thing, given, rights & h->rights);
    }
}

static void step_close(struct actor *a) {
    struct held *h = draw_held(a->process, 0);
    if (h != nullptr) {
        property_note(p, "%u closes a %s", a->user->pid, what_name[thing[h->thing].what]);
        property_equal(p, CALL(a->user, CLOSE, h->handle), 0);
        lose((unsigned)(h - held));
    }
}

static void step_connect(struct actor *a) {
    const struct held *h = draw_held(a->process, RIGHT_ADMIN);
    if (h != nullptr && thing[h->thing].what == CHANNEL && things < THINGS) {
        int64_t handle = CALL(a->user, CONNECT, h->handle, RIGHT_READ | RIGHT_WRITE | RIGHT_WATCH | RIGHT_GRANT);
        unsigned what = thing_add((struct thing){.what = CONNECTION, .channel = h->thing});
        hold(a->process, what, handle, RIGHT_READ | RIGHT_WRITE | RIGHT_WATCH | RIGHT_GRANT);
        property_note(p, "%u connects", a->user->pid);
    }
}

// What init calls a process: its first thread's maker knows.
static handle_t handle_of(unsigned which) {
    for (unsigned i = 0;; i++) {
        if (actor[i].process == which) {
            return actor[i].user->process;
        }
    }
}

static void step(void) {
    struct actor *a = &actor[property_choose(p, "actor", actors)];
    unsigned what = (unsigned)property_choose(p, "step", 20);
    if (what == 0 && actor[0].process != a->process) {
        property_note(p, "kill %u", a->user->pid);
        int64_t status = CALL(init, KILL, handle_of(a->process), 0);
        property_check(p, status == 0 || status == ERR_DEAD);
    } else if (a->gone || a->parked) {
        return;
    } else if (what < 9 && a->user != init) {
        step_wait(a);
    } else if (what < 12 && a->user != init) {
        step_take(a);
    } else if (what < 13) {
        step_embryo(a);
    } else if (what < 15) {
        step_give(a);
    } else if (what < 18) {
        step_close(a);
    } else {
        step_connect(a);
    }
}

// ---- the world -------------------------------------------------------------------------------------------------------

static void begin_actor(struct user *user, unsigned of) {
    property_check(p, user != nullptr && actors < ACTORS);
    actor[actors++] = (struct actor){.user = user, .process = of};
}

static void begin_processes(void) {
    processes = actors = things = helds = 0;
    init = machine_init();
    process[processes++] = (struct process_model){.pid = init->pid, .there = true};
    begin_actor(init, 0);
    for (unsigned count = 1 + (unsigned)property_choose(p, "processes", STARTED - 1); processes <= count;) {
        char name[16];
        snprintf(name, sizeof name, "process%u", processes);
        struct user *user = machine_spawn(init, name, nullptr, nullptr, PRIORITY_DEFAULT);
        begin_actor(user, processes);
        process[processes] = (struct process_model){.pid = user->pid, .there = true};
        process[processes].thing = thing_add((struct thing){.what = PROCESS, .process = processes});
        thing_add((struct thing){.what = THREAD, .process = processes});
        if (property_chance(p, "two threads", 20)) {
            begin_actor(machine_thread(user, nullptr, nullptr, PRIORITY_DEFAULT), processes);
        }
        processes++;
    }
}

static constexpr uint32_t MADE = RIGHT_READ | RIGHT_WRITE | RIGHT_WATCH | RIGHT_GRANT | RIGHT_ADMIN;

static void begin_things(void) {
    for (unsigned i = 0, count = 1 + (unsigned)property_choose(p, "channels", 3); i < count; i++) {
        char path[16];
        snprintf(path, sizeof path, "/tmp/c%u", i);
        bool named = property_chance(p, "named", 30);
        unsigned channel = thing_add((struct thing){.what = CHANNEL, .named = named});
        const struct abi_channel_config config = {.depth = 1, .message_max = 8};
        hold(0, channel, user_channel(init, named ? init->root : 0, named ? path : nullptr, &config), MADE);
        handle_t server = held[helds - 1].handle;
        for (unsigned k = 0, clients = (unsigned)property_choose(p, "connections", 4); k < clients; k++) {
            unsigned connection = thing_add((struct thing){.what = CONNECTION, .channel = channel});
            hold(0, connection, CALL(init, CONNECT, server, MADE), MADE);
        }
        if (thing[held[helds - 1].thing].what == CONNECTION && property_chance(p, "full", 25)) {
            property_equal(p, user_send(init, held[helds - 1].handle, "x", 1, 0, 0), 0);
        }
    }
    for (unsigned i = 0, count = (unsigned)property_choose(p, "notifiers", 3); i < count; i++) {
        unsigned notifier = thing_add((struct thing){.what = NOTIFIER});
        hold(0, notifier, CALL(init, NOTIFIER_CREATE, 4), MADE);
        if (property_chance(p, "watching", 20)) {
            const struct abi_watch_spec spec = {.events = EVENT_EXITED};
            user_store(init, init->scratch, &spec, sizeof spec);
            property_equal(p, CALL(init, WATCH, held[helds - 1].handle, init->own, init->scratch), 0);
            thing[notifier].watching = true;
        }
    }
}

static void hand_out(void) {
    unsigned own = helds;
    for (unsigned to = 1; to < processes; to++) {
        handle_t process_handle = handle_of(to);
        for (unsigned i = 0; i < own; i++) {
            uint32_t rights = draw_rights(MADE);
            if (property_chance(p, "give", 35)) {
                hold(to, held[i].thing, CALL(init, GIVE, process_handle, held[i].handle, rights), rights);
            }
        }
        for (unsigned i = 0; i < actors; i++) { // other processes and their first threads
            const struct user *user = actor[i].user;
            unsigned of = actor[i].process;
            if (of == 0 || (i > 0 && actor[i - 1].process == of)) {
                continue;
            }
            if (property_chance(p, "process", 35)) {
                uint32_t rights = draw_rights(MADE);
                hold(to, process[of].thing, CALL(init, GIVE, process_handle, user->process, rights), rights);
            }
            if (property_chance(p, "thread", 15)) {
                hold(to, process[of].thing + 1, CALL(init, GIVE, process_handle, user->self, RIGHT_WATCH), RIGHT_WATCH);
            }
        }
    }
    for (unsigned i = own; i-- > 0;) {
        if (property_chance(p, "let go", 85)) {
            property_equal(p, CALL(init, CLOSE, held[i].handle), 0);
            lose(i);
        }
    }
}

static void waits_keep_to_the_model(struct property *property) {
    p = property;
    machine_boot(&(struct machine_options){.cpus = 1 + (unsigned)property_choose(p, "cpus", 3)});
    begin_processes();
    begin_things();
    hand_out();
    settle();
    check_holders();
    while (property_more(p, 25)) {
        step();
        settle();
        check_waits();
        check_holders();
    }
    machine_check();
}

Test(waits, waits_keep_to_the_model) {
    cr_assert(property_run("waits_keep_to_the_model", 1500, waits_keep_to_the_model));
}

// ---- single cases ----------------------------------------------------------------------------------------------------

static void boot(uint64_t memory) {
    machine_boot(&(struct machine_options){.memory = memory});
    init = machine_init();
}

static handle_t give(const struct user *to, handle_t handle, uint32_t rights) {
    int64_t given = CALL(init, GIVE, to->process, handle, rights);
    cr_assert_gt(given, 0);
    return (handle_t)given;
}

static void wait_for(struct user *user, handle_t handle, uint32_t events) {
    cr_assert_eq(user_wait_one(user, handle, events, FOREVER), USER_PARKED);
}

// The last two words of the line about a process's wait for an object.
static const char *verdict(const struct user *user) {
    static char words[160];
    char start[32], wakers[128];
    unsigned stuck;
    cr_assert_gt(user_text(init, "/kern/ipc/waits", table, sizeof table), 0);
    snprintf(start, sizeof start, "\n%-3u ", user->pid);
    const char *line = strstr(table, start);
    cr_assert_not_null(line);
    cr_assert_eq(sscanf(line, "%*s %*s %*s %*s %*s %*s %*s %*s %127s %u", wakers, &stuck), 2);
    snprintf(words, sizeof words, "%s %u", wakers, stuck);
    return words;
}

// Two services, each a client of the other, both waiting for an answer: the cycle that FIELD-1 is for.
Test(waits, two_services_wait_for_each_other) {
    boot(0);
    struct user *service[2];
    handle_t connection[2];
    for (unsigned i = 0; i < 2; i++) {
        service[i] = machine_spawn(init, i == 0 ? "left" : "right", nullptr, nullptr, PRIORITY_DEFAULT);
        const char *path = i == 0 ? "/svc/left" : "/svc/right";
        cr_assert_gt(user_channel(service[i], service[i]->root, path, nullptr), 0);
    }
    for (unsigned i = 0; i < 2; i++) {
        const char *path = i == 0 ? "/svc/right/data" : "/svc/left/data";
        connection[i] = (handle_t)user_open(service[i], service[i]->root, path, OPEN_READ | OPEN_WRITE, 0);
        cr_assert_eq(user_send(service[i], connection[i], "?", 1, 0, 0), 0);
    }
    char expected[32];
    wait_for(service[0], connection[0], EVENT_READABLE);
    snprintf(expected, sizeof expected, "%u,%u 0", service[1]->pid, service[0]->pid);
    cr_assert_str_eq(verdict(service[0]), expected);
    wait_for(service[1], connection[1], EVENT_READABLE);
    expected[strlen(expected) - 1] = '1';
    cr_assert_str_eq(verdict(service[0]), expected);
    CALL(init, KILL, service[1]->process, 0);
    machine_run_until_idle();
    cr_assert_eq(service[0]->status, 0);
}

// A chain of processes, each waiting for the end of the next; the last one waits for itself. The search follows it as far
// as it may, and says no beyond that.
Test(waits, search_is_bounded_by_processes) {
    enum { CHAIN = 33 };
    struct user *user[CHAIN];
    boot(32u << 20);
    for (unsigned i = 0; i < CHAIN; i++) {
        user[i] = machine_spawn(init, "link", nullptr, nullptr, PRIORITY_DEFAULT);
        cr_assert_not_null(user[i]);
    }
    for (unsigned i = 0; i < CHAIN; i++) {
        wait_for(user[i], give(user[i], user[i + 1 < CHAIN ? i + 1 : i]->process, RIGHT_WATCH), EVENT_EXITED);
    }
    char expected[32];
    snprintf(expected, sizeof expected, "%u 1", user[1]->pid);
    cr_assert_str_eq(verdict(user[0]), expected); // 32 others
    struct user *before = machine_spawn(init, "before", nullptr, nullptr, PRIORITY_DEFAULT);
    wait_for(before, give(before, user[0]->process, RIGHT_WATCH), EVENT_EXITED);
    snprintf(expected, sizeof expected, "%u 0", user[0]->pid);
    cr_assert_str_eq(verdict(before), expected);
}

// A process of so many threads, each asleep for good, and one that waits for its end.
static const char *verdict_with(unsigned threads) {
    struct user *many = machine_spawn(init, "many", nullptr, nullptr, PRIORITY_DEFAULT);
    struct user *one = machine_spawn(init, "one", nullptr, nullptr, PRIORITY_DEFAULT);
    wait_for(one, give(one, many->process, RIGHT_WATCH), EVENT_EXITED);
    for (unsigned i = 1; i < threads; i++) {
        struct user *next = machine_thread(many, nullptr, nullptr, PRIORITY_DEFAULT);
        cr_assert_not_null(next);
        user_begin(next, CALL_WAIT, (const uint64_t[6]){0, 0, FOREVER});
    }
    user_begin(many, CALL_WAIT, (const uint64_t[6]){0, 0, FOREVER});
    machine_settle();
    return strchr(verdict(one), ' ') + 1;
}

Test(waits, search_is_bounded_by_threads) {
    boot(32u << 20);
    cr_assert_str_eq(verdict_with(94), "1");
    cr_assert_str_eq(verdict_with(95), "0");
}

// A thread that waits for notifiers which only its own process signals, by very many handles.
static const char *verdict_of(unsigned notifiers) {
    enum { HOLDS = 64 };
    struct abi_wait_item item[WAIT_MAX];
    struct user *user = machine_spawn(init, "user", nullptr, nullptr, PRIORITY_DEFAULT);
    for (unsigned i = 0; i < notifiers; i++) {
        int64_t notifier = CALL(init, NOTIFIER_CREATE, 1);
        for (unsigned k = 0; k < HOLDS; k++) {
            item[i] = (struct abi_wait_item){.handle = give(user, (handle_t)notifier, RIGHT_WRITE | RIGHT_WATCH),
                                             .events = EVENT_READABLE};
        }
        cr_assert_eq(CALL(init, CLOSE, (uint64_t)notifier), 0);
    }
    cr_assert_eq(user_wait(user, item, notifiers, FOREVER), USER_PARKED);
    return strchr(verdict(user), ' ') + 1;
}

Test(waits, search_is_bounded_by_handles) {
    boot(32u << 20);
    cr_assert_str_eq(verdict_of(1), "1");
    cr_assert_str_eq(verdict_of(2), "0");
}

// At most 8 wakers are shown, at most 64 handles are looked at.
Test(waits, wakers_are_bounded) {
    boot(32u << 20);
    int64_t notifier = CALL(init, NOTIFIER_CREATE, 1);
    struct user *taker = machine_spawn(init, "taker", nullptr, nullptr, PRIORITY_DEFAULT);
    handle_t own = give(taker, (handle_t)notifier, RIGHT_READ);
    cr_assert_eq(CALL(taker, TAKE, own, 1, FOREVER), USER_PARKED);
    char expected[128] = "1";
    for (unsigned i = 0; i < 8; i++) {
        struct user *signaller = machine_spawn(init, "signaller", nullptr, nullptr, PRIORITY_DEFAULT);
        give(signaller, (handle_t)notifier, RIGHT_WRITE);
        give(signaller, (handle_t)notifier, RIGHT_WRITE); // shown once
        size_t length = strlen(expected);
        if (i < 7) {
            snprintf(expected + length, sizeof expected - length, ",%u", signaller->pid);
        } else {
            strcat(expected, ",any 0");
        }
    }
    cr_assert_str_eq(verdict(taker), expected);
    boot(0);
    int64_t channel = user_channel(init, 0, nullptr, nullptr);
    struct user *server = machine_spawn(init, "server", nullptr, nullptr, PRIORITY_DEFAULT);
    wait_for(server, give(server, (handle_t)channel, RIGHT_WATCH), EVENT_READABLE);
    for (unsigned i = 0; i < 64; i++) {
        cr_assert_gt(CALL(init, CONNECT, (uint64_t)channel, RIGHT_WRITE), 0);
    }
    cr_assert_str_eq(verdict(server), "1 0");
    cr_assert_gt(CALL(init, CONNECT, (uint64_t)channel, RIGHT_WRITE), 0);
    cr_assert_str_eq(verdict(server), "1,any 0");
    for (unsigned i = 0; i < 64; i++) {
        give(server, (handle_t)channel, RIGHT_WATCH);
    }
    // And no more than so many in all, however few connections there are.
    int64_t other = user_channel(init, 0, nullptr, nullptr);
    struct user *second = machine_spawn(init, "second", nullptr, nullptr, PRIORITY_DEFAULT);
    wait_for(second, give(second, (handle_t)other, RIGHT_WATCH), EVENT_READABLE);
    for (unsigned i = 0; i < 3; i++) {
        int64_t connection = CALL(init, CONNECT, (uint64_t)other, RIGHT_WRITE | RIGHT_GRANT);
        cr_assert_str_eq(verdict(second), "1 0");
        for (unsigned k = 1; k < 60; k++) {
            cr_assert_gt(CALL(init, DUP, (uint64_t)connection, RIGHT_WRITE), 0);
        }
    }
    cr_assert_str_eq(verdict(second), "1,any 0");
    int64_t client = CALL(init, CONNECT, (uint64_t)channel, RIGHT_WATCH | RIGHT_GRANT);
    struct user *waiter = machine_spawn(init, "waiter", nullptr, nullptr, PRIORITY_DEFAULT);
    wait_for(waiter, give(waiter, (handle_t)client, RIGHT_WATCH), EVENT_READABLE);
    snprintf(expected, sizeof expected, "1,%u,any 0", server->pid);
    cr_assert_str_eq(verdict(waiter), expected);
}

// Long stretches of unused entries are passed over in steps, and end no listing early.
Test(waits, handles_behind_long_gaps_are_listed) {
    enum { GAP = 700 };
    static const char *const files[] = {"/proc/self/handles", "/kern/ipc/holders"};
    boot(0);
    int64_t notifier = CALL(init, NOTIFIER_CREATE, 1);
    int64_t dup[GAP + 1];
    for (unsigned i = 0; i <= GAP; i++) {
        dup[i] = CALL(init, DUP, (uint64_t)notifier, RIGHT_READ);
        cr_assert_gt(dup[i], 0);
    }
    for (unsigned i = 0; i < GAP; i++) {
        cr_assert_eq(CALL(init, CLOSE, (uint64_t)dup[i]), 0);
    }
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 2; i++) {
            cr_assert_gt(user_text(init, files[i], table, sizeof table), 0);
            unsigned found = 0;
            for (const char *at = table; (at = strstr(at, "notifier")) != nullptr; at++) {
                found++;
            }
            cr_assert_eq(found, 2 - round, "%s: %u", files[i], found);
            // What a read passes over in shares makes it one call all the same.
            const struct process *process = process_by_pid(init->pid);
            handle_t file = (handle_t)user_open(init, init->root, files[i], OPEN_READ, 0);
            for (int64_t length = 1; length > 0;) {
                uint64_t calls = process->calls, entries = cpu_count_total(COUNT_SYSCALL);
                length = user_read(init, file, table, sizeof table - 1, OFFSET_CURRENT);
                cr_assert_geq(length, 0);
                cr_assert_eq(process->calls, calls + 1);
                cr_assert_eq(cpu_count_total(COUNT_SYSCALL), entries + 1);
            }
            cr_assert_eq(CALL(init, CLOSE, file), 0);
        }
        CALL(init, CLOSE, (uint64_t)dup[GAP]); // then the gap is at the end
    }
}

static unsigned lines_of(struct user *user, const char *text) {
    char start[32];
    unsigned count = 0;
    snprintf(start, sizeof start, "%-3u ", user->pid);
    for (const char *at = text; *at != '\0'; at = strchr(at, '\n') + 1) {
        count += strncmp(at, start, strlen(start)) == 0;
    }
    return count;
}

// One thread may wait for many things, each of which very many can bring about: a read looks at few of them.
Test(waits, a_read_looks_at_few_things) {
    enum { LINES_MAX = 4 };
    boot(0);
    struct abi_wait_item item[WAIT_MAX];
    struct user *user = machine_spawn(init, "user", nullptr, nullptr, PRIORITY_DEFAULT);
    int64_t first = 0;
    for (unsigned i = 0; i < WAIT_MAX; i++) {
        int64_t notifier = CALL(init, NOTIFIER_CREATE, 1);
        first = i == 0 ? notifier : first;
        item[i] =
            (struct abi_wait_item){.handle = give(user, (handle_t)notifier, RIGHT_WATCH), .events = EVENT_READABLE};
    }
    cr_assert_eq(user_wait(user, item, WAIT_MAX, FOREVER), USER_PARKED);
    handle_t file = (handle_t)user_open(init, init->root, "/kern/ipc/waits", OPEN_READ, 0);
    unsigned lines = 0;
    int64_t length;
    do {
        length = user_read(init, file, table, sizeof table - 1, OFFSET_CURRENT);
        cr_assert_geq(length, 0);
        table[length] = '\0';
        cr_assert_leq(lines_of(user, table), LINES_MAX);
        lines += lines_of(user, table);
    } while (length > 0);
    cr_assert_eq(lines, WAIT_MAX);
    // It goes on, and waits for less, while it is listed: no line is written twice.
    file = (handle_t)user_open(init, init->root, "/kern/ipc/waits", OPEN_READ, 0);
    for (lines = 0; lines == 0; lines = lines_of(user, table)) {
        length = user_read(init, file, table, sizeof table - 1, OFFSET_CURRENT);
        cr_assert_gt(length, 0);
        table[length] = '\0';
    }
    cr_assert_eq(CALL(init, SIGNAL, (uint64_t)first, 1), 0);
    machine_settle();
    cr_assert(user_answered(user));
    cr_assert_eq(user_wait(user, &item[1], 1, FOREVER), USER_PARKED);
    while ((length = user_read(init, file, table, sizeof table - 1, OFFSET_CURRENT)) > 0) {
        table[length] = '\0';
        cr_assert_eq(lines_of(user, table), 0);
    }
    cr_assert_eq(length, 0);
}

// ---- record by record: what a line is worth, and where the next one goes on ----

struct listing {
    struct file *file;
    uint64_t cursor;
    unsigned lines, spent; // by the last look
};

static struct listing listing_of(const char *path) {
    struct object *object;
    int64_t opened = user_open(init, init->root, path, OPEN_READ, 0);
    cr_assert_gt(opened, 0);
    cr_assert_eq(handle_get(&init->thread->process->handles, (handle_t)opened, OBJECT_FILE, 0, &object), 0);
    return (struct listing){.file = file_of(object)};
}

static bool look(struct listing *listing, unsigned budget) {
    static char head[4096];
    struct text text;
    unsigned left = budget;
    text_init(&text, head, sizeof head);
    text_header_of(&text, listing->file->node->ops->columns);
    uint64_t header = text_size(&text);
    bool more = listing->file->node->ops->record(listing->file->node, &listing->cursor, &text, &left);
    listing->lines = text_size(&text) > header;
    listing->spent = budget - left;
    return more;
}

enum { PLENTY = 1000 };

static void look_for_line(struct listing *listing) {
    do {
        cr_assert(look(listing, PLENTY));
    } while (listing->lines == 0);
}

static unsigned lines_left(struct listing *listing) {
    unsigned lines = 0;
    while (look(listing, PLENTY)) {
        lines += listing->lines;
    }
    return lines;
}

// A line begins with 16 units or none; it is worth five, and one for four holders that are looked at.
Test(waits, a_line_costs_what_it_looks_at) {
    enum { LEAST = 16, WORTH = 5, DUPS = 60, LOOKS_FOR_A_UNIT = 4 };
    boot(0);
    struct user *user = machine_spawn(init, "user", nullptr, nullptr, PRIORITY_DEFAULT);
    int64_t notifier = CALL(init, NOTIFIER_CREATE, 1);
    wait_for(user, give(user, (handle_t)notifier, RIGHT_WATCH), EVENT_READABLE);
    struct listing few = listing_of("/kern/ipc/waits"), many = few;
    look_for_line(&few);
    cr_assert_geq(few.spent, WORTH);
    for (unsigned i = 0; i < DUPS; i++) {
        cr_assert_gt(CALL(init, DUP, (uint64_t)notifier, RIGHT_WRITE), 0);
    }
    uint64_t before;
    do {
        before = many.cursor;
        cr_assert(look(&many, PLENTY));
    } while (many.lines == 0);
    cr_assert_geq(many.spent, few.spent + DUPS / LOOKS_FOR_A_UNIT);
    many.cursor = before;
    cr_assert(look(&many, LEAST - 1));
    cr_assert(many.lines == 0 && many.spent == LEAST - 1 && many.cursor == before);
    cr_assert(look(&many, LEAST));
    cr_assert_eq(many.lines, 1);
}

// The first thread of all is listed as any other.
Test(waits, init_waits_too) {
    boot(0);
    struct listing listing = listing_of("/kern/ipc/waits");
    wait_for(init, (handle_t)CALL(init, NOTIFIER_CREATE, 1), EVENT_READABLE);
    cr_assert_eq(lines_left(&listing), 1);
}

// Of a thread that waits for less by now, nothing is left to list; one that is gone takes nothing from the next.
Test(waits, the_next_line_is_found_again) {
    for (unsigned gone = 0; gone < 2; gone++) {
        boot(0);
        struct user *user = machine_spawn(init, "user", nullptr, nullptr, PRIORITY_DEFAULT);
        struct user *next = machine_thread(user, nullptr, nullptr, PRIORITY_DEFAULT);
        int64_t notifier = CALL(init, NOTIFIER_CREATE, 1);
        handle_t watched = give(user, (handle_t)notifier, RIGHT_WATCH);
        const struct abi_wait_item item[] = {{.handle = watched, .events = EVENT_READABLE},
                                             {.handle = watched, .events = EVENT_READABLE}};
        cr_assert_eq(user_wait(user, item, 2, host_time() + 1000000), USER_PARKED);
        wait_for(next, watched, EVENT_READABLE);
        struct listing listing = listing_of("/kern/ipc/waits");
        look_for_line(&listing);
        machine_run(host_time() + 2000000);
        cr_assert(user_answered(user));
        if (gone == 1) {
            CALL(user, THREAD_EXIT);
            cr_assert(user_gone(user));
        } else {
            wait_for(user, watched, EVENT_READABLE);
        }
        cr_assert_eq(lines_left(&listing), 1);
    }
}

// A thread that waits for as much as it may hides none behind it.
Test(waits, the_longest_wait_hides_nobody) {
    boot(0);
    struct user *user[3]; // one of two neighbours has an even number
    struct abi_wait_item item[WAIT_MAX];
    int64_t notifier = CALL(init, NOTIFIER_CREATE, 1);
    for (unsigned i = 0; i < 3; i++) {
        user[i] = i == 0 ? machine_spawn(init, "user", nullptr, nullptr, PRIORITY_DEFAULT)
                         : machine_thread(user[0], nullptr, nullptr, PRIORITY_DEFAULT);
    }
    handle_t watched = give(user[0], (handle_t)notifier, RIGHT_WATCH);
    for (unsigned i = 0; i < WAIT_MAX; i++) {
        item[i] = (struct abi_wait_item){.handle = watched, .events = EVENT_READABLE};
    }
    for (unsigned i = 0; i < 3; i++) {
        cr_assert_eq(user_wait(user[i], item, WAIT_MAX, FOREVER), USER_PARKED);
    }
    struct listing listing = listing_of("/kern/ipc/waits");
    cr_assert_eq(lines_left(&listing), 3 * WAIT_MAX);
}

// A stretch of unused handles is worth 16 units, a handle nothing besides its line.
Test(waits, a_gap_costs_what_is_passed_over) {
    enum { GAP = HANDLE_VISIT_MAX, GAP_WORTH = 16 };
    boot(0);
    int64_t notifier = CALL(init, NOTIFIER_CREATE, 1), dup[GAP + 2];
    struct listing listing = listing_of("/kern/ipc/holders");
    for (unsigned i = 0; i < GAP + 2; i++) {
        dup[i] = CALL(init, DUP, (uint64_t)notifier, RIGHT_READ);
        cr_assert_gt(dup[i], 0);
    }
    for (unsigned i = 0; i <= GAP; i++) {
        cr_assert_eq(CALL(init, CLOSE, (uint64_t)dup[i]), 0);
    }
    unsigned lines = 0, spent = 0;
    while (look(&listing, PLENTY)) {
        lines += listing.lines;
        spent += listing.spent;
        cr_assert(listing.spent == 0 || listing.lines == 0);
    }
    cr_assert_eq(lines, 2);
    cr_assert_eq(spent, GAP_WORTH);
}

// A mailbox answers nobody until somebody serves it, and that may be anyone.
Test(waits, a_mailbox_waits_for_any_server) {
    boot(0);
    cr_assert_gt(user_channel(init, init->root, "/ipc/box", nullptr), 0);
    struct user *client = machine_spawn(init, "client", nullptr, nullptr, PRIORITY_DEFAULT);
    handle_t own = (handle_t)user_open(client, client->root, "/ipc/box/data", OPEN_READ | OPEN_WRITE, 0);
    wait_for(client, own, EVENT_READABLE);
    char expected[32];
    snprintf(expected, sizeof expected, "1,%u 0", client->pid);
    cr_assert_str_eq(verdict(client), expected);
    boot(0);
    handle_t server = (handle_t)user_channel(init, init->root, "/ipc/box", nullptr);
    cr_assert_eq(CALL(init, CLOSE, server), 0);
    client = machine_spawn(init, "client", nullptr, nullptr, PRIORITY_DEFAULT);
    own = (handle_t)user_open(client, client->root, "/ipc/box/data", OPEN_READ | OPEN_WRITE, 0);
    wait_for(client, own, EVENT_READABLE);
    cr_assert_str_eq(verdict(client), "any 0");
}

// A thread waits on a connection that another of its process closes: what had not come about by then never will.
Test(waits, nobody_wakes_who_waits_on_what_has_hung_up) {
    boot(0);
    handle_t server = (handle_t)user_channel(init, 0, nullptr, nullptr);
    handle_t client = (handle_t)CALL(init, CONNECT, server, RIGHT_READ | RIGHT_WRITE | RIGHT_WATCH | RIGHT_GRANT);
    struct user *user = machine_spawn(init, "user", nullptr, nullptr, PRIORITY_DEFAULT);
    struct user *second = machine_thread(user, nullptr, nullptr, PRIORITY_DEFAULT);
    handle_t own = give(user, client, RIGHT_READ | RIGHT_WATCH);
    cr_assert_eq(CALL(init, CLOSE, client), 0);
    wait_for(user, own, EVENT_REMOVED);
    cr_assert_str_eq(verdict(user), "1 0");
    cr_assert_eq(CALL(second, CLOSE, own), 0);
    cr_assert(!user_answered(user));
    cr_assert_str_eq(verdict(user), "- 1");
    cr_assert_null(strstr(table, "_of_0_"));
    char byte;
    cr_assert_eq(user_recv(init, server, &byte, 1), 0); // the hang-up: now the channel has forgotten it, too
    cr_assert_str_eq(verdict(user), "- 1");
    cr_assert_not_null(strstr(table, "_of_0_"));
    machine_check();
}

// Who can do nothing for a server: a client that has hung up, one of the time of former servers, and for a removed channel
// whoever opens a path.
Test(waits, servers_do_not_wait_for_who_is_gone) {
    boot(0);
    handle_t first = (handle_t)user_channel(init, init->root, "/ipc/c", nullptr);
    struct user *old = machine_spawn(init, "old", nullptr, nullptr, PRIORITY_DEFAULT);
    struct user *gone = machine_spawn(init, "gone", nullptr, nullptr, PRIORITY_DEFAULT);
    struct user *client = machine_spawn(init, "client", nullptr, nullptr, PRIORITY_DEFAULT);
    struct user *server = machine_spawn(init, "server", nullptr, nullptr, PRIORITY_DEFAULT);
    cr_assert_gt(user_open(old, old->root, "/ipc/c/data", OPEN_READ, 0), 0);
    cr_assert_eq(CALL(init, CLOSE, first), 0);
    cr_assert_gt(user_open(client, client->root, "/ipc/c/data", OPEN_READ, 0), 0);
    int64_t short_lived = user_open(gone, gone->root, "/ipc/c/data", OPEN_READ, 0);
    handle_t own = (handle_t)user_open(server, server->root, "/ipc/c/data", OPEN_SERVE, 0);
    cr_assert_eq(CALL(gone, CLOSE, (uint64_t)short_lived), 0);
    char expected[32];
    wait_for(server, own, EVENT_REMOVED);
    snprintf(expected, sizeof expected, "%u,%u,any 0", client->pid, server->pid);
    cr_assert_str_eq(verdict(server), expected);
    cr_assert_eq(user_remove(init, init->root, "/ipc/c"), 0);
    machine_settle();
    cr_assert(user_answered(server));
    char byte;
    cr_assert_eq(user_recv(server, own, &byte, 1), 0); // the hang-up of the one that is gone
    wait_for(server, own, EVENT_PEER_LOST);
    *strchr(expected, 'a') = '\0';
    strcpy(strrchr(expected, ','), " 0");
    cr_assert_str_eq(verdict(server), expected);
    machine_check();
}

// Nine processes with one client's handle, nine servers, nine who can finish a connection: eight are named, and `any`.
Test(waits, many_wakers_of_a_conversation) {
    enum { MANY = 9 };
    static const uint32_t all = RIGHT_READ | RIGHT_WRITE | RIGHT_WATCH | RIGHT_GRANT | RIGHT_ADMIN;
    for (unsigned round = 0; round < 3; round++) {
        boot(0);
        handle_t server = (handle_t)user_channel(init, 0, nullptr, nullptr);
        handle_t client = (handle_t)CALL(init, CONNECT, server, all);
        struct user *waiter = machine_spawn(init, "waiter", nullptr, nullptr, PRIORITY_DEFAULT);
        handle_t own = give(waiter, round == 0 ? server : client, RIGHT_WATCH);
        for (unsigned i = 0; i < MANY; i++) {
            struct user *holder = machine_spawn(init, "holder", nullptr, nullptr, PRIORITY_DEFAULT);
            give(holder, round == 1 ? server : client, RIGHT_WRITE);
        }
        wait_for(waiter, own, EVENT_READABLE);
        unsigned named = 0;
        const char *words = verdict(waiter);
        for (const char *at = words; (at = strchr(at, ',')) != nullptr; at++) {
            named++;
        }
        cr_assert_eq(named, 8, "%s", words);
        cr_assert_str_eq(strchr(words, 'a'), "any 0");
    }
    // As many servers that may bring new clients.
    boot(0);
    handle_t server = (handle_t)user_channel(init, 0, nullptr, nullptr);
    struct user *waiter = machine_spawn(init, "waiter", nullptr, nullptr, PRIORITY_DEFAULT);
    handle_t own = give(waiter, server, RIGHT_WATCH);
    wait_for(waiter, own, EVENT_READABLE);
    cr_assert_str_eq(verdict(waiter), "1 0");
    for (unsigned i = 0; i < MANY; i++) {
        give(machine_spawn(init, "holder", nullptr, nullptr, PRIORITY_DEFAULT), server, RIGHT_ADMIN);
    }
    cr_assert_str_eq(strchr(verdict(waiter), 'a'), "any 0");
}

// Whoever waits for the console waits for a line that somebody types.
Test(waits, the_console_is_somebody_else) {
    boot(0);
    struct user *reader = machine_spawn(init, "reader", nullptr, nullptr, PRIORITY_DEFAULT);
    handle_t console = (handle_t)user_open(reader, reader->root, "/dev/console", OPEN_READ, 0);
    wait_for(reader, console, EVENT_READABLE);
    cr_assert_str_eq(verdict(reader), "any 0");
    cr_assert_not_null(strstr(table, " console "));
    cr_assert_not_null(strstr(table, " input "));
}

// Of two that wait for room the first is woken and does nothing with it: then time wakes the second, and says so before.
Test(waits, room_that_nobody_takes_comes_with_time) {
    boot(0);
    const struct abi_channel_config config = {.depth = 1};
    handle_t server = (handle_t)user_channel(init, init->root, "/ipc/c", &config);
    struct user *client[2];
    handle_t own[2];
    char byte, expected[32];
    for (unsigned i = 0; i < 2; i++) {
        client[i] = machine_spawn(init, "client", nullptr, nullptr, PRIORITY_DEFAULT);
        own[i] = (handle_t)user_open(client[i], client[i]->root, "/ipc/c/data", OPEN_WRITE, 0);
    }
    cr_assert_eq(user_send(client[0], own[0], "x", 1, 0, 0), 0);
    for (unsigned i = 0; i < 2; i++) {
        wait_for(client[i], own[i], EVENT_WRITABLE);
    }
    snprintf(expected, sizeof expected, "1,%u 0", client[1]->pid);
    cr_assert_str_eq(verdict(client[1]), expected);
    cr_assert_eq(user_recv(init, server, &byte, 1), 1);
    machine_settle();
    cr_assert(user_answered(client[0]));
    cr_assert_not(user_answered(client[1]));
    cr_assert_str_eq(verdict(client[1]), "any 0");
    machine_run(host_time() + 20000000);
    cr_assert(user_answered(client[1]));
    cr_assert_eq(client[1]->status, 0);
    // Both were told that there is room; there is for one.
    cr_assert_eq(user_send(client[1], own[1], "x", 1, 0, 0), 0);
    cr_assert_eq(user_send(client[0], own[0], "x", 1, 0, 0), ERR_FULL);
    machine_check();
}
