// Property 2: notification consistency (TEST-2, IPC-2.1 to 2.7, 2.9). Signals, takes with deadlines, watches with filters,
// messages, namespace changes, ends of takers and notifiers, in random order on 1 to 8 CPUs, against a model written from
// the ABI table: which taker gets which bits, which record stands where, what was coalesced and how much was lost.
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "kernel/cpu.h"
#include "kernel/slice.h"
#include "kernel/thread.h"
#include "kfs/event_file.h"
#include "machine.h"
#include "property.h"

enum {
    NOTIFIERS = 3,
    TAKERS = 4,
    WATCHES = 8,
    RECORDS = 64,
    CHANNEL_QUEUE = 3,
    CONNECTIONS = 2,
    CHILDREN = 3,
};

enum thing { THING_CHANNEL, THING_CONNECTION, THING_DIRECTORY, THINGS };

struct model_record {
    uint32_t event, count;
    uint64_t sequence, cookie, value;
    char name[16];
};

struct model_notifier {
    handle_t handle; // 0: closed
    uint32_t depth;
    uint64_t bits, sequence, lost;
    struct model_record record[RECORDS];
    unsigned records;
    uint64_t base; // records taken out so far: names a record for good
};

struct model_watch {
    bool there;
    unsigned notifier;
    enum thing thing;
    uint64_t id, cookie, bits, match_mask, match_value;
    uint32_t events, flags;
    uint64_t last; // its last record, counted from 1 over the notifier's life; 0: none
};

struct model_taker {
    struct user *user;
    handle_t handle[NOTIFIERS]; // as it names them
    bool parked;
    unsigned notifier, order;
    uint64_t mask, deadline;
};

static struct property *p;
static struct user *self;
static struct model_notifier notifier[NOTIFIERS];
static struct model_watch watch[WATCHES];
static struct model_taker taker[TAKERS];
static unsigned watch_order[WATCHES], watch_count; // indices of watches, oldest first
static unsigned orders;
static handle_t server, connection[CONNECTIONS], directory;
static uint64_t connection_id[CONNECTIONS];
static unsigned queued;
static bool child[CHILDREN];
static unsigned born;

// ---- the model -------------------------------------------------------------------------------------------------------

// A call lets a little time pass: a deadline may have come just before it did its work.
static bool gave_up(struct model_taker *t) {
    if (t->parked && user_answered(t->user) && t->user->status == ERR_TIMED_OUT && t->deadline <= host_time()) {
        t->parked = false;
    }
    return !t->parked;
}

static struct model_taker *first_taker(unsigned n, uint64_t bits) {
    struct model_taker *first = nullptr;
    for (unsigned i = 0; i < TAKERS; i++) {
        struct model_taker *t = &taker[i];
        if (!gave_up(t) && t->notifier == n && (t->mask & bits) != 0 && (first == nullptr || t->order < first->order)) {
            first = t;
        }
    }
    return first;
}

static void expect_answer(struct model_taker *t, int64_t status, uint64_t bits) {
    machine_settle();
    property_check(p, user_answered(t->user));
    property_equal(p, t->user->status, status);
    property_equal(p, t->user->word[0], bits);
    t->parked = false;
}

static void model_signal(unsigned n, uint64_t bits) {
    notifier[n].bits |= bits;
    machine_settle();
    for (struct model_taker *t; (t = first_taker(n, notifier[n].bits)) != nullptr;) {
        uint64_t got = notifier[n].bits & t->mask;
        notifier[n].bits &= ~got;
        expect_answer(t, 0, got);
    }
}

static void model_record(struct model_watch *w, uint32_t event, uint64_t value, const char *name) {
    struct model_notifier *n = &notifier[w->notifier];
    n->sequence++;
    bool last_there = w->last > n->base && w->last <= n->base + n->records;
    if ((w->flags & WATCH_COALESCE) != 0 && n->lost == 0 && last_there) {
        struct model_record *r = &n->record[w->last - n->base - 1];
        if (r->event == event && strcmp(r->name, name) == 0) {
            r->count++;
            r->value = value;
            return;
        }
    }
    if (n->records + (n->lost > 0 ? 2 : 1) > n->depth) {
        n->lost++;
        return;
    }
    if (n->lost > 0) {
        n->record[n->records++] = (struct model_record){
            .event = EVENT_OVERFLOW, .count = (uint32_t)n->lost, .sequence = n->sequence - 1, .value = n->lost};
        n->lost = 0;
    }
    struct model_record *r = &n->record[n->records++];
    *r =
        (struct model_record){.event = event, .count = 1, .sequence = n->sequence, .cookie = w->cookie, .value = value};
    strcpy(r->name, name);
    w->last = n->base + n->records;
}

static void model_raise(enum thing thing, uint32_t event, uint64_t value, const char *name) {
    for (unsigned i = 0; i < watch_count; i++) {
        struct model_watch *w = &watch[watch_order[i]];
        if (w->thing != thing || (w->events & event) == 0 || (value & w->match_mask) != w->match_value) {
            continue;
        }
        if ((w->flags & WATCH_SILENT) == 0) {
            model_record(w, event, value, name);
        }
        if (w->bits != 0) {
            model_signal(w->notifier, w->bits);
        }
    }
}

