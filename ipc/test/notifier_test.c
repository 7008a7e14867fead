// Notifiers against a model: bits that go to one taker each, records in order, losses told in full, and nothing left of
// any of it. Several notifiers watch the same things.
#include <criterion/criterion.h>
#include <string.h>

#include "fake.h"
#include "ipc/notifier.h"
#include "kernel/park.h"
#include "kernel/slice.h"
#include "kernel/syscall.h"
#include "kernel/thread.h"
#include "property.h"

enum { NOTIFIERS = 2, WATCHES = 6, THINGS = 3, TAKERS = 5, DEPTH_MAX = 12 };

struct m_record {
    uint64_t sequence, cookie, value, count;
    uint32_t event, pid;
    unsigned watch; // which made it; WATCHES: an overflow
    const char *name;
};

struct m_watch {
    bool there;
    unsigned thing;
    struct abi_watch_spec spec;
    uint64_t id;
    uint64_t last; // sequence of its last record
};

struct m_notifier {
    struct notifier *real; // null: not there
    uint32_t depth;
    uint64_t bits, sequence, lost, overdue;
    uint64_t coalesced, read, signals, taken; // how often
    struct m_record record[DEPTH_MAX];
    unsigned count;
    struct m_watch watch[WATCHES];
    unsigned taker[TAKERS], takers; // threads, longest wait first
};

static struct m_notifier notifiers[NOTIFIERS];
static struct watched things[THINGS];
static struct thread threads[TAKERS];
static struct notifier_totals totals;
static struct property *now;

// What is long goes in shares: how many there were.
static unsigned run_slices(void) {
    unsigned shares = 0;
    for (; slice_pending(); shares++) {
        slice_run(SLICE_BUDGET);
    }
    return shares;
}

static struct m_notifier *some_notifier(void) {
    struct m_notifier *notifier = &notifiers[property_choose(now, "notifier", NOTIFIERS)];
    return notifier->real != nullptr ? notifier : nullptr;
}

// ---- the model -------------------------------------------------------------------------------------------------------

static void m_push(struct m_notifier *notifier, struct m_record record) {
    notifier->record[notifier->count++] = record;
}

static void m_signal(struct m_notifier *notifier, uint64_t bits, uint64_t got[TAKERS]) {
    notifier->signals++;
    totals.signals++;
    bits |= notifier->bits;
    unsigned left = 0;
    for (unsigned i = 0; i < notifier->takers; i++) {
        unsigned taker = notifier->taker[i];
        uint64_t mask = threads[taker].park.word & bits;
        if (mask != 0) {
            got[taker] = mask;
            bits &= ~mask;
            notifier->taken++;
            totals.taken++;
        } else {
            notifier->taker[left++] = taker;
        }
    }
    notifier->takers = left;
    notifier->bits = bits;
}

static void m_event(struct m_notifier *notifier, unsigned index, const struct event *event, uint64_t got[TAKERS]) {
    struct m_watch *watch = &notifier->watch[index];
    const struct abi_watch_spec *spec = &watch->spec;
    if ((spec->events & event->kind) == 0 || (event->value & spec->match_mask) != spec->match_value) {
        return;
    }
    if ((spec->flags & WATCH_SILENT) == 0) {
        notifier->sequence++;
        totals.events++;
        const char *name = event->name != nullptr ? event->name : "";
        struct m_record *like = nullptr;
        for (unsigned i = 0; i < notifier->count; i++) {
            struct m_record *record = &notifier->record[i];
            if (record->watch == index && record->sequence == watch->last) {
                like = record;
            }
        }
        if ((spec->flags & WATCH_COALESCE) != 0 && notifier->overdue == 0 && like != nullptr &&
            like->event == event->kind && strcmp(like->name, name) == 0) {
            notifier->coalesced++;
            totals.coalesced++;
            like->count++;
            like->value = event->value;
            like->pid = event->pid;
        } else if (notifier->count + (notifier->overdue > 0 ? 2 : 1) > notifier->depth) {
            notifier->overdue++;
            notifier->lost++;
            totals.lost++;
        } else {
            if (notifier->overdue > 0) {
                m_push(notifier, (struct m_record){.sequence = notifier->sequence - 1,
                                                   .value = notifier->overdue,
                                                   .count = notifier->overdue,
                                                   .event = EVENT_OVERFLOW,
                                                   .watch = WATCHES,
                                                   .name = ""});
                notifier->overdue = 0;
            }
            m_push(notifier, (struct m_record){.sequence = notifier->sequence,
                                               .cookie = spec->cookie,
                                               .value = event->value,
                                               .count = 1,
                                               .event = event->kind,
                                               .pid = event->pid,
                                               .watch = index,
                                               .name = name});
            watch->last = notifier->sequence;
        }
    }
    if (spec->bits != 0) {
        m_signal(notifier, spec->bits, got);
    }
}

