// Notifiers: being told instead of asking again and again. A notifier holds 64 bits, which anybody with its handle
// signals and takes, and a queue of event records, which its watches fill. Deadlines are nanoseconds since boot: 0 tries
// once, FOREVER never gives up. Negative results are errors of the ABI table, which tells all of them; named here are
// those that a correct program meets.
#pragma once

#include "abi/abi.h"
#include "base/types.h"

// Every event that a watch can ask for: all but EVENT_OVERFLOW, which comes unasked.
static constexpr uint32_t NOTIFY_EVENTS_ALL = EVENT_OVERFLOW - 1;

// Make a notifier whose queue holds `depth` records, up to NOTIFIER_DEPTH_MAX; 0: NOTIFIER_DEPTH. Its handle, to be
// closed with file_close, which ends its watches; ERR_NO_MEMORY, ERR_LIMIT.
[[nodiscard]] long notify_create(uint32_t depth);

// Set bits, at least one. A bit that is set already stays so: it tells that something happened, not how often. 0.
[[nodiscard]] long notify_signal(handle_t notifier, uint64_t bits);

// Take those bits of `mask` that are set, waiting for the first. *bits receives them, and they are no longer set. 0, or
// ERR_TIMED_OUT.
[[nodiscard]] long notify_take(handle_t notifier, uint64_t mask, uint64_t deadline, uint64_t *bits);

// Watch what a handle names: a file, directory, device, channel, connection, process or thread. *id is for
// notify_unwatch; may be null. 0; ERR_RIGHTS when the handle may not be watched; ERR_LIMIT for too many watches.
[[nodiscard]] long notify_watch(handle_t notifier, handle_t object, const struct abi_watch_spec *spec, uint64_t *id);

// Watch what is at `path`, as it is found by open, links followed. A process is watched through its directory in /proc,
// a channel through its own. The handle that was opened for it, for the caller to keep while the watch shall last and to
// close then; ERR_NOT_FOUND, ERR_ACCESS, and the errors of notify_watch (ERR_RIGHTS: the caller may not read it).
[[nodiscard]] long notify_watch_path(handle_t notifier, const char *path, const struct abi_watch_spec *spec);

// End a watch; records that it left are still read. 0, or ERR_NOT_FOUND.
[[nodiscard]] long notify_unwatch(handle_t notifier, uint64_t id);

// Read up to `capacity` records, oldest first, waiting for the first. How many; ERR_TIMED_OUT. 0 when there is none but
// bits are set, which end the wait, too: take them before the next read, or it gives 0 again at once.
[[nodiscard]] long notify_read(handle_t notifier, struct abi_event_record *records, unsigned capacity,
                               uint64_t deadline);

// "created" for EVENT_CREATED; "-" for what is no single event.
const char *notify_event_name(uint32_t event);

// Read names of events, separated by commas, or "all"; *events receives their union. False if one is unknown or there
// is none; `overflow` is refused, because nobody asks for it.
[[nodiscard]] bool notify_parse_events(const char *names, uint32_t *events);
