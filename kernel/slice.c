#include "kernel/slice.h"

#include "kernel/panic.h"

static struct list queue = LIST_INIT(queue);
static bool running; // a step that allocates must not begin other steps in its midst

void slice_queue(struct slice *slice, bool (*step)(struct slice *slice, unsigned *budget)) {
    KASSERT(slice->link.next == nullptr || !list_is_linked(&slice->link));
    slice->step = step;
    list_push_back(&queue, &slice->link);
}

void slice_run(unsigned budget) {
    if (running) {
        return;
    }
    running = true;
    while (budget > 0) {
        struct list *first = list_pop_front(&queue);
        if (first == nullptr) {
            break;
        }
        struct slice *slice = container_of(first, struct slice, link);
        unsigned before = budget;
        // A step that is not done goes behind the others, so that a long one delays none of them; each turn costs at
        // least one unit, so that the loop ends.
        if (!slice->step(slice, &budget)) {
            list_push_back(&queue, &slice->link);
        }
        if (budget == before) {
            budget--;
        }
    }
    running = false;
}

bool slice_pending(void) {
    return !running && !list_empty(&queue);
}
