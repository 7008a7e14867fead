// Watching: who wants to hear of what happens to something. Whatever can be watched (an object, a node) has a `struct
// watched`; each subscription is a `struct watch` on its list. Raising an event hands it to each watch that asked for its
// kind and whose match lets its value pass; what a watch does with it is its owner's business (notifier.h), who neither
// removes watches nor raises events meanwhile. A thing has at most WATCHERS_MAX watches, so raising is bounded: all of them
// have the event at once, and some of the threads that it wakes run at once, the others by a slice. A thing that nobody
// watches costs one comparison. Needs the kernel lock.
#pragma once

#include "abi/abi.h"
#include "base/list.h"
#include "base/types.h"

// The kinds that a watch can ask for.
static constexpr uint32_t WATCH_EVENTS = EVENT_READABLE | EVENT_WRITABLE | EVENT_PEER_LOST | EVENT_EXITED |
                                         EVENT_REMOVED | EVENT_OPENED | EVENT_CLOSED | EVENT_CREATED | EVENT_DELETED |
                                         EVENT_ATTRIBUTE;

struct watched {
    struct list watches; // of struct watch.by_thing; zero-filled means none yet
};

struct event {
    uint32_t kind;    // one EVENT_*
    uint32_t pid;     // who caused it, 0 for the kernel
    uint64_t value;   // as the ABI table says of the kind
    const char *name; // of an entry, zero-terminated; or null
};

struct watch {
    struct list by_thing; // alone when the thing is gone
    uint32_t events;
    uint64_t match_mask, match_value;
    void (*deliver)(struct watch *watch, const struct event *event);
};

// Begin and end a watch. watch_begin: events, match and deliver are set. ERR_LIMIT.
[[nodiscard]] status_t watch_begin(struct watched *thing, struct watch *watch);
void watch_end(struct watch *watch); // also when the thing is gone

// Of the event that is being raised: units of work, as of slices, that may still go into what follows from its deliveries,
// such as waking threads. What is more goes by a slice.
extern unsigned watch_budget;

void watch_raise_slow(struct watched *thing, const struct event *event);

static inline bool watched_is(const struct watched *thing) {
    return thing->watches.next != nullptr && !list_empty(&thing->watches);
}

// It happened.
static inline void watch_raise(struct watched *thing, const struct event *event) {
    if (watched_is(thing)) {
        watch_raise_slow(thing, event);
    } else {
        thing->watches.next = nullptr; // nobody any more is nobody yet: the one comparison of fast paths
    }
}

// The thing goes: its watches will hear nothing more.
void watched_gone(struct watched *thing);
// Events raised on watched things since boot.
uint64_t watch_raised(void);