static bool parked(const struct thread *thread) {
    return thread->park.kind != nullptr;
}

// Threads whose take ended got just what the model says, and nobody else was woken.
static void check_takers(const uint64_t got[TAKERS], int64_t status) {
    for (unsigned i = 0; i < TAKERS; i++) {
        bool waits = false;
        for (unsigned k = 0; k < NOTIFIERS; k++) {
            for (unsigned m = 0; m < notifiers[k].takers; m++) {
                waits |= notifiers[k].taker[m] == i;
            }
        }
        property_equal(now, parked(&threads[i]), waits);
        if (got[i] != 0) {
            property_equal(now, threads[i].frame.status, status);
            property_equal(now, threads[i].frame.word[0], status == 0 ? got[i] : 0);
        }
    }
}

// ---- deeds -----------------------------------------------------------------------------------------------------------

static void create(void) {
    struct m_notifier *notifier = &notifiers[property_choose(now, "notifier", NOTIFIERS)];
    if (notifier->real != nullptr) {
        return;
    }
    uint32_t depth = (uint32_t)property_between(now, "depth", 1, DEPTH_MAX);
    *notifier = (struct m_notifier){.depth = depth};
    fake_memory_fail((unsigned)property_choose(now, "fail", 8), false);
    struct notifier *real = nullptr;
    status_t status = notifier_new(depth, 1, &real);
    property_equal(now, status, fake_memory_failed() ? ERR_NO_MEMORY : 0);
    fake_memory_fail(0, false);
    if (status == 0) {
        totals.active++;
        totals.created++;
        notifier->real = real;
        object_handle_added(notifier_object(real));
        object_unref(notifier_object(real));
    }
}

static unsigned m_watches(const struct m_notifier *notifier) {
    unsigned count = 0;
    for (unsigned i = 0; i < WATCHES; i++) {
        count += notifier->watch[i].there;
    }
    return count;
}

static void close_one(struct m_notifier *notifier) {
    struct object *object = notifier_object(notifier->real);
    uint64_t ended[TAKERS] = {};
    for (unsigned i = 0; i < notifier->takers; i++) {
        ended[notifier->taker[i]] = 1;
    }
    notifier->takers = 0;
    notifier->real = nullptr;
    totals.active--;
    totals.watches -= m_watches(notifier);
    object_handle_gone(object);
    check_takers(ended, ERR_REMOVED);
}

static void watch(void) {
    struct m_notifier *notifier = some_notifier();
    unsigned index = (unsigned)property_choose(now, "watch", WATCHES);
    if (notifier == nullptr || notifier->watch[index].there) {
        return;
    }
    struct m_watch *watch = &notifier->watch[index];
    *watch = (struct m_watch){
        .thing = (unsigned)property_choose(now, "thing", THINGS),
        .spec = {.cookie = 100 + index,
                 .bits = property_chance(now, "bits", 40) ? 1 + property_choose(now, "bits", 7) : 0,
                 .events = 1 + (uint32_t)property_choose(now, "events", 7),
                 .flags = property_chance(now, "coalesce", 40) ? WATCH_COALESCE : 0},
    };
    if (property_chance(now, "match", 30)) {
        watch->spec.match_mask = 1;
        watch->spec.match_value = property_choose(now, "match_value", 2);
    }
    if (watch->spec.bits != 0 && property_chance(now, "silent", 30)) {
        watch->spec.flags |= WATCH_SILENT;
    }
    fake_memory_fail(property_chance(now, "fail", 10), false);
    status_t status = notifier_watch(notifier->real, &things[watch->thing], &watch->spec, &watch->id);
    property_equal(now, status, fake_memory_failed() ? ERR_NO_MEMORY : 0);
    fake_memory_fail(0, false);
    watch->there = status == 0;
    totals.watches += watch->there;
}

