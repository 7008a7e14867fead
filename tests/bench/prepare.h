// What a loop needs before it can run: handles, a buffer, a path. Each operation of operations.toml has a function here
// that makes it, or none where a loop needs nothing.
#pragma once

#include "abi/abi.h"
#include "loops.h"

enum { PARTNER_HANDLES = 2, OWNED_MAX = 8 };

struct prepared {
    uint64_t words[WORD_COUNT];        // the client's, by WORD_*
    handle_t partner[PARTNER_HANDLES]; // what the partner gets as h0, h1
    handle_t owned[OWNED_MAX];         // to be closed when it is over
    unsigned owned_count;
};

// The words that do not depend on the operation: the buffer.
void prepare_words(struct prepared *prepared);

// Make what the operation needs. 0 or an error; either way prepare_undo takes back what was made.
[[nodiscard]] long prepare(const char *operation, struct prepared *prepared);
void prepare_undo(struct prepared *prepared);
