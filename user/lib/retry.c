// Trying again with growing pauses.
#include "lib/retry.h"

#include "lib/clock.h"

struct retry retry_begin(const struct retry_policy *policy) {
    return (struct retry){.policy = policy, .attempts = 1, .delay = policy->first_delay};
}

static uint64_t end_of_all(const struct retry_policy *policy) {
    return policy->deadline == 0 ? FOREVER : policy->deadline;
}

uint64_t retry_deadline(const struct retry *retry) {
    uint64_t end = end_of_all(retry->policy);
    uint64_t own = retry->policy->timeout == 0 ? FOREVER : clock_deadline(retry->policy->timeout);
    return own < end ? own : end;
}

static uint64_t limited(uint64_t delay, uint64_t limit) {
    return limit != 0 && delay > limit ? limit : delay;
}

static uint64_t multiplied(uint64_t delay, unsigned factor) {
    uint64_t product;
    return __builtin_mul_overflow(delay, factor == 0 ? 1 : factor, &product) ? UINT64_MAX : product;
}

bool retry_again(struct retry *retry, long status) {
    const struct retry_policy *policy = retry->policy;
    bool may_pass = status == ERR_TIMED_OUT || status == ERR_PEER_CLOSED || status == ERR_FULL;
    if (!may_pass || retry->attempts >= policy->attempts) {
        return false;
    }
    uint64_t delay = limited(retry->delay, policy->delay_limit);
    if (clock_deadline(delay) >= end_of_all(policy)) {
        return false;
    }
    if (delay > 0) {
        clock_sleep(delay);
    }
    retry->attempts++;
    retry->delay = multiplied(delay, policy->factor);
    return true;
}
