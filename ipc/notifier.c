#include "ipc/notifier_impl.h"

#include "base/format.h"
#include "base/memory.h"
#include "base/str.h"
#include "kernel/cpu.h"
#include "kernel/include/arch.h"
#include "kernel/page_alloc.h"
#include "kernel/panic.h"
#include "kernel/park.h"
#include "kernel/process.h"
#include "kernel/slab.h"
#include "kernel/syscall.h"
#include "kernel/thread.h"
#include "kernel/wait.h"

// A watch of a notifier, or a part of one.
struct subscription {
    struct watch watch;
    struct list by_notifier;
    struct notifier *notifier;
    uint64_t id, cookie, bits;
    uint32_t flags;
    uint32_t name_length; // 0: not of one entry
    uint64_t last;        // number of its last record; 0: none yet
    char name[];          // of the only entry that matters, zero-terminated
};

enum {
    END_AT_ONCE = 32,  // units of work that closing does itself; more goes in slices
    WAKE_UNITS = 3,    // for a thread that wakes
    SIGNAL_UNITS = 32, // of work on the spot
};

static struct id_tree registry;
static uint64_t last_id, last_watch_id;
struct notifier_totals notifier_books;

struct object *notifier_object(struct notifier *notifier) {
    return &notifier->object;
}

struct notifier *notifier_of(struct object *object) {
    KASSERT(object->ops->kind == OBJECT_NOTIFIER);
    return container_of(object, struct notifier, object);
}

// ---- life ------------------------------------------------------------------------------------------------------------

static unsigned page_count(uint32_t depth) {
    return (depth + RECORDS_PER_PAGE - 1) / RECORDS_PER_PAGE;
}

// True when all is freed.
static bool free_some(struct notifier *notifier, unsigned *budget) {
    for (unsigned i; (i = page_count(notifier->depth)) > 0; notifier->depth = (i - 1) * RECORDS_PER_PAGE) {
        if (*budget == 0) {
            return false;
        }
        slice_spend(budget, PAGE_FREE_UNITS);
        if (notifier->page[i - 1] != nullptr) {
            page_free(arch_virt_to_phys(notifier->page[i - 1]), 0);
        }
    }
    slab_free(notifier, sizeof *notifier);
    return true;
}

status_t notifier_new(uint32_t depth, uint32_t owner_pid, struct notifier **notifier) {
    KASSERT(depth > 0 && depth <= NOTIFIER_DEPTH_MAX);
    struct notifier *new = slab_alloc(sizeof *new);
    if (new == nullptr) {
        return ERR_NO_MEMORY;
    }
    new->depth = depth;
    for (unsigned i = 0; i < page_count(depth); i++) {
        paddr_t page = page_alloc(0); // records are written whole before they are read
        if (page == 0) {
            unsigned budget = UINT_MAX;
            (void)free_some(new, &budget);
            return ERR_NO_MEMORY;
        }
        new->page[i] = arch_phys_to_virt(page);
    }
    notifier_find(new, &new->in, 0);
    notifier_find(new, &new->out, 0);
    object_init(&new->object, &notifier_ops);
    list_init(&new->takers);
    list_init(&new->watches);
    new->created = arch_time_now();
    new->owner_pid = owner_pid;
    new->node.id = ++last_id;
    id_tree_insert(&registry, &new->node);
    notifier_books.active++;
    notifier_books.created++;
    *notifier = new;
    return 0;
}

static size_t subscription_size(size_t name_length) {
    return sizeof(struct subscription) + (name_length > 0 ? name_length + 1 : 0);
}

static void subscription_end(struct subscription *subscription) {
    struct notifier *notifier = subscription->notifier;
    watch_end(&subscription->watch);
    list_remove(&subscription->by_notifier);
    notifier->watch_count--;
    notifier_books.watches--;
    slab_free(subscription, subscription_size(subscription->name_length));
}

// The taker that waits longest, or null.
static struct thread *longest(const struct notifier *notifier) {
    struct list *first = list_first(&notifier->takers);
    return notifier->taker != nullptr || first == nullptr ? notifier->taker
                                                          : container_of(first, struct thread, park.link);
}