static void unwatch(void) {
    struct m_notifier *notifier = some_notifier();
    if (notifier == nullptr) {
        return;
    }
    struct m_watch *watch = &notifier->watch[property_choose(now, "watch", WATCHES)];
    property_equal(now, notifier_unwatch(notifier->real, watch->id), watch->there ? 0 : ERR_NOT_FOUND);
    totals.watches -= watch->there;
    watch->there = false;
}

static void raise(void) {
    static const char *const names[] = {"", "a", "b"};
    unsigned thing = (unsigned)property_choose(now, "thing", THINGS);
    struct event event = {.kind = 1u << property_choose(now, "kind", 3),
                          .pid = (uint32_t)property_choose(now, "pid", 3),
                          .value = property_choose(now, "value", 4),
                          .name = names[property_choose(now, "name", 3)]};
    uint64_t got[TAKERS] = {};
    // Each notifier has its own takers, and the watches of one come in the order in which they were made.
    for (unsigned i = 0; i < NOTIFIERS; i++) {
        bool done[WATCHES] = {};
        for (unsigned turn = 0; notifiers[i].real != nullptr && turn < WATCHES; turn++) {
            unsigned first = WATCHES;
            for (unsigned k = 0; k < WATCHES; k++) {
                const struct m_watch *watch = &notifiers[i].watch[k];
                if (watch->there && watch->thing == thing && !done[k] &&
                    (first == WATCHES || watch->id < notifiers[i].watch[first].id)) {
                    first = k;
                }
            }
            if (first < WATCHES) {
                done[first] = true;
                m_event(&notifiers[i], first, &event, got);
            }
        }
    }
    watch_raise(&things[thing], &event);
    check_takers(got, 0);
}

static void take(void) {
    struct m_notifier *notifier = some_notifier();
    unsigned index = (unsigned)property_choose(now, "taker", TAKERS);
    struct thread *thread = &threads[index];
    if (notifier == nullptr || parked(thread)) {
        return;
    }
    uint64_t mask = 1 + property_choose(now, "mask", 15), bits = 0;
    bool poll = property_chance(now, "poll", 30);
    long status = notifier_take(notifier->real, thread, mask, poll ? 0 : FOREVER, &bits);
    if ((notifier->bits & mask) != 0) {
        property_equal(now, status, 0);
        property_equal(now, bits, notifier->bits & mask);
        notifier->bits &= ~mask;
        notifier->taken++;
        totals.taken++;
    } else if (poll) {
        property_equal(now, status, ERR_TIMED_OUT);
    } else {
        property_check(now, parked(thread));
        notifier->taker[notifier->takers++] = index;
    }
}

// The deadline passed, or the thread is being ended.
static void withdraw(void) {
    unsigned index = (unsigned)property_choose(now, "taker", TAKERS);
    if (!parked(&threads[index])) {
        return;
    }
    for (unsigned i = 0; i < NOTIFIERS; i++) {
        unsigned left = 0;
        for (unsigned k = 0; k < notifiers[i].takers; k++) {
            if (notifiers[i].taker[k] != index) {
                notifiers[i].taker[left++] = notifiers[i].taker[k];
            }
        }
        notifiers[i].takers = left;
    }
    park_complete(&threads[index], ERR_TIMED_OUT, (const uint64_t[4]){});
}