static void model_unwatch(unsigned index) {
    watch[index].there = false;
    unsigned kept = 0;
    for (unsigned i = 0; i < watch_count; i++) {
        if (watch_order[i] != index) {
            watch_order[kept++] = watch_order[i];
        }
    }
    watch_count = kept;
}

// ---- steps -----------------------------------------------------------------------------------------------------------

static void step_signal(void) {
    unsigned n = (unsigned)property_choose(p, "notifier", NOTIFIERS);
    uint64_t bits = property_choose(p, "bits", 16);
    if (notifier[n].handle == 0) {
        return;
    }
    property_note(p, "signal %u %llx", n, (unsigned long long)bits);
    int64_t status = CALL(self, SIGNAL, notifier[n].handle, bits);
    property_equal(p, status, bits == 0 ? ERR_INVALID : 0);
    if (bits != 0) {
        model_signal(n, bits);
    }
}

static void step_take(void) {
    struct model_taker *t = &taker[property_choose(p, "taker", TAKERS)];
    unsigned n = (unsigned)property_choose(p, "notifier", NOTIFIERS);
    uint64_t mask = property_between(p, "mask", 1, 15);
    unsigned when = (unsigned)property_choose(p, "deadline", 3);
    if (t->parked || notifier[n].handle == 0) {
        return;
    }
    uint64_t deadline = when == 0 ? 0 : when == 1 ? FOREVER : host_time() + property_choose(p, "in", 3000000);
    property_note(p, "take %u from %u mask %llx until %llu", (unsigned)(t - taker), n, (unsigned long long)mask,
                  (unsigned long long)deadline);
    int64_t status = CALL(t->user, TAKE, t->handle[n], mask, deadline);
    uint64_t got = notifier[n].bits & mask;
    if (got != 0) {
        property_equal(p, status, 0);
        property_equal(p, t->user->word[0], got);
        notifier[n].bits &= ~got;
    } else if (status == ERR_TIMED_OUT) {
        property_check(p, deadline <= host_time());
    } else {
        property_equal(p, status, USER_PARKED);
        t->parked = true;
        t->notifier = n;
        t->order = ++orders;
        t->mask = mask;
        t->deadline = deadline;
    }
}

static void step_watch(void) {
    unsigned index = (unsigned)property_choose(p, "watch", WATCHES);
    struct model_watch *w = &watch[index];
    unsigned n = (unsigned)property_choose(p, "notifier", NOTIFIERS);
    enum thing thing = (enum thing)property_choose(p, "thing", THINGS);
    struct abi_watch_spec spec = {
        .cookie = property_choose(p, "cookie", 100),
        .bits = property_choose(p, "bits", 4),
        .match_mask = property_chance(p, "match", 25) ? 1 : 0,
        .events = (uint32_t)property_choose(p, "events", 0x480),
        .flags = (uint32_t)property_choose(p, "flags", 5),
    };
    spec.match_value = spec.match_mask & property_choose(p, "odd", 2);
    if (w->there || notifier[n].handle == 0) {
        return;
    }
    const handle_t handle[THINGS] = {server, connection[0], directory};
    user_store(self, self->scratch, &spec, sizeof spec);
    int64_t status = CALL(self, WATCH, notifier[n].handle, handle[thing], self->scratch);
    property_note(p, "watch %u: %u hears of %u: events %x flags %x: %lld", index, n, thing, spec.events, spec.flags,
                  (long long)status);
    bool silent = (spec.flags & WATCH_SILENT) != 0;
    bool valid = spec.events != 0 && spec.events < EVENT_OVERFLOW && spec.flags < 4 && (!silent || spec.bits != 0);
    property_equal(p, status, valid ? 0 : ERR_INVALID);
    if (!valid) {
        return;
    }
    *w = (struct model_watch){
        .there = true,
        .notifier = n,
        .thing = thing,
        .id = self->word[0],
        .cookie = spec.cookie,
        .bits = spec.bits,
        .match_mask = spec.match_mask,
        .match_value = spec.match_value,
        .events = spec.events,
        .flags = spec.flags,
    };
    watch_order[watch_count++] = index;
}

static void step_unwatch(void) {
    unsigned index = (unsigned)property_choose(p, "watch", WATCHES);
    struct model_watch *w = &watch[index];
    if (!w->there) {
        return;
    }
    property_note(p, "unwatch %u", index);
    property_equal(p, CALL(self, UNWATCH, notifier[w->notifier].handle, w->id), 0);
    property_equal(p, CALL(self, UNWATCH, notifier[w->notifier].handle, w->id), ERR_NOT_FOUND);
    model_unwatch(index);
}

static void step_send(void) {
    unsigned c = (unsigned)property_choose(p, "connection", CONNECTIONS);
    uint64_t id = property_choose(p, "id", 1000);
    if (connection[c] == 0) {
        return;
    }
    property_note(p, "send %llu", (unsigned long long)id);
    int64_t status = user_send(self, connection[c], "x", 1, id, 0);
    property_equal(p, status, queued == CHANNEL_QUEUE ? ERR_FULL : 0);
    if (status == 0) {
        queued++;
        model_raise(THING_CHANNEL, EVENT_READABLE, id, "");
    }
}