// True when it has neither takers nor watches any more.
static bool silence_some(struct notifier *notifier, unsigned *budget) {
    for (struct thread *taker; (taker = longest(notifier)) != nullptr; slice_spend(budget, WAKE_UNITS)) {
        if (*budget == 0) {
            return false;
        }
        park_complete(taker, ERR_REMOVED, (const uint64_t[4]){});
    }
    while (!list_empty(&notifier->watches)) {
        if (*budget == 0) {
            return false;
        }
        slice_spend(budget, 1);
        subscription_end(container_of(list_first(&notifier->watches), struct subscription, by_notifier));
    }
    return true;
}

static bool silence_step(struct slice *slice, unsigned *budget) {
    struct notifier *notifier = container_of(slice, struct notifier, ending);
    bool done = silence_some(notifier, budget);
    if (done) {
        object_unref(&notifier->object);
    }
    return done;
}

void notifier_silence(struct notifier *notifier) {
    unsigned budget = END_AT_ONCE;
    if (!silence_some(notifier, &budget)) {
        object_ref(&notifier->object);
        slice_queue(&notifier->ending, silence_step);
    }
}

static void unhandled(struct object *object) {
    notifier_silence(notifier_of(object));
}

// Nobody knows it any more but what it watches: it hears of that to the last.
static bool end_step(struct slice *slice, unsigned *budget) {
    struct notifier *notifier = container_of(slice, struct notifier, ending);
    return silence_some(notifier, budget) && free_some(notifier, budget);
}

static void destroy(struct object *object) {
    struct notifier *notifier = notifier_of(object);
    slice_cancel(&notifier->offering);
    id_tree_remove(&registry, &notifier->node);
    notifier_books.active--;
    unsigned budget = END_AT_ONCE;
    if (!end_step(&notifier->ending, &budget)) {
        slice_queue(&notifier->ending, end_step);
    }
}

// ---- bits ------------------------------------------------------------------------------------------------------------

// The bits that nobody who waits is about to get. All of those that are set, but while offers are due.
static uint64_t free_bits(const struct notifier *notifier) {
    uint64_t bits = notifier->bits;
    if (bits == 0) {
        return 0;
    }
    bits &= notifier->taker != nullptr ? ~notifier->taker->park.word : UINT64_MAX;
    list_for_each(link, &notifier->takers) {
        bits &= ~container_of(link, struct thread, park.link)->park.word;
    }
    return bits;
}

// Give a taker those bits that it wants. False if there is one that it wants, and the budget is used up.
static bool offer(struct notifier *notifier, struct thread *taker, unsigned *budget) {
    uint64_t got = notifier->bits & taker->park.word;
    if (got == 0) {
        return true;
    }
    if (*budget == 0) {
        return false;
    }
    slice_spend(budget, WAKE_UNITS);
    notifier->bits &= ~got;
    notifier->taken++;
    notifier_books.taken++;
    park_complete(taker, 0, (const uint64_t[4]){got});
    return true;
}

// To each taker what it wants, longest wait first. What is left stays.
static bool offer_some(struct notifier *notifier, unsigned *budget) {
    if (notifier->taker != nullptr && !offer(notifier, notifier->taker, budget)) {
        return false;
    }
    list_for_each_safe(link, &notifier->takers) {
        if (!offer(notifier, container_of(link, struct thread, park.link), budget)) {
            return false;
        }
    }
    return true;
}

static bool offer_step(struct slice *slice, unsigned *budget) {
    struct notifier *notifier = container_of(slice, struct notifier, offering);
    notifier->offers_due = !offer_some(notifier, budget);
    if (!notifier->offers_due && free_bits(notifier) != 0) { // somebody gave up meanwhile what was to be his
        object_notify_within(&notifier->object, EVENT_READABLE, budget);
    }
    return !notifier->offers_due;
}

[[gnu::noinline]] static void offer_all(struct notifier *notifier, uint64_t bits, unsigned *budget) {
    notifier->bits |= bits;
    if (!offer_some(notifier, budget) && !notifier->offers_due) {
        notifier->offers_due = true;
        slice_queue(&notifier->offering, offer_step);
    }
    if (free_bits(notifier) != 0) {
        object_notify_within(&notifier->object, EVENT_READABLE, budget);
    }
}

// As a rule one waits, for all of these bits; then nobody else has anything to take. False: it is not so.
[[gnu::always_inline]] static inline bool signal_one(struct notifier *notifier, uint64_t bits) {
    notifier->signals++;
    notifier_books.signals++;
    bits |= notifier->bits;
    struct thread *taker = notifier->taker;
    if (taker == nullptr || (bits & ~taker->park.word) != 0 || !park_complete_woken(taker, bits)) {
        return false;
    }
    notifier->taker = nullptr;
    notifier->bits = 0;
    notifier->taken++;
    notifier_books.taken++;
    return true;
}