static void read(void) {
    struct m_notifier *notifier = some_notifier();
    if (notifier == nullptr) {
        return;
    }
    struct object *object = notifier_object(notifier->real);
    struct abi_event_record got[DEPTH_MAX + 1];
    uint64_t room = property_choose(now, "room", DEPTH_MAX + 2);
    fake_user_faults = property_chance(now, "fault", 5);
    long length = object->ops->read(object, nullptr, fake_user(got), room * sizeof *got, 0);
    bool faults = fake_user_faults;
    fake_user_faults = false;
    uint64_t there = notifier->count + (notifier->overdue > 0);
    if (there == 0 || room == 0 || faults) {
        property_equal(now, length, there == 0 ? ERR_EMPTY : room == 0 ? ERR_TOO_BIG : ERR_FAULT);
        return;
    }
    uint64_t moved = there < room ? there : room;
    property_equal(now, length, (long)(moved * sizeof *got));
    for (uint64_t i = 0; i < moved; i++) {
        struct m_record want = {.sequence = notifier->sequence,
                                .value = notifier->overdue,
                                .count = notifier->overdue,
                                .event = EVENT_OVERFLOW,
                                .name = ""};
        if (notifier->count > 0) {
            want = notifier->record[0];
            memmove(notifier->record, notifier->record + 1, --notifier->count * sizeof want);
        } else {
            notifier->overdue = 0;
        }
        notifier->read++;
        totals.read++;
        property_equal(now, got[i].sequence, want.sequence);
        property_equal(now, got[i].event, want.event);
        property_equal(now, got[i].cookie, want.cookie);
        property_equal(now, got[i].value, want.value);
        property_equal(now, got[i].count, want.count);
        property_equal(now, got[i].pid, want.pid);
        property_equal(now, strcmp(got[i].name, want.name), 0);
        property_equal(now, got[i].name_len, strlen(want.name));
    }
}

static void check(void) {
    for (unsigned i = 0; i < NOTIFIERS; i++) {
        const struct m_notifier *notifier = &notifiers[i];
        if (notifier->real == nullptr) {
            continue;
        }
        struct notifier_info info;
        notifier_get_info(notifier->real, &info);
        property_equal(now, info.bits, notifier->bits);
        property_equal(now, info.sequence, notifier->sequence);
        property_equal(now, info.lost, notifier->lost);
        property_equal(now, info.coalesced, notifier->coalesced);
        property_equal(now, info.read, notifier->read);
        property_equal(now, info.signals, notifier->signals);
        property_equal(now, info.taken, notifier->taken);
        property_equal(now, info.depth, notifier->depth);
        property_equal(now, info.watches, m_watches(notifier));
        property_equal(now, info.takers, notifier->takers);
        property_equal(now, info.queued, notifier->count + (notifier->overdue > 0));
        property_equal(now, notifier_ops.events(notifier_object(notifier->real)),
                       notifier->bits != 0 || notifier->count + notifier->overdue > 0 ? EVENT_READABLE : 0);
    }
    struct notifier_totals real;
    notifier_get_totals(&real);
    property_equal(now, memcmp(&real, &totals, sizeof totals), 0);
}

static void notify(struct property *p) {
    now = p;
    memset(notifiers, 0, sizeof notifiers);
    memset(things, 0, sizeof things);
    memset(threads, 0, sizeof threads);
    notifier_get_totals(&totals);
    while (property_more(p, 150)) {
        uint64_t none[TAKERS] = {};
        switch (property_choose(p, "what", 20)) {
        case 0:
            create();
            break;
        case 1 ... 3:
            watch();
            break;
        case 4:
            unwatch();
            break;
        case 5 ... 10:
            raise();
            break;
        case 11 ... 12: {
            struct m_notifier *notifier = some_notifier();
            uint64_t bits = 1 + property_choose(p, "bits", 15);
            if (notifier != nullptr) {
                m_signal(notifier, bits, none);
                notifier_signal(notifier->real, bits);
                check_takers(none, 0);
            }
            break;
        }
        case 13 ... 14:
            take();
            break;
        case 15:
            withdraw();
            break;
        case 16 ... 17:
            read();
            break;
        case 18: {
            struct m_notifier *notifier = some_notifier();
            if (notifier != nullptr && property_chance(p, "close", 30)) {
                close_one(notifier);
            }
            break;
        }
        case 19: {
            unsigned thing = (unsigned)property_choose(p, "thing", THINGS);
            if (property_chance(p, "gone", 20)) {
                // Its watches hear no more; they are there until unwatch all the same.
                watched_gone(&things[thing]);
                for (unsigned i = 0; i < NOTIFIERS * WATCHES; i++) {
                    struct m_watch *watch = &notifiers[i / WATCHES].watch[i % WATCHES];
                    watch->thing = watch->thing == thing ? THINGS : watch->thing;
                }
            }
            break;
        }
        }
        check();
    }
    for (unsigned i = 0; i < NOTIFIERS; i++) {
        if (notifiers[i].real != nullptr) {
            close_one(&notifiers[i]);
        }
    }
    run_slices();
    property_equal(p, object_count(OBJECT_NOTIFIER), 0);
    property_equal(p, fake_memory_objects(), 0);
    property_equal(p, fake_memory_pages(), 0);
    property_check(p, notifier_after(0) == nullptr);
    for (unsigned i = 0; i < THINGS; i++) {
        property_check(p, !watched_is(&things[i]));
    }
}

