#include "kernel/slice.h"

#include "kernel/panic.h"

static struct list queue = LIST_INIT(queue);

void slice_queue(struct slice *slice, bool (*step)(struct slice *slice, unsigned *budget)) {
    KASSERT(slice->link.next == nullptr || !list_is_linked(&slice->link));
    slice->step = step;
    list_push_back(&queue, &slice->link);
}

void slice_cancel(struct slice *slice) {
    if (slice->link.next != nullptr) {
        list_remove(&slice->link);
    }
}

void slice_run(unsigned budget) {
    while (budget > 0 && !list_empty(&queue)) {
        struct slice *slice = container_of(list_pop_front(&queue), struct slice, link);
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
}

bool slice_pending(void) {
    return !list_empty(&queue);
}
