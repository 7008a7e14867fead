// Trying again, as the caller wants it: how often, with which pauses, and until when. The library never tries again on
// its own.
//
//     struct retry retry = retry_begin(&policy);
//     do { status = …(…, retry_deadline(&retry)); } while (retry_again(&retry, status));
#pragma once

#include "abi/abi.h"
#include "base/types.h"

// All times in nanoseconds. A zeroed policy with attempts and timeout set tries that often without a pause.
struct retry_policy {
    unsigned attempts;    // in all, the first one among them; 0 counts as 1
    uint64_t timeout;     // for each attempt; 0: as long as `deadline` permits
    uint64_t first_delay; // pause before the second attempt
    unsigned factor;      // each further pause is so many times as long; 0 counts as 1
    uint64_t delay_limit; // but no longer than this; 0: no limit
    uint64_t deadline;    // since boot, for everything together, pauses among it; 0: none
};

struct retry {
    const struct retry_policy *policy;
    unsigned attempts; // begun
    uint64_t delay;    // the next pause
};

struct retry retry_begin(const struct retry_policy *policy);

// When the attempt that begins now shall give up: nanoseconds since boot.
uint64_t retry_deadline(const struct retry *retry);

// After an attempt that ended with `status`: whether to make another, having paused before it. Only what may pass with
// time is tried again: ERR_TIMED_OUT, ERR_PEER_CLOSED and ERR_FULL. False at once when the pause would not end before
// the policy's deadline.
[[nodiscard]] bool retry_again(struct retry *retry, long status);