Test(notifier, agrees_with_the_model) {
    cr_assert(property_run("notifier_agrees_with_the_model", 4000, notify));
}

Test(notifier, watches_and_takers_are_bounded) {
    struct notifier *notifier;
    struct watched thing = {};
    struct abi_watch_spec spec = {.events = EVENT_READABLE};
    uint64_t id;
    cr_assert_eq(notifier_new(1, 1, &notifier), 0);
    for (unsigned i = 0; i < WATCHERS_MAX; i++) {
        cr_assert_eq(notifier_watch(notifier, &thing, &spec, &id), 0);
    }
    uint64_t objects = fake_memory_objects();
    cr_assert_eq(notifier_watch(notifier, &thing, &spec, &id), ERR_LIMIT);
    cr_assert_eq(fake_memory_objects(), objects);
    static struct watched more[WATCHES_MAX];
    for (unsigned i = WATCHERS_MAX; i < WATCHES_MAX; i++) {
        cr_assert_eq(notifier_watch(notifier, &more[i], &spec, &id), 0);
    }
    cr_assert_eq(notifier_watch(notifier, &more[0], &spec, &id), ERR_LIMIT);
    object_unref(notifier_object(notifier));
    run_slices();
    cr_assert_eq(fake_memory_objects() + fake_memory_pages(), 0);
}

// As many pages as the records need, at every depth.
Test(notifier, takes_no_page_too_many) {
    enum { PER_PAGE = PAGE_SIZE / sizeof(struct abi_event_record) };
    struct notifier *notifier;
    for (uint32_t depth = 1; depth <= NOTIFIER_DEPTH_MAX; depth++) {
        cr_assert_eq(notifier_new(depth, 1, &notifier), 0);
        cr_assert_eq(fake_memory_pages(), (depth - 1) / PER_PAGE + 1, "depth %u", depth);
        object_unref(notifier_object(notifier));
        run_slices();
    }
    cr_assert_eq(fake_memory_objects() + fake_memory_pages(), 0);
}

// ---- many at once ----------------------------------------------------------------------------------------------------

static struct thread crowd[WATCHERS_MAX];

static unsigned woken(void) {
    unsigned count = 0;
    for (unsigned i = 0; i < WATCHERS_MAX; i++) {
        count += !parked(&crowd[i]);
    }
    return count;
}

