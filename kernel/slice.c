#include "kernel/slice.h"

#include "kernel/panic.h"

static struct list memory_work = LIST_INIT(memory_work);
static struct list other_work = LIST_INIT(other_work);
static bool reclaiming; // a step of memory_work is under way

static void queue(struct list *work, struct slice *slice, bool (*step)(struct slice *slice, unsigned *budget)) {
    KASSERT(slice->link.next == nullptr || !list_is_linked(&slice->link));
    slice->step = step;
    list_push_back(work, &slice->link);
}

void slice_queue(struct slice *slice, bool (*step)(struct slice *slice, unsigned *budget)) {
    queue(&other_work, slice, step);
}

void slice_queue_memory(struct slice *slice, bool (*step)(struct slice *slice, unsigned *budget)) {
    queue(&memory_work, slice, step);
}

void slice_cancel(struct slice *slice) {
    if (slice->link.next != nullptr) {
        list_remove(&slice->link);
    }
}

// One step of the first slice. One that is not done goes behind the others, so that a long one delays none of them. Each
// turn costs at least one unit, so that loops over it end.
static void turn(struct list *work, unsigned *budget) {
    struct slice *slice = container_of(list_pop_front(work), struct slice, link);
    unsigned before = *budget;
    if (!slice->step(slice, budget)) {
        list_push_back(work, &slice->link);
    }
    if (*budget == before) {
        --*budget;
    }
}

static void turn_memory(unsigned *budget) {
    KASSERT(!reclaiming);
    reclaiming = true;
    turn(&memory_work, budget);
    reclaiming = false;
}

void slice_run(unsigned budget) {
    while (budget > 0 && slice_pending()) {
        if (!list_empty(&memory_work)) {
            turn_memory(&budget);
        }
        if (budget > 0 && !list_empty(&other_work)) {
            turn(&other_work, &budget);
        }
    }
}

bool slice_pending(void) {
    return !list_empty(&memory_work) || !list_empty(&other_work);
}

bool slice_reclaim(void) {
    if (list_empty(&memory_work)) {
        return false;
    }
    unsigned budget = SLICE_BUDGET;
    while (budget > 0 && !list_empty(&memory_work)) {
        turn_memory(&budget);
    }
    return true;
}
