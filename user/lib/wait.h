// Waiting, and operations that wait. The kernel never blocks in anything but `wait`; an operation that shall block is a
// loop: try, and while the answer is "empty" or "full", wait for the matching event and try again.
#pragma once

#include "abi/abi.h"
#include "base/types.h"

// Wait until `handle` has one of `events`, or until the deadline (nanoseconds since boot, FOREVER for none). 0,
// ERR_TIMED_OUT, or what the call wait says of the handle.
[[nodiscard]] long wait_for(handle_t handle, uint32_t events, uint64_t deadline);

// Wait as an answer demands: for EVENT_READABLE after ERR_EMPTY, EVENT_WRITABLE after ERR_FULL, with the loss of the
// peer and the removal of the object ending either. 0: try again. Any other status comes back as it is, so that
//     do { status = sys_…(handle, …); } while (wait_retry(handle, &status, deadline));
// ends with the final status.
bool wait_retry(handle_t handle, long *status, uint64_t deadline);