// So many takers that one signal wakes only some on the spot. What the others are about to get is theirs: nobody who comes
// meanwhile gets it, and the notifier is not ready by it.
Test(notifier, a_signal_to_many_is_theirs_from_the_first) {
    struct notifier *notifier;
    struct thread late = {};
    uint64_t bits = 0;
    cr_assert_eq(notifier_new(1, 1, &notifier), 0);
    for (unsigned i = 0; i < WATCHERS_MAX; i++) {
        crowd[i] = (struct thread){};
        cr_assert_eq(notifier_take(notifier, &crowd[i], UINT64_C(1) << i, FOREVER, &bits), CALL_PENDING);
    }
    notifier_signal(notifier, UINT64_MAX);
    unsigned at_once = woken();
    cr_assert(at_once > 0 && at_once <= SLICE_BUDGET, "%u", at_once);
    for (unsigned i = 0; i < WATCHERS_MAX; i++) {
        cr_assert_eq(!parked(&crowd[i]), i < at_once);
    }
    cr_assert_eq(notifier_take(notifier, &late, UINT64_MAX, 0, &bits), ERR_TIMED_OUT);
    struct object *object = notifier_object(notifier);
    cr_assert_eq(object->ops->events(object), 0);
    // One gives up what was to be its own: that is free then.
    crowd[WATCHERS_MAX - 1].park.kind->withdraw(&crowd[WATCHERS_MAX - 1]);
    crowd[WATCHERS_MAX - 1].park.kind = nullptr;
    cr_assert_eq(object->ops->events(object), EVENT_READABLE);
    cr_assert_eq(notifier_take(notifier, &late, UINT64_MAX, 0, &bits), 0);
    cr_assert_eq(bits, UINT64_C(1) << (WATCHERS_MAX - 1));
    // Another does so while offers are due: nobody takes that, and it is left in the end. A further signal changes nothing.
    crowd[WATCHERS_MAX - 2].park.kind->withdraw(&crowd[WATCHERS_MAX - 2]);
    crowd[WATCHERS_MAX - 2].park.kind = nullptr;
    notifier_signal(notifier, 1 << (WATCHERS_MAX / 2 - 2));
    unsigned before = woken(), shares = 0;
    for (; slice_pending(); shares++) {
        slice_run(SLICE_BUDGET);
        cr_assert_leq(woken() - before, SLICE_BUDGET / 2);
        before = woken();
    }
    cr_assert_gt(shares, 1);
    cr_assert_eq(woken(), WATCHERS_MAX);
    struct notifier_info info;
    notifier_get_info(notifier, &info);
    cr_assert_eq(info.bits, UINT64_C(1) << (WATCHERS_MAX - 2));
    cr_assert_eq(info.taken, WATCHERS_MAX - 1);
    // So many takers that their notifier's end wakes them in shares.
    for (unsigned i = 0; i < WATCHERS_MAX; i++) {
        crowd[i] = (struct thread){};
        cr_assert_eq(notifier_take(notifier, &crowd[i], 1, FOREVER, &bits), CALL_PENDING);
    }
    notifier_silence(notifier);
    cr_assert_lt(woken(), WATCHERS_MAX);
    cr_assert_gt(run_slices(), 1);
    for (unsigned i = 0; i < WATCHERS_MAX; i++) {
        cr_assert(!parked(&crowd[i]) && crowd[i].frame.status == ERR_REMOVED);
    }
    object_unref(object);
    run_slices();
    cr_assert_eq(fake_memory_objects() + fake_memory_pages(), 0);
}

// To wake a thread is worth three units: of the share on the spot, and of those that follow, no more and no less is done.
enum { WAKE_WORTH = 3, WOKEN_BY_A_SHARE = (SLICE_BUDGET + WAKE_WORTH - 1) / WAKE_WORTH };

static struct notifier *crowded(void) {
    struct notifier *notifier;
    uint64_t bits;
    cr_assert_eq(notifier_new(1, 1, &notifier), 0);
    for (unsigned i = 0; i < WATCHERS_MAX; i++) {
        crowd[i] = (struct thread){};
        cr_assert_eq(notifier_take(notifier, &crowd[i], UINT64_C(1) << i, FOREVER, &bits), CALL_PENDING);
    }
    return notifier;
}

static void check_shares(void) {
    for (unsigned all = WOKEN_BY_A_SHARE; all < WATCHERS_MAX; all += WOKEN_BY_A_SHARE) {
        cr_assert_eq(woken(), all);
        cr_assert(slice_pending());
        slice_run(SLICE_BUDGET);
    }
    cr_assert_eq(woken(), WATCHERS_MAX);
    cr_assert(!slice_pending());
}

Test(notifier, a_share_wakes_what_it_is_worth) {
    struct notifier *notifier = crowded();
    notifier_signal(notifier, UINT64_MAX);
    check_shares();
    object_unref(notifier_object(notifier));
    notifier = crowded();
    notifier_silence(notifier);
    check_shares();
    object_unref(notifier_object(notifier));
    cr_assert_eq(fake_memory_objects() + fake_memory_pages(), 0);
}

// What was to be its own, a taker gives up before it gets it: in the end that is everybody's, and who waits is told. Of what
// the takers did get nobody is.
Test(notifier, what_is_given_up_meanwhile_is_told) {
    for (unsigned given_up = 0; given_up < 3; given_up++) {
        struct notifier *notifier = crowded();
        struct object *object = notifier_object(notifier);
        struct fake_waiter waiter = {};
        notifier_signal(notifier, UINT64_MAX);
        fake_wait(&waiter, object, EVENT_READABLE);
        for (unsigned i = 0; i < given_up; i++) {
            park_complete(&crowd[WATCHERS_MAX - 1 - i], ERR_TIMED_OUT, (const uint64_t[4]){});
        }
        cr_assert_eq(waiter.woken, 0);
        uint64_t notified = fake_notified();
        cr_assert_gt(run_slices(), 1);
        cr_assert_eq(waiter.woken, given_up > 0);
        cr_assert_eq(fake_notified() - notified, given_up > 0);
        struct notifier_info info;
        notifier_get_info(notifier, &info);
        cr_assert_eq(info.bits, given_up == 0 ? 0 : ~(UINT64_MAX >> given_up));
        fake_wait_end(&waiter);
        object_unref(object);
    }
    cr_assert_eq(fake_memory_objects() + fake_memory_pages(), 0);
}

