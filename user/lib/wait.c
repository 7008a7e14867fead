// Waiting on one object.
#include "lib/wait.h"

#include "isthmus/calls.h"

long wait_for(handle_t handle, uint32_t events, uint64_t deadline) {
    struct abi_wait_item item = {.handle = handle, .events = events};
    return sys_wait(&item, 1, deadline, nullptr);
}

bool wait_retry(handle_t handle, long *status, uint64_t deadline) {
    uint32_t events;
    if (*status == ERR_EMPTY) {
        events = EVENT_READABLE;
    } else if (*status == ERR_FULL) {
        events = EVENT_WRITABLE;
    } else {
        return false;
    }
    long waited = wait_for(handle, events | EVENT_PEER_LOST | EVENT_REMOVED, deadline);
    if (waited < 0) {
        *status = waited;
        return false;
    }
    return true;
}