[[gnu::noinline]] static void signal_many(struct notifier *notifier, uint64_t bits) {
    unsigned budget = SIGNAL_UNITS;
    offer_all(notifier, bits, &budget);
}

void notifier_signal(struct notifier *notifier, uint64_t bits) {
    if (!signal_one(notifier, bits)) {
        signal_many(notifier, bits);
    }
}

static void take_withdraw(struct thread *taker) {
    struct notifier *notifier = notifier_of(taker->park.object);
    if (notifier->taker == taker) {
        notifier->taker = nullptr;
    } else {
        list_remove(&taker->park.link);
        notifier->taker_count--;
    }
}

const struct park_kind take_parked = {.operation = "take", .withdraw = take_withdraw};

long notifier_take(struct notifier *notifier, struct thread *self, uint64_t mask, uint64_t deadline, uint64_t *bits) {
    *bits = free_bits(notifier) & mask;
    if (*bits != 0) {
        notifier->bits &= ~*bits;
        notifier->taken++;
        notifier_books.taken++;
        return 0;
    }
    if (deadline <= arch_time_now()) {
        return ERR_TIMED_OUT;
    }
    if (notifier->taker_count + (notifier->taker != nullptr) == WATCHERS_MAX) {
        return ERR_LIMIT;
    }
    self->park.word = mask;
    if (longest(notifier) == nullptr) {
        notifier->taker = self;
    } else {
        notifier->taker_count++;
        list_push_back(&notifier->takers, &self->park.link);
    }
    park_thread(self, &take_parked, &notifier->object, deadline);
    return CALL_PENDING;
}

// ---- records ---------------------------------------------------------------------------------------------------------

[[gnu::noinline]] void notifier_find(const struct notifier *notifier, struct notifier_place *place, uint64_t number) {
    uint32_t slot = (uint32_t)(number % notifier->depth);
    uint32_t index = slot % RECORDS_PER_PAGE, left = notifier->depth - (slot - index);
    struct abi_event_record *page = notifier->page[slot / RECORDS_PER_PAGE];
    place->slot = page + index;
    place->end = page + (left < RECORDS_PER_PAGE ? left : RECORDS_PER_PAGE);
}

static bool queue_has_room(const struct notifier *notifier, uint64_t records) {
    return notifier->tail - notifier->head + records <= notifier->depth;
}

static bool has_records(const struct notifier *notifier) {
    return notifier->tail != notifier->head || notifier->overdue > 0;
}

// What stands for the events that were lost behind the last record.
static struct abi_event_record overflow_record(const struct notifier *notifier) {
    return (struct abi_event_record){
        .sequence = notifier->sequence,
        .time = arch_time_now(),
        .value = notifier->overdue,
        .event = EVENT_OVERFLOW,
        .count = notifier->overdue < UINT32_MAX ? (uint32_t)notifier->overdue : UINT32_MAX,
    };
}

static bool is_like(const struct abi_event_record *record, const struct event *event) {
    return record->event == event->kind && strcmp(record->name, event->name != nullptr ? event->name : "") == 0;
}

[[gnu::noinline]] static bool coalesce(struct subscription *subscription, const struct event *event) {
    struct notifier *notifier = subscription->notifier;
    if (notifier->overdue > 0 || subscription->last == 0 || subscription->last - 1 < notifier->head) {
        return false;
    }
    struct notifier_place place;
    notifier_find(notifier, &place, subscription->last - 1);
    struct abi_event_record *record = place.slot;
    if (!is_like(record, event) || record->count == UINT32_MAX) {
        return false;
    }
    record->count++;
    record->time = arch_time_now();
    record->value = event->value;
    record->pid = event->pid;
    notifier->coalesced++;
    notifier_books.coalesced++;
    return true;
}

[[gnu::noinline]] static void add_overflow(struct notifier *notifier) {
    struct abi_event_record overflow = overflow_record(notifier);
    overflow.sequence--; // up to the event that is added now
    *notifier->in.slot = overflow;
    notifier_advance(notifier, &notifier->in, ++notifier->tail);
    notifier->overdue = 0;
}

[[gnu::noinline]] static void add_name(struct abi_event_record *record, const char *name) {
    record->name_len = (uint32_t)str_copy(record->name, sizeof record->name, name);
}