// It ends before all have what they are about to get: they get nothing any more.
Test(notifier, an_end_is_before_offers) {
    struct notifier *notifier = crowded();
    notifier_signal(notifier, UINT64_MAX);
    object_unref(notifier_object(notifier));
    run_slices();
    for (unsigned i = 0; i < WATCHERS_MAX; i++) {
        cr_assert(!parked(&crowd[i]));
        cr_assert_eq(crowd[i].frame.status, i < WOKEN_BY_A_SHARE ? 0 : ERR_REMOVED);
    }
    cr_assert_eq(fake_memory_objects() + fake_memory_pages(), 0);
}

Test(notifier, takers_are_as_many_as_may_be) {
    struct notifier *notifier = crowded();
    struct thread late = {};
    uint64_t bits;
    cr_assert_eq(notifier_take(notifier, &late, 1, FOREVER, &bits), ERR_LIMIT);
    // One that leaves makes room, the first or another.
    for (unsigned i = 0; i < 2; i++) {
        park_complete(&crowd[i], ERR_TIMED_OUT, (const uint64_t[4]){});
        cr_assert_eq(notifier_take(notifier, &crowd[i], 1, FOREVER, &bits), CALL_PENDING);
        cr_assert_eq(notifier_take(notifier, &late, 1, FOREVER, &bits), ERR_LIMIT);
    }
    notifier_silence(notifier);
    run_slices();
    object_unref(notifier_object(notifier));
    cr_assert_eq(fake_memory_objects() + fake_memory_pages(), 0);
}

// The end of one with many watches, and many records: a unit ends a watch, four free a page.
Test(notifier, its_end_goes_in_shares) {
    enum { PAGES = 1 + (NOTIFIER_DEPTH_MAX - 1) / (PAGE_SIZE / sizeof(struct abi_event_record)), PAGE_WORTH = 4 };
    static struct watched many[WATCHES_MAX];
    const struct abi_watch_spec spec = {.events = EVENT_READABLE};
    struct notifier *notifier;
    uint64_t id;
    cr_assert_eq(notifier_new(NOTIFIER_DEPTH_MAX, 1, &notifier), 0);
    for (unsigned i = 0; i < WATCHES_MAX; i++) {
        cr_assert_eq(notifier_watch(notifier, &many[i], &spec, &id), 0);
    }
    notifier_silence(notifier);
    for (unsigned ended = SLICE_BUDGET; ended <= WATCHES_MAX; ended += SLICE_BUDGET) {
        struct notifier_info info;
        notifier_get_info(notifier, &info);
        cr_assert_eq(info.watches, WATCHES_MAX - ended);
        slice_run(SLICE_BUDGET);
    }
    cr_assert(!slice_pending());
    cr_assert_eq(fake_memory_pages(), PAGES);
    object_unref(notifier_object(notifier));
    for (unsigned freed = SLICE_BUDGET / PAGE_WORTH; freed < PAGES; freed += SLICE_BUDGET / PAGE_WORTH) {
        cr_assert_eq(fake_memory_pages(), PAGES - freed);
        cr_assert(slice_pending());
        slice_run(SLICE_BUDGET);
    }
    cr_assert_eq(fake_memory_objects() + fake_memory_pages(), 0);
    cr_assert(!slice_pending());
}

