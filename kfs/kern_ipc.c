// /kern/ipc/: totals of messages and channels, and the registry of all channels (IPC-4.2, 6.1, 6.2). See kfs/doc/ipc.md.
#include "abi/abi.h"
#include "ipc/channel.h"
#include "ipc/notifier.h"
#include "kernel/cpu.h"
#include "kfs/call_stats.h"
#include "kfs/node.h"
#include "kfs/text.h"
#include "kfs/tree.h"

static void messages_snapshot(const struct node *, const struct process *, struct text *text) {
    struct ipc_totals totals;
    ipc_get_totals(&totals);
    text_header(text, "sent", "received", "queued", "discarded", "rejected", "dropped", "bytes_sent", "bytes_received",
                "high_water");
    text_numbers(text, totals.messages.sent, totals.messages.received, totals.messages.queued,
                 totals.messages.discarded, totals.messages.rejected);
    text_u64(text, 0); // no policy of this stage ever drops a message
    text_numbers(text, totals.messages.bytes_sent, totals.messages.bytes_received, totals.messages.high_water);
}

static void channels_snapshot(const struct node *, const struct process *, struct text *text) {
    struct ipc_totals totals;
    ipc_get_totals(&totals);
    text_header(text, "active", "created", "destroyed", "connections_active", "connections_created",
                "connections_destroyed");
    text_numbers(text, totals.channels_active, totals.channels_created, totals.channels_destroyed,
                 totals.connections_active, totals.connections_created, totals.connections_destroyed);
}

// generation changes whenever a channel comes or goes: a listing whose lines all have the same is one picture.
static const struct text_columns registry_columns = TEXT_COLUMNS(
    "id", "path", "owner_pid", "mode", "depth", "message_max", "servers", "connections", "queued", "sent", "received",
    "discarded", "rejected", "removed", "temporary", "generation", "mapped", "calls", "replied", "lost");

static bool registry_record(const struct node *, uint64_t *cursor, struct text *text, unsigned *) {
    struct channel *channel = channel_after(*cursor);
    if (channel == nullptr) {
        return false;
    }
    struct channel_info info;
    channel_get_info(channel, &info);
    struct ipc_totals totals;
    ipc_get_totals(&totals);
    *cursor = info.id;
    text_u64(text, info.id);
    text_word(text, info.path);
    text_u64(text, info.owner_pid);
    text_mode(text, info.mode);
    text_numbers(text, info.depth, info.message_max, info.servers, info.connections,
                 info.inbound.queued + info.outbound.queued, info.inbound.sent + info.outbound.sent,
                 info.inbound.received + info.outbound.received, info.inbound.discarded + info.outbound.discarded,
                 info.inbound.rejected + info.outbound.rejected, info.removed, (info.flags & CHANNEL_TEMPORARY) != 0,
                 totals.channels_created + totals.channels_destroyed, (info.flags & CHANNEL_MAPPED) != 0,
                 info.calls.made, info.calls.replied, info.calls.lost);
    return true;
}

static void notifications_snapshot(const struct node *, const struct process *, struct text *text) {
    struct notifier_totals totals;
    notifier_get_totals(&totals);
    text_header(text, "notifiers", "created", "watches", "raised", "events", "lost", "coalesced", "read", "signals",
                "taken");
    text_numbers(text, totals.active, totals.created, totals.watches, watch_raised(), totals.events, totals.lost,
                 totals.coalesced, totals.read, totals.signals, totals.taken);
}

static const struct text_columns notifier_columns =
    TEXT_COLUMNS("id", "owner_pid", "bits", "depth", "queued", "watches", "takers", "events", "lost", "coalesced",
                 "read", "signals", "taken", "created_ns");

static bool notifier_record(const struct node *, uint64_t *cursor, struct text *text, unsigned *) {
    const struct notifier *notifier = notifier_after(*cursor);
    if (notifier == nullptr) {
        return false;
    }
    struct notifier_info info;
    notifier_get_info(notifier, &info);
    *cursor = info.id;
    text_numbers(text, info.id, info.owner_pid);
    text_hex(text, info.bits);
    text_numbers(text, info.depth, info.queued, info.watches, info.takers, info.sequence, info.lost, info.coalesced,
                 info.read, info.signals, info.taken, info.created);
    return true;
}

static void calls_snapshot(const struct node *, const struct process *, struct text *text) {
    text_header(text, "calls", "replied", "lost", "fast_calls", "fast_replies", "fast");
    text_numbers(text, cpu_count_total(COUNT_CALL), cpu_count_total(COUNT_REPLY), cpu_count_total(COUNT_CALL_LOST),
                 cpu_count_total(COUNT_FAST_CALL), cpu_count_total(COUNT_FAST_REPLY), cpu_count_total(COUNT_FAST));
}

static void latency_snapshot(const struct node *, const struct process *, struct text *text) {
    struct ipc_totals totals;
    ipc_get_totals(&totals);
    text_latency(text, &totals.latency);
}

static const struct tree_ops latency_ops = {.snapshot = latency_snapshot};
static const struct tree_ops calls_ops = {.snapshot = calls_snapshot};
static const struct tree_ops errors_ops = {.columns = &call_stats_columns, .record = call_stats_record};
static const struct tree_ops notifications_ops = {.snapshot = notifications_snapshot};
static const struct tree_ops notifiers_ops = {.columns = &notifier_columns, .record = notifier_record};
static const struct tree_ops messages_ops = {.snapshot = messages_snapshot};
static const struct tree_ops channels_ops = {.snapshot = channels_snapshot};
static const struct tree_ops registry_ops = {.columns = &registry_columns, .record = registry_record};

static const struct tree_entry entries[] = {
    {"kern/ipc/channels", NODE_KERNEL, 0444, &registry_ops},
    {"kern/ipc/notifiers", NODE_KERNEL, 0444, &notifiers_ops},
    {"kern/ipc/stats/calls", NODE_KERNEL, 0444, &calls_ops},
    {"kern/ipc/stats/errors", NODE_KERNEL, 0444, &errors_ops},
    {"kern/ipc/stats/latency", NODE_KERNEL, 0444, &latency_ops},
    {"kern/ipc/stats/notifications", NODE_KERNEL, 0444, &notifications_ops},
    {"kern/ipc/stats/messages", NODE_KERNEL, 0444, &messages_ops},
    {"kern/ipc/stats/channels", NODE_KERNEL, 0444, &channels_ops},
};

status_t kern_ipc_build(struct node *root) {
    return tree_build(root, entries, sizeof entries / sizeof entries[0]);
}