// Its queue has room for one more.
[[gnu::always_inline]] static inline void put_record(struct notifier *notifier, struct subscription *subscription,
                                                     const struct event *event) {
    struct abi_event_record *record = notifier->in.slot;
    *record = (struct abi_event_record){
        .sequence = notifier->sequence,
        .time = arch_time_now(),
        .cookie = subscription->cookie,
        .value = event->value,
        .event = event->kind,
        .pid = event->pid,
        .count = 1,
    };
    if (event->name != nullptr) {
        add_name(record, event->name);
    }
    uint64_t next = notifier->tail + 1;
    subscription->last = next;
    notifier->tail = next;
    notifier_advance(notifier, &notifier->in, next);
}

// Where more than that is to be looked at.
[[gnu::noinline]] static void add_record(struct notifier *notifier, struct subscription *subscription,
                                         const struct event *event) {
    if ((subscription->flags & WATCH_COALESCE) != 0 && coalesce(subscription, event)) {
        return;
    }
    if (!queue_has_room(notifier, notifier->overdue > 0 ? 2 : 1)) {
        notifier->overdue++;
        notifier->lost++;
        notifier_books.lost++;
        return;
    }
    if (notifier->overdue > 0) {
        add_overflow(notifier);
    }
    put_record(notifier, subscription, event);
}

static void tell_readable(struct notifier *notifier) {
    if (!list_empty(&notifier->object.waiters)) {
        object_notify_within(&notifier->object, EVENT_READABLE, &watch_budget);
    }
}

static void deliver(struct watch *watch, const struct event *event) {
    struct subscription *subscription = container_of(watch, struct subscription, watch);
    struct notifier *notifier = subscription->notifier;
    if (subscription->name_length > 0 && event->name != nullptr && !str_equal(event->name, subscription->name)) {
        return;
    }
    if (subscription->flags == 0 && notifier->overdue == 0 && notifier->tail - notifier->head < notifier->depth) {
        notifier->sequence++;
        notifier_books.events++;
        put_record(notifier, subscription, event);
        tell_readable(notifier);
    } else if ((subscription->flags & WATCH_SILENT) == 0) {
        notifier->sequence++;
        notifier_books.events++;
        add_record(notifier, subscription, event);
        tell_readable(notifier);
    }
    if (subscription->bits != 0 && !signal_one(notifier, subscription->bits)) {
        offer_all(notifier, subscription->bits, &watch_budget);
    }
}

// The oldest record, which there is: in its slot, or one that stands for what is lost.
static const struct abi_event_record *oldest(const struct notifier *notifier, struct abi_event_record *overflow) {
    if (notifier->tail != notifier->head) {
        return notifier->out.slot;
    }
    *overflow = overflow_record(notifier);
    return overflow;
}

bool notifier_peek(struct notifier *notifier, struct abi_event_record *event) {
    if (!has_records(notifier)) {
        return false;
    }
    struct abi_event_record overflow;
    *event = *oldest(notifier, &overflow);
    return true;
}

void notifier_drop(struct notifier *notifier) {
    KASSERT(has_records(notifier));
    if (notifier->tail != notifier->head) {
        notifier_advance(notifier, &notifier->out, ++notifier->head);
    } else {
        notifier->overdue = 0;
    }
    notifier->read++;
    notifier_books.read++;
}

static long read_records(struct object *object, struct thread *, user_ptr_t buffer, uint64_t length, uint64_t) {
    struct notifier *notifier = notifier_of(object);
    uint64_t moved = 0;
    status_t status = ERR_EMPTY;
    while (has_records(notifier)) {
        struct abi_event_record overflow;
        const struct abi_event_record *event = oldest(notifier, &overflow);
        status = ERR_TOO_BIG;
        if (length - moved >= sizeof *event) {
            status = user_copy_out((user_ptr_t){buffer.va + moved}, event, sizeof *event);
        }
        if (status < 0) {
            break;
        }
        notifier_drop(notifier);
        moved += sizeof *event;
    }
    return moved > 0 ? (long)moved : status;
}

// ---- watches ---------------------------------------------------------------------------------------------------------