// An event that very many watch: each has it at once, and not all who wait for it wake on the spot.
Test(notifier, an_event_for_many_is_there_at_once) {
    struct notifier *notifier[WATCHERS_MAX];
    struct watched thing = {};
    struct thread late = {};
    uint64_t id, bits;
    for (unsigned i = 0; i < WATCHERS_MAX; i++) {
        const struct abi_watch_spec spec = {.events = EVENT_READABLE, .bits = 3};
        cr_assert_eq(notifier_new(4, 1, &notifier[i]), 0);
        cr_assert_eq(notifier_watch(notifier[i], &thing, &spec, &id), 0);
        crowd[i] = (struct thread){};
        cr_assert_eq(notifier_take(notifier[i], &crowd[i], 1, FOREVER, &bits), CALL_PENDING);
    }
    watch_raise(&thing, &(struct event){.kind = EVENT_READABLE, .value = 7});
    unsigned at_once = woken();
    cr_assert(at_once > 0 && at_once <= SLICE_BUDGET, "%u", at_once);
    for (unsigned i = 0; i < WATCHERS_MAX; i++) {
        struct abi_event_record record;
        cr_assert(notifier_peek(notifier[i], &record));
        cr_assert_eq(record.value, 7);
        // Of its bits, that which nobody waits for is free; the other is the taker's, also if that has not got it yet.
        cr_assert_eq(notifier_take(notifier[i], &late, 3, 0, &bits), 0);
        cr_assert_eq(bits, 2);
    }
    cr_assert_gt(run_slices(), 1);
    cr_assert_eq(woken(), WATCHERS_MAX);
    for (unsigned i = 0; i < WATCHERS_MAX; i++) {
        object_unref(notifier_object(notifier[i]));
    }
    run_slices();
    cr_assert_eq(fake_memory_objects() + fake_memory_pages(), 0);
}

// However few were lost, the record that tells of them comes before any later one, or else that is lost too.
Test(notifier, losses_are_told_before_what_follows) {
    enum { DEPTH = 3 };
    const struct abi_watch_spec spec = {.events = EVENT_READABLE};
    for (unsigned lost = 1; lost < 4; lost++) {
        struct notifier *notifier;
        struct watched thing = {};
        struct abi_event_record record;
        uint64_t id, value = 0;
        cr_assert_eq(notifier_new(DEPTH, 1, &notifier), 0);
        cr_assert_eq(notifier_watch(notifier, &thing, &spec, &id), 0);
        while (value < DEPTH + lost) {
            watch_raise(&thing, &(struct event){.kind = EVENT_READABLE, .value = value++});
        }
        // Room for one, and then for two.
        for (uint64_t room = 0; room < 2; room++) {
            cr_assert(notifier_peek(notifier, &record));
            cr_assert_eq(record.value, room);
            notifier_drop(notifier);
            watch_raise(&thing, &(struct event){.kind = EVENT_READABLE, .value = value++});
        }
        const struct abi_event_record expected[] = {{.event = EVENT_READABLE, .value = DEPTH - 1},
                                                    {.event = EVENT_OVERFLOW, .value = lost + 1},
                                                    {.event = EVENT_READABLE, .value = value - 1}};
        for (unsigned i = 0; i < DEPTH; i++) {
            cr_assert(notifier_peek(notifier, &record));
            cr_assert_eq(record.event, expected[i].event);
            cr_assert_eq(record.value, expected[i].value);
            notifier_drop(notifier);
        }
        cr_assert(!notifier_peek(notifier, &record));
        object_unref(notifier_object(notifier));
    }
    cr_assert_eq(fake_memory_objects() + fake_memory_pages(), 0);
}

// Who waits is told of a record whatever kind of watch made it.
Test(notifier, every_record_is_told) {
    enum { DEPTH = 2 };
    for (unsigned flags = 0; flags <= WATCH_COALESCE; flags += WATCH_COALESCE) {
        const struct abi_watch_spec spec = {.events = EVENT_READABLE, .flags = flags};
        struct notifier *notifier;
        struct watched thing = {};
        struct abi_event_record record;
        uint64_t id;
        cr_assert_eq(notifier_new(DEPTH, 1, &notifier), 0);
        cr_assert_eq(notifier_watch(notifier, &thing, &spec, &id), 0);
        struct object *object = notifier_object(notifier);
        struct fake_waiter waiter = {};
        for (unsigned i = 1; i <= DEPTH; i++) {
            fake_wait(&waiter, object, EVENT_READABLE);
            cr_assert_eq(waiter.woken, i - 1);
            watch_raise(&thing, &(struct event){.kind = EVENT_READABLE});
            cr_assert_eq(waiter.woken, i);
            notifier_drop(notifier);
        }
        cr_assert(!notifier_peek(notifier, &record));
        object_unref(object);
    }
    cr_assert_eq(fake_memory_objects() + fake_memory_pages(), 0);
}
