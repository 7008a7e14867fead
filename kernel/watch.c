#include "kernel/watch.h"

#include "kernel/panic.h"

enum { RAISE_UNITS = 24 }; // of work on the spot, besides telling the watchers

unsigned watch_budget;
static uint64_t raised;

status_t watch_begin(struct watched *thing, struct watch *watch) {
    KASSERT((watch->events & ~WATCH_EVENTS) == 0 && watch->deliver != nullptr);
    if (thing->watches.next == nullptr) {
        list_init(&thing->watches);
    }
    unsigned count = 0;
    list_for_each(link, &thing->watches) {
        if (++count == WATCHERS_MAX) {
            return ERR_LIMIT;
        }
    }
    list_push_back(&thing->watches, &watch->by_thing);
    return 0;
}

void watch_end(struct watch *watch) {
    list_remove(&watch->by_thing);
}

void watch_raise_slow(struct watched *thing, const struct event *event) {
    raised++;
    watch_budget = RAISE_UNITS;
    list_for_each(link, &thing->watches) {
        struct watch *watch = container_of(link, struct watch, by_thing);
        if ((watch->events & event->kind) != 0 && (event->value & watch->match_mask) == watch->match_value) {
            watch->deliver(watch, event);
        }
    }
}

void watched_gone(struct watched *thing) {
    if (thing->watches.next == nullptr) {
        return;
    }
    while (list_pop_front(&thing->watches) != nullptr) {
    }
}

uint64_t watch_raised(void) {
    return raised;
}