static void step_reply(void) {
    uint64_t id = property_choose(p, "id", 1000);
    int64_t status = user_send(self, server, "y", 1, id, connection_id[0]);
    property_note(p, "reply %llu: %lld", (unsigned long long)id, (long long)status);
    property_check(p, status == 0 || status == ERR_FULL);
    if (status == 0) {
        model_raise(THING_CONNECTION, EVENT_READABLE, id, "");
    } else {
        char byte;
        property_equal(p, user_recv(self, connection[0], &byte, 1), 1);
    }
}

static void step_receive(void) {
    char byte;
    int64_t status = user_recv(self, server, &byte, 1);
    property_note(p, "receive: %lld", (long long)status);
    if (status == 1) {
        if (queued-- == CHANNEL_QUEUE) {
            model_raise(THING_CHANNEL, EVENT_WRITABLE, 0, "");
        }
    } else {
        property_check(p, status == 0 || (status == ERR_EMPTY && queued == 0)); // a hang-up, or nothing
    }
}

static void step_connect(void) {
    if (connection[1] != 0) {
        property_note(p, "disconnect");
        handle_t gone = connection[1];
        connection[1] = 0;
        property_equal(p, CALL(self, CLOSE, gone), 0);
        model_raise(THING_CHANNEL, EVENT_CLOSED, connection_id[1], "");
        return;
    }
    property_note(p, "connect");
    int64_t handle = user_open(self, self->root, "/tmp/c/data", OPEN_READ | OPEN_WRITE, 0);
    property_check(p, handle > 0);
    connection[1] = (handle_t)handle;
    connection_id[1]++;
    if (connection_id[1] == 1) {
        connection_id[1] = connection_id[0] + 1;
    }
    model_raise(THING_CHANNEL, EVENT_OPENED, connection_id[1], "");
}

static void step_name(void) {
    unsigned i = (unsigned)property_choose(p, "child", CHILDREN);
    char name[16];
    snprintf(name, sizeof name, "n%u", i);
    struct abi_stat stat;
    if (!child[i]) {
        property_note(p, "make %s", name);
        property_equal(p, user_make(self, directory, name, NODE_DIR, 0755), 0);
        property_equal(p, user_stat(self, directory, name, &stat), 0);
    } else {
        property_note(p, "remove %s", name);
        property_equal(p, user_stat(self, directory, name, &stat), 0);
        property_equal(p, user_remove(self, directory, name), 0);
    }
    child[i] = !child[i];
    model_raise(THING_DIRECTORY, child[i] ? EVENT_CREATED : EVENT_DELETED, stat.id, name);
}

static void step_mode(void) {
    uint32_t mode = (uint32_t)property_choose(p, "mode", 01000);
    property_note(p, "mode %o", mode);
    user_store(self, self->scratch, "/tmp/w", 6);
    property_equal(p, CALL(self, SETATTR, self->root, self->scratch, 6, ATTR_MODE, mode, 0), 0);
    model_raise(THING_DIRECTORY, EVENT_ATTRIBUTE, mode, "");
}

static void compare_record(const struct abi_event_record *got, const struct model_record *want) {
    property_equal(p, got->event, want->event);
    property_equal(p, got->sequence, want->sequence);
    property_equal(p, got->cookie, want->cookie);
    property_equal(p, got->value, want->value);
    property_equal(p, got->count, want->count);
    property_check(p, strcmp(got->name, want->name) == 0 && got->name_len == strlen(want->name));
    property_equal(p, got->pid, want->event == EVENT_OVERFLOW ? 0 : self->pid);
}

static void read_some(unsigned n, unsigned most) {
    struct model_notifier *m = &notifier[n];
    struct abi_event_record record[RECORDS + 1];
    int64_t got = user_read(self, m->handle, record, most * sizeof record[0] + 5, 0);
    if (m->records == 0 && m->lost == 0) {
        property_equal(p, got, ERR_EMPTY);
        return;
    }
    unsigned there = m->records + (m->lost > 0 ? 1 : 0);
    unsigned count = there < most ? there : most;
    property_equal(p, got, count * sizeof record[0]);
    for (unsigned i = 0; i < count; i++) {
        if (i < m->records) {
            compare_record(&record[i], &m->record[i]);
        } else {
            compare_record(&record[i], &(struct model_record){.event = EVENT_OVERFLOW,
                                                              .count = (uint32_t)m->lost,
                                                              .sequence = m->sequence,
                                                              .value = m->lost});
            m->lost = 0;
        }
    }
    unsigned out = count < m->records ? count : m->records;
    memmove(m->record, m->record + out, (m->records - out) * sizeof m->record[0]);
    m->records -= out;
    m->base += out;
}

static void step_read(void) {
    unsigned n = (unsigned)property_choose(p, "notifier", NOTIFIERS);
    unsigned most = 1 + (unsigned)property_choose(p, "most", 6);
    if (notifier[n].handle != 0) {
        property_note(p, "read %u of %u", most, n);
        read_some(n, most);
    }
}

static void answer_overdue(void) {
    for (unsigned i = 0; i < TAKERS; i++) {
        struct model_taker *t = &taker[i];
        if (t->parked && user_answered(t->user)) {
            property_equal(p, t->user->status, ERR_TIMED_OUT);
            property_check(p, t->deadline <= host_time()); // never early
            t->parked = false;
        }
    }
}

