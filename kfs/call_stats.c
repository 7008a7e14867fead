// /kern/ipc/stats/errors: which calls were refused, and why. See kfs/doc/ipc.md.
#include "kfs/call_stats.h"

#include "abi/calls.h"
#include "kernel/slice.h"
#include "kernel/syscall.h"
#include "kfs/text.h"

enum { PER_UNIT = 8 }; // counters that are looked at for a unit of work

const struct text_columns call_stats_columns = TEXT_COLUMNS("call", "error", "count");

// The cursor: how many counters have been looked at, in the order of calls and of errors.
bool call_stats_record(const struct node *, uint64_t *cursor, struct text *text, unsigned *budget) {
    for (uint64_t end = (uint64_t)CALL_COUNT * CALL_ERRORS; *cursor < end && *budget > 0; slice_spend(budget, 1)) {
        for (unsigned i = 0; i < PER_UNIT && *cursor < end; i++) {
            uint64_t number = *cursor / CALL_ERRORS;
            int32_t error = -1 - (int32_t)(*cursor % CALL_ERRORS);
            uint64_t count = call_refused(number, error);
            ++*cursor;
            if (count > 0) {
                text_word(text, call_names[number]);
                text_word(text, abi_error_name(error));
                text_u64(text, count);
                return true;
            }
        }
    }
    return *cursor < (uint64_t)CALL_COUNT * CALL_ERRORS;
}