static status_t subscribe(struct notifier *notifier, struct watched *thing, const struct abi_watch_spec *spec,
                          const char *name, size_t name_length, uint64_t *id) {
    if (notifier->watch_count == WATCHES_MAX) {
        return ERR_LIMIT;
    }
    struct subscription *new = slab_alloc(subscription_size(name_length));
    if (new == nullptr) {
        return ERR_NO_MEMORY;
    }
    new->watch.events = spec->events;
    new->watch.match_mask = spec->match_mask;
    new->watch.match_value = spec->match_value;
    new->watch.deliver = deliver;
    status_t status = watch_begin(thing, &new->watch);
    if (status < 0) {
        slab_free(new, subscription_size(name_length));
        return status;
    }
    new->notifier = notifier;
    new->id = *id != 0 ? *id : ++last_watch_id;
    new->name_length = (uint32_t)name_length;
    memcpy(new->name, name, name_length); // what follows is zero
    new->cookie = spec->cookie;
    new->bits = spec->bits;
    new->flags = spec->flags;
    list_push_back(&notifier->watches, &new->by_notifier);
    notifier->watch_count++;
    notifier_books.watches++;
    *id = new->id;
    return 0;
}

status_t notifier_watch(struct notifier *notifier, struct watched *thing, const struct abi_watch_spec *spec,
                        uint64_t *id) {
    *id = 0;
    return subscribe(notifier, thing, spec, "", 0, id);
}

status_t notifier_watch_entry(struct notifier *notifier, struct watched *directory, const char *name, size_t length,
                              uint64_t bits, uint64_t *id) {
    const struct abi_watch_spec spec = {
        .events = EVENT_CREATED | EVENT_DELETED | EVENT_REMOVED, .bits = bits, .flags = WATCH_SILENT};
    return subscribe(notifier, directory, &spec, name, length, id);
}

status_t notifier_unwatch(struct notifier *notifier, uint64_t id) {
    status_t status = ERR_NOT_FOUND;
    list_for_each_safe(link, &notifier->watches) {
        struct subscription *subscription = container_of(link, struct subscription, by_notifier);
        if (subscription->id == id) {
            subscription_end(subscription);
            status = 0;
        }
    }
    return status;
}

// ---- what it shows ---------------------------------------------------------------------------------------------------

static uint32_t events(const struct object *object) {
    const struct notifier *notifier = container_of(object, const struct notifier, object);
    return has_records(notifier) || free_bits(notifier) != 0 ? EVENT_READABLE : 0;
}

// Who may signal it, or have it watch something; and whatever it watches.
static bool wakers(const struct object *object, bool (*visit)(void *context, struct process *process), void *context) {
    return process_visit_holders(object, RIGHT_WRITE | RIGHT_ADMIN, visit, context) &&
           container_of(object, const struct notifier, object)->watch_count == 0;
}

static void describe(const struct object *object, char *text, size_t capacity) {
    const struct notifier *notifier = container_of(object, const struct notifier, object);
    format(text, capacity, "%llu, %u watches", (unsigned long long)notifier->node.id, notifier->watch_count);
}

const struct object_ops notifier_ops = {
    .kind = OBJECT_NOTIFIER,
    .name = "notifier",
    .destroy = destroy,
    .unhandled = unhandled,
    .events = events,
    .wakers = wakers,
    .read = read_records,
    .describe = describe,
};

void notifier_get_info(const struct notifier *notifier, struct notifier_info *info) {
    *info = (struct notifier_info){
        .id = notifier->node.id,
        .created = notifier->created,
        .bits = notifier->bits,
        .owner_pid = notifier->owner_pid,
        .depth = notifier->depth,
        .queued = (uint32_t)(notifier->tail - notifier->head) + (notifier->overdue > 0 ? 1 : 0),
        .watches = notifier->watch_count,
        .takers = notifier->taker_count + (notifier->taker != nullptr),
        .sequence = notifier->sequence,
        .lost = notifier->lost,
        .coalesced = notifier->coalesced,
        .read = notifier->read,
        .signals = notifier->signals,
        .taken = notifier->taken,
    };
}

struct notifier *notifier_after(uint64_t id) {
    struct id_node *node = id_tree_after(&registry, id);
    return node == nullptr ? nullptr : container_of(node, struct notifier, node);
}

void notifier_get_totals(struct notifier_totals *result) {
    *result = notifier_books;
    uint64_t wakes = cpu_count_total(COUNT_FAST_WAKE);
    result->signals += cpu_count_total(COUNT_FAST_SIGNAL) + wakes;
    result->taken += cpu_count_total(COUNT_FAST_TAKE) + wakes;
    result->read += cpu_count_total(COUNT_FAST_READ);
}