static void step_time(void) {
    uint64_t until = host_time() + property_choose(p, "for", 4000000);
    property_note(p, "time passes to %llu", (unsigned long long)until);
    machine_run(until);
    for (unsigned i = 0; i < TAKERS; i++) {
        const struct model_taker *t = &taker[i];
        // To the tick: what was due a granule ago has happened.
        bool due = t->deadline < host_time() && host_time() - t->deadline > 1 << 17;
        property_check(p, !t->parked || !due || user_answered(t->user));
    }
}

static void model_end_notifier(unsigned n) {
    for (unsigned i = 0; i < WATCHES; i++) {
        if (watch[i].there && watch[i].notifier == n) {
            model_unwatch(i);
        }
    }
    for (struct model_taker *t; (t = first_taker(n, ~0ull)) != nullptr;) {
        expect_answer(t, ERR_REMOVED, 0);
    }
}

static void notifier_begin(unsigned n) {
    uint32_t depth = (uint32_t)property_between(p, "depth", 1, 6);
    int64_t handle = CALL(self, NOTIFIER_CREATE, depth);
    property_check(p, handle > 0);
    notifier[n] = (struct model_notifier){.handle = (handle_t)handle, .depth = depth};
}

static void notifier_share(unsigned n) {
    for (unsigned i = 0; i < TAKERS; i++) {
        int64_t given = CALL(self, GIVE, taker[i].user->process, notifier[n].handle, RIGHT_READ);
        property_check(p, given > 0);
        taker[i].handle[n] = (handle_t)given;
    }
}

// Close every handle of it, the takers' first, and begin another.
static void step_renew(void) {
    unsigned n = (unsigned)property_choose(p, "notifier", NOTIFIERS);
    property_note(p, "renew %u", n);
    for (unsigned i = 0; i < TAKERS; i++) {
        if (taker[i].parked) {
            return; // a parked puppet cannot close its handle
        }
    }
    for (unsigned i = 0; i < TAKERS; i++) {
        property_equal(p, CALL(taker[i].user, CLOSE, taker[i].handle[n]), 0);
    }
    property_equal(p, CALL(self, CLOSE, notifier[n].handle), 0);
    model_end_notifier(n);
    notifier_begin(n);
    notifier_share(n);
}

static void taker_begin(unsigned i) {
    char name[16];
    snprintf(name, sizeof name, "taker%u", born++);
    taker[i] = (struct model_taker){.user = machine_spawn(self, name, nullptr, nullptr, PRIORITY_DEFAULT)};
    property_check(p, taker[i].user != nullptr);
}

// End a taker wherever it is: what it waited for goes to the others.
static void step_kill(void) {
    unsigned i = (unsigned)property_choose(p, "taker", TAKERS);
    struct user *user = taker[i].user;
    handle_t process = user->process, thread = user->self;
    property_note(p, "kill %u", i);
    property_equal(p, CALL(self, KILL, process, 9), 0);
    int64_t status = user_wait_one(self, process, EVENT_EXITED, FOREVER);
    if (status == USER_PARKED) {
        machine_settle();
        while (slice_pending()) { // it is taken apart share by share, and shares come with time
            machine_run(host_time() + 100000);
        }
        property_check(p, user_answered(self));
    }
    property_equal(p, CALL(self, CLOSE, process), 0);
    property_equal(p, CALL(self, CLOSE, thread), 0);
    taker_begin(i);
    for (unsigned n = 0; n < NOTIFIERS; n++) {
        int64_t given = CALL(self, GIVE, taker[i].user->process, notifier[n].handle, RIGHT_READ);
        property_check(p, given > 0);
        taker[i].handle[n] = (handle_t)given;
    }
}

static void check_levels(void) {
    for (unsigned n = 0; n < NOTIFIERS; n++) {
        const struct model_notifier *m = &notifier[n];
        bool ready = m->bits != 0 || m->records > 0 || m->lost > 0;
        property_equal(p, user_wait_one(self, m->handle, EVENT_READABLE, 0), ready ? 0 : ERR_TIMED_OUT);
    }
}

static void step(void) {
    switch (property_choose(p, "step", 24)) {
    case 0 ... 3:
        step_signal();
        break;
    case 4 ... 7:
        step_take();
        break;
    case 8 ... 9:
        step_watch();
        break;
    case 10:
        step_unwatch();
        break;
    case 11 ... 13:
        step_send();
        break;
    case 14:
        step_reply();
        break;
    case 15 ... 16:
        step_receive();
        break;
    case 17:
        step_connect();
        break;
    case 18:
        step_name();
        break;
    case 19:
        step_mode();
        break;
    case 20 ... 21:
        step_read();
        break;
    case 22:
        step_time();
        break;
    default:
        if (property_chance(p, "kill", 50)) {
            step_kill();
        } else {
            step_renew();
        }
    }
    machine_settle();
    answer_overdue();
}

