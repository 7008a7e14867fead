// A channel's events file (IPC-2.1, 2.3, FIELD-5): reading it tells, a line for each, what happens to the channel from the
// open on. Each open has a notifier of its own, so readers neither disturb nor starve each other; a reader that is too
// slow finds an `overflow` line with the number of lines lost. There is nothing to read yet: ERR_EMPTY, wait for
// readable. The channel is gone and all is read: end of file. Fields: kfs/doc/channel.md.
//
// A read gives whole lines, at least one: a buffer that is shorter than the next line is refused with ERR_TOO_BIG.
#pragma once

#include "kernel/object.h"

struct channel;

// An open events file, one reference. It keeps the channel's memory, not its life. ERR_NO_MEMORY, ERR_LIMIT.
[[nodiscard]] status_t event_file_new(struct channel *channel, uint32_t reader_pid, struct object **object);
// The name of one EVENT_*, such as "readable".
const char *event_name(uint32_t event);
