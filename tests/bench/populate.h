// Many of a kind, to be present while operations are counted, or to see how much memory each takes. They are not given
// back: who made them ends.
#pragma once

#include "base/types.h"

enum population {
    POPULATION_CHANNELS,    // without a name, each with its server's handle; CONNECTED: and one connection
    POPULATION_CONNECTED,   // (two handles each)
    POPULATION_CONNECTIONS, // to one channel
    POPULATION_NODES,       // empty files in one directory
    POPULATION_THREADS,     // parked in take, with a deadline that is far away
    POPULATION_NOTIFIERS,
    POPULATION_HANDLES, // for one object
    POPULATION_COUNT,
};

extern const char *const population_name[POPULATION_COUNT];

// Make `count` more. 0 or the first error.
[[nodiscard]] long populate(enum population kind, uint64_t count);