static void world_begin(void) {
    memset(notifier, 0, sizeof notifier);
    memset(watch, 0, sizeof watch);
    memset(taker, 0, sizeof taker);
    memset(child, 0, sizeof child);
    memset(connection_id, 0, sizeof connection_id);
    watch_count = orders = queued = born = 0;
    const struct abi_channel_config config = {.depth = CHANNEL_QUEUE, .message_max = 8};
    server = (handle_t)user_channel(self, self->root, "/tmp/c", &config);
    connection[0] = (handle_t)user_open(self, self->root, "/tmp/c/data", OPEN_READ | OPEN_WRITE, 0);
    connection[1] = 0;
    property_equal(p, user_send(self, connection[0], "x", 1, 0, 0), 0);
    char byte;
    property_equal(p, user_recv(self, server, &byte, 1), 1);
    connection_id[0] = self->word[2]; // as the kernel tells the server
    property_equal(p, user_make(self, self->root, "/tmp/w", NODE_DIR, 0755), 0);
    directory = (handle_t)user_open(self, self->root, "/tmp/w", OPEN_READ | OPEN_WRITE | OPEN_DIR, 0);
    for (unsigned i = 0; i < TAKERS; i++) {
        taker_begin(i);
    }
    for (unsigned n = 0; n < NOTIFIERS; n++) {
        notifier_begin(n);
        notifier_share(n);
    }
}

static void world_end(void) {
    for (unsigned i = 0; i < TAKERS; i++) {
        CALL(self, KILL, taker[i].user->process, 0);
        taker[i].parked = false;
    }
    machine_run_until_idle();
    for (unsigned i = 0; i < TAKERS; i++) {
        property_equal(p, CALL(self, CLOSE, taker[i].user->process), 0);
        property_equal(p, CALL(self, CLOSE, taker[i].user->self), 0);
    }
    for (unsigned n = 0; n < NOTIFIERS; n++) {
        property_equal(p, CALL(self, CLOSE, notifier[n].handle), 0);
    }
    for (unsigned c = 0; c < CONNECTIONS; c++) {
        if (connection[c] != 0) {
            property_equal(p, CALL(self, CLOSE, connection[c]), 0);
        }
    }
    property_equal(p, CALL(self, CLOSE, server), 0);
    for (unsigned i = 0; i < CHILDREN; i++) {
        char name[16];
        snprintf(name, sizeof name, "n%u", i);
        if (child[i]) {
            property_equal(p, user_remove(self, directory, name), 0);
        }
    }
    property_equal(p, CALL(self, CLOSE, directory), 0);
    property_equal(p, user_remove(self, self->root, "/tmp/w"), 0);
    property_equal(p, user_remove(self, self->root, "/tmp/c"), 0);
}

static void notifications_keep_to_the_model(struct property *property) {
    p = property;
    machine_boot(&(struct machine_options){.cpus = 1 + (unsigned)property_choose(p, "cpus", 8)});
    self = machine_init();
    // Once before, so that what stays allocated (tables, touched pages) is there.
    world_begin();
    world_end();
    struct machine_census before, after;
    machine_count(&before);
    world_begin();
    while (property_more(p, 150)) {
        step();
        check_levels();
        machine_check();
    }
    world_end();
    machine_run_until_idle();
    machine_count(&after);
    machine_compare(&before, &after);
}

Test(notify, notifications_keep_to_the_model) {
    cr_assert(property_run("notifications_keep_to_the_model", 2000, notifications_keep_to_the_model));
}

// The events file tells the same as text, whole lines at a time, and ends with the channel.
Test(notify, events_file_tells_what_happens) {
    machine_boot(&(struct machine_options){});
    self = machine_init();
    int64_t channel = user_channel(self, self->root, "/tmp/c", nullptr);
    int64_t events = user_open(self, self->root, "/tmp/c/events", OPEN_READ, 0);
    cr_assert_gt(events, 0);
    char text[512] = "";
    cr_assert_eq(user_read(self, (handle_t)events, text, 10, OFFSET_CURRENT), ERR_TOO_BIG);
    cr_assert_gt(user_read(self, (handle_t)events, text, sizeof text, OFFSET_CURRENT), 0);
    cr_assert_eq(strncmp(text, "sequence time_ns event", 22), 0);
    cr_assert_eq(user_read(self, (handle_t)events, text, sizeof text, OFFSET_CURRENT), ERR_EMPTY);
    cr_assert_eq(user_wait_one(self, (handle_t)events, EVENT_READABLE, 0), ERR_TIMED_OUT);
    int64_t client = user_open(self, self->root, "/tmp/c/data", OPEN_WRITE, 0);
    cr_assert_eq(user_send(self, (handle_t)client, "x", 1, 77, 0), 0);
    cr_assert_eq(user_wait_one(self, (handle_t)events, EVENT_READABLE, 0), 0);
    int64_t length = user_read(self, (handle_t)events, text, sizeof text - 1, OFFSET_CURRENT);
    cr_assert_gt(length, 0);
    text[length] = '\0';
    cr_assert_not_null(strstr(text, " opened "));
    cr_assert_not_null(strstr(text, " readable "));
    cr_assert_not_null(strstr(text, " 77 "));
    cr_assert_eq(user_remove(self, self->root, "/tmp/c"), 0);
    length = user_read(self, (handle_t)events, text, sizeof text - 1, OFFSET_CURRENT);
    cr_assert_gt(length, 0);
    text[length] = '\0';
    cr_assert_not_null(strstr(text, " removed "));
    cr_assert_eq(user_read(self, (handle_t)events, text, sizeof text, OFFSET_CURRENT), 0); // the end
    cr_assert_eq(CALL(self, CLOSE, (uint64_t)channel), 0);
}

