// /kern/ipc/stats/errors: which calls were refused, and why. See kfs/doc/ipc.md.
#include "kfs/call_stats.h"

#include "abi/calls.h"
#include "kernel/syscall.h"
#include "kfs/text.h"

void call_stats_snapshot(const struct node *, const struct process *, struct text *text) {
    text_header(text, "call", "error", "count");
    for (uint64_t number = 0; number < CALL_COUNT; number++) {
        for (int32_t error = -1; error >= -CALL_ERRORS; error--) {
            uint64_t count = call_refused(number, error);
            if (count > 0) {
                text_word(text, call_names[number]);
                text_word(text, abi_error_name(error));
                text_u64(text, count);
            }
        }
    }
}