// The loss of the last server is told to who watches the channel; its removal only if it goes with that server.
static void last_server_goes(uint32_t flags, const uint32_t *event, unsigned events) {
    machine_boot(&(struct machine_options){});
    self = machine_init();
    int64_t channel = user_channel(self, self->root, "/tmp/c", &(struct abi_channel_config){.flags = flags});
    int64_t seen = user_open(self, self->root, "/tmp/c", OPEN_READ | OPEN_DIR, 0);
    int64_t notifier = CALL(self, NOTIFIER_CREATE, 0);
    const struct abi_watch_spec spec = {.events = EVENT_PEER_LOST | EVENT_REMOVED};
    cr_assert(user_store(self, self->scratch, &spec, sizeof spec));
    cr_assert_gt(seen, 0);
    cr_assert_eq(CALL(self, WATCH, (uint64_t)notifier, (uint64_t)channel, self->scratch), 0);
    struct user *server = machine_spawn(self, "server", nullptr, nullptr, PRIORITY_DEFAULT);
    cr_assert_gt(CALL(self, GIVE, server->process, (uint64_t)channel, RIGHT_READ | RIGHT_WRITE), 0);
    cr_assert_eq(CALL(self, CLOSE, (uint64_t)channel), 0);
    struct abi_event_record record;
    cr_assert_eq(user_read(self, (handle_t)notifier, &record, sizeof record, OFFSET_CURRENT), ERR_EMPTY);
    cr_assert_eq(CALL(self, KILL, server->process, 1), 0);
    machine_run_until_idle();
    for (unsigned i = 0; i < events; i++) {
        cr_assert_eq(user_read(self, (handle_t)notifier, &record, sizeof record, OFFSET_CURRENT), sizeof record);
        cr_assert_eq(record.event, event[i]);
    }
    cr_assert_eq(user_read(self, (handle_t)notifier, &record, sizeof record, OFFSET_CURRENT), ERR_EMPTY);
}

Test(notify, a_lasting_channel_loses_its_last_server) {
    last_server_goes(0, (const uint32_t[]){EVENT_PEER_LOST}, 1);
}

Test(notify, a_temporary_channel_goes_with_its_last_server) {
    last_server_goes(CHANNEL_TEMPORARY, (const uint32_t[]){EVENT_PEER_LOST, EVENT_REMOVED}, 2);
}

Test(notify, every_event_has_its_name) {
    static const struct {
        uint32_t event;
        const char *name;
    } all[] = {
        {EVENT_READABLE, "readable"},   {EVENT_WRITABLE, "writable"}, {EVENT_PEER_LOST, "peer_lost"},
        {EVENT_EXITED, "exited"},       {EVENT_REMOVED, "removed"},   {EVENT_OPENED, "opened"},
        {EVENT_CLOSED, "closed"},       {EVENT_CREATED, "created"},   {EVENT_DELETED, "deleted"},
        {EVENT_ATTRIBUTE, "attribute"}, {EVENT_OVERFLOW, "overflow"},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        cr_assert_str_eq(event_name(all[i].event), all[i].name);
    }
}

// Many events at once come in parts of whole lines, none twice and none left out.
Test(notify, events_file_gives_many_lines_in_parts) {
    enum { MESSAGES = 50, EVENTS = MESSAGES + 1 };
    static char text[16384];
    machine_boot(&(struct machine_options){});
    self = machine_init();
    cr_assert_gt(user_channel(self, self->root, "/tmp/c", nullptr), 0);
    handle_t events = (handle_t)user_open(self, self->root, "/tmp/c/events", OPEN_READ, 0);
    handle_t client = (handle_t)user_open(self, self->root, "/tmp/c/data", OPEN_WRITE, 0);
    for (uint64_t i = 0; i < MESSAGES; i++) {
        cr_assert_eq(user_send(self, client, "x", 1, 1000 + i, 0), 0);
    }
    size_t size = 0;
    unsigned parts = 0;
    for (int64_t got; (got = user_read(self, events, text + size, sizeof text - 1 - size, OFFSET_CURRENT)) > 0;) {
        size += (size_t)got;
        parts++;
        cr_assert_eq(text[size - 1], '\n');
    }
    text[size] = '\0';
    cr_assert_gt(parts, 2);
    char *at = strchr(text, '\n') + 1;
    for (uint64_t i = 0; i < EVENTS; i++, at = strchr(at, '\n') + 1) {
        unsigned long long sequence, value;
        char name[32];
        cr_assert_eq(sscanf(at, "%llu %*u %31s %*u %llu", &sequence, name, &value), 3);
        cr_assert_eq(sequence, i + 1);
        cr_assert_str_eq(name, i == 0 ? "opened" : "readable");
        cr_assert(i == 0 || value == 1000 + i - 1);
    }
    cr_assert_eq(*at, '\0');
}

// An events file is read, and neither served nor written.
Test(notify, events_file_is_only_read) {
    machine_boot(&(struct machine_options){});
    self = machine_init();
    cr_assert_gt(user_channel(self, self->root, "/tmp/c", &(struct abi_channel_config){.mode = 0777}), 0);
    cr_assert_eq(user_open(self, self->root, "/tmp/c/events", OPEN_SERVE, 0), ERR_ACCESS);
    cr_assert_eq(user_open(self, self->root, "/tmp/c/events", OPEN_WRITE, 0), ERR_READ_ONLY);
}

// A read that ends in memory that cannot be written gives the whole records before it; the next is still there.
Test(notify, read_into_a_hole_loses_no_record) {
    machine_boot(&(struct machine_options){});
    self = machine_init();
    handle_t queue = (handle_t)CALL(self, NOTIFIER_CREATE, 8);
    handle_t dir = (handle_t)user_open(self, self->root, "/tmp", OPEN_READ | OPEN_WRITE | OPEN_DIR, 0);
    const struct abi_watch_spec spec = {.events = EVENT_CREATED};
    user_store(self, self->scratch, &spec, sizeof spec);
    cr_assert_eq(CALL(self, WATCH, queue, dir, self->scratch), 0);
    for (char name[2] = "a"; *name <= 'c'; ++*name) {
        cr_assert_eq(user_make(self, dir, name, NODE_DIR, 0777), 0);
    }
    struct abi_event_record record;
    uint64_t end = self->scratch + USER_SCRATCH_SIZE, begin = end - sizeof record - sizeof record / 2;
    cr_assert_eq(CALL(self, READ, queue, begin, 3 * sizeof record, OFFSET_CURRENT), (int64_t)sizeof record);
    cr_assert(user_load(self, &record, begin, sizeof record));
    cr_assert_str_eq(record.name, "a");
    cr_assert_eq(CALL(self, READ, queue, end - 8, sizeof record, OFFSET_CURRENT), ERR_FAULT);
    for (char name[2] = "b"; *name <= 'c'; ++*name) {
        cr_assert_eq(user_read(self, queue, &record, sizeof record, OFFSET_CURRENT), (int64_t)sizeof record);
        cr_assert_str_eq(record.name, name);
    }
}

// Watching a device is watching what speaks for it: whoever watches the console hears of each arrival of input, by any
// open of it; of what is always ready nothing is ever told.
Test(notify, devices_are_watched_through_their_source) {
    machine_boot(&(struct machine_options){});
    self = machine_init();
    static const char *const paths[] = {"/dev/console", "/dev/null"};
    handle_t queue[2];
    const struct abi_watch_spec spec = {.events = EVENT_READABLE};
    for (unsigned i = 0; i < 2; i++) {
        queue[i] = (handle_t)CALL(self, NOTIFIER_CREATE, 8);
        int64_t device = user_open(self, self->root, paths[i], OPEN_READ | OPEN_WRITE, 0);
        user_store(self, self->scratch, &spec, sizeof spec);
        cr_assert_eq(CALL(self, WATCH, queue[i], (uint64_t)device, self->scratch), 0);
    }
    int64_t other = user_open(self, self->root, "/dev/console", OPEN_READ, 0);
    struct abi_event_record record;
    host_console_type("ab", 2);
    machine_settle();
    char bytes[4];
    cr_assert_eq(user_read(self, (handle_t)other, bytes, 4, OFFSET_CURRENT), 2);
    cr_assert_eq(user_read(self, queue[0], &record, sizeof record, OFFSET_CURRENT), (int64_t)sizeof record);
    cr_assert_eq(record.event, EVENT_READABLE);
    cr_assert_eq(user_read(self, queue[0], &record, sizeof record, OFFSET_CURRENT), ERR_EMPTY);
    cr_assert_eq(user_read(self, queue[1], &record, sizeof record, OFFSET_CURRENT), ERR_EMPTY);
}

// Who waits for a notifier hears of a signal, too, whether or not somebody takes.
Test(notify, a_signal_reaches_who_waits) {
    machine_boot(&(struct machine_options){});
    self = machine_init();
    struct user *waiter = machine_thread(self, nullptr, nullptr, PRIORITY_DEFAULT);
    handle_t made = (handle_t)CALL(self, NOTIFIER_CREATE, 0);
    cr_assert(waiter != nullptr && made > 0);
    cr_assert_eq(user_wait_one(waiter, made, EVENT_READABLE, FOREVER), USER_PARKED);
    cr_assert_eq(CALL(self, SIGNAL, made, 1), 0);
    machine_settle();
    cr_assert(user_answered(waiter));
    cr_assert_eq(waiter->status, 0);
}

// Who waits for a notifier to be readable hears of a record, too.
Test(notify, a_record_reaches_who_waits) {
    machine_boot(&(struct machine_options){});
    self = machine_init();
    struct user *waiter = machine_thread(self, nullptr, nullptr, PRIORITY_DEFAULT);
    handle_t made = (handle_t)CALL(self, NOTIFIER_CREATE, 8);
    cr_assert(waiter != nullptr && made > 0);
    int64_t directory = user_open(self, self->root, "/tmp", OPEN_READ | OPEN_DIR, 0);
    const struct abi_watch_spec spec = {.events = EVENT_CREATED};
    user_store(self, self->scratch, &spec, sizeof spec);
    cr_assert_geq(CALL(self, WATCH, made, (uint64_t)directory, self->scratch), 0);
    cr_assert_eq(user_wait_one(waiter, made, EVENT_READABLE, FOREVER), USER_PARKED);
    cr_assert_geq(user_open(self, self->root, "/tmp/new", OPEN_READ | OPEN_WRITE | OPEN_CREATE, 0644), 0);
    machine_settle();
    cr_assert(user_answered(waiter));
    cr_assert_eq(waiter->status, 0);
}

static handle_t taken_from, sent_to, waited_for;

static void send_and_take(struct user *user) {
    for (unsigned i = 0; i < 2; i++) { // the first lets a whole turn begin
        cr_assert_eq(user_send(user, sent_to, "x", 1, 0, 0), 0);
        cr_assert_eq(CALL(user, TAKE, taken_from, 1, FOREVER), 0);
    }
}

static void wait_and_signal(struct user *user) {
    char byte;
    for (unsigned i = 0; i < 2; i++) {
        cr_assert_eq(user_wait_one(user, waited_for, EVENT_READABLE, FOREVER), 0);
        cr_assert_eq(user_recv(user, waited_for, &byte, 1), 1);
        cr_assert_eq(CALL(user, SIGNAL, taken_from, 1), 0);
    }
}

// Who takes, and parks, lets the one run that its own message has woken: straight on, with nothing to hand over.
Test(notify, the_taker_lets_run_whom_its_message_woke) {
    machine_boot(&(struct machine_options){});
    self = machine_init();
    taken_from = (handle_t)CALL(self, NOTIFIER_CREATE, 0);
    waited_for = (handle_t)user_channel(self, self->root, "/ipc/w", nullptr);
    sent_to = (handle_t)user_open(self, self->root, "/ipc/w/data", OPEN_WRITE, 0);
    struct user *waiter = machine_thread(self, wait_and_signal, nullptr, PRIORITY_DEFAULT);
    struct user *taker = machine_thread(self, send_and_take, nullptr, PRIORITY_DEFAULT);
    cr_assert(waiter != nullptr && taker != nullptr);
    uint64_t fast = cpu_table[0]->count[COUNT_FAST_PARK];
    machine_run_until_idle();
    cr_assert_gt(cpu_table[0]->count[COUNT_FAST_PARK], fast);
}

// Equals come in the order in which they were woken, also when the last was woken by a fast path.
Test(notify, the_woken_come_in_their_order) {
    machine_boot(&(struct machine_options){});
    self = machine_init();
    struct user *first = machine_thread(self, nullptr, nullptr, PRIORITY_DEFAULT);
    struct user *second = machine_thread(self, nullptr, nullptr, PRIORITY_DEFAULT);
    handle_t made[3];
    for (unsigned i = 0; i < 3; i++) {
        made[i] = (handle_t)CALL(self, NOTIFIER_CREATE, 0);
    }
    cr_assert_eq(CALL(first, TAKE, made[0], 1, FOREVER), USER_PARKED);
    cr_assert_eq(CALL(second, TAKE, made[1], 1, FOREVER), USER_PARKED);
    cr_assert_eq(CALL(self, SIGNAL, made[0], 1), 0);
    uint64_t fast = cpu_table[0]->count[COUNT_FAST_WAKE];
    cr_assert_eq(CALL(self, SIGNAL, made[1], 1), 0);
    cr_assert_eq(cpu_table[0]->count[COUNT_FAST_WAKE], fast + 1);
    user_begin(self, CALL_TAKE, (const uint64_t[6]){made[2], 1, FOREVER});
    while (self->thread->state != THREAD_PARKED) {
        cr_assert(machine_step());
    }
    cr_assert_eq(cpu_table[0]->current, first->thread);
    machine_settle();
    cr_assert(user_answered(first) && user_answered(second));
    cr_assert_eq(second->word[0], 1);
}

enum { ROUNDS = 20 };
static handle_t there, back;

static void ping(struct user *user) {
    for (unsigned i = 0; i < ROUNDS; i++) {
        require_equal(CALL(user, SIGNAL, there, 1), 0);
        require_equal(CALL(user, TAKE, back, 6, FOREVER), 0);
        require_equal(user->word[0], 2);
    }
}

static void pong(struct user *user) {
    for (unsigned i = 0; i < ROUNDS; i++) {
        require_equal(CALL(user, TAKE, there, 1, FOREVER), 0);
        require_equal(user->word[0], 1);
        require_equal(CALL(user, SIGNAL, back, 2), 0);
    }
}

// Two that signal each other come to do so by fast paths alone.
Test(notify, signal_and_take_pass_the_cpu_on) {
    machine_boot(&(struct machine_options){});
    self = machine_init();
    there = (handle_t)CALL(self, NOTIFIER_CREATE, 0);
    back = (handle_t)CALL(self, NOTIFIER_CREATE, 0);
    cr_assert(machine_thread(self, ping, nullptr, PRIORITY_DEFAULT) != nullptr);
    cr_assert(machine_thread(self, pong, nullptr, PRIORITY_DEFAULT) != nullptr);
    machine_run_until_idle();
    cr_assert_eq(thread_count(), 1);
    cr_assert_gt(cpu_table[0]->count[COUNT_FAST_PARK], ROUNDS);
    cr_assert_eq(cpu_table[0]->woken == &sched_nobody || cpu_table[0]->woken == &sched_closed, true);
}
