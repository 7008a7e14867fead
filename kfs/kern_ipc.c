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
    text_header(text, "sent received queued discarded rejected dropped bytes_sent bytes_received high_water");
    text_u64(text, totals.messages.sent);
    text_u64(text, totals.messages.received);
    text_u64(text, totals.messages.queued);
    text_u64(text, totals.messages.discarded);
    text_u64(text, totals.messages.rejected);
    text_u64(text, 0); // no policy of this stage ever drops a message
    text_u64(text, totals.messages.bytes_sent);
    text_u64(text, totals.messages.bytes_received);
    text_u64(text, totals.messages.high_water);
}

static void channels_snapshot(const struct node *, const struct process *, struct text *text) {
    struct ipc_totals totals;
    ipc_get_totals(&totals);
    text_header(text, "active created destroyed connections_active connections_created connections_destroyed");
    text_u64(text, totals.channels_active);
    text_u64(text, totals.channels_created);
    text_u64(text, totals.channels_destroyed);
    text_u64(text, totals.connections_active);
    text_u64(text, totals.connections_created);
    text_u64(text, totals.connections_destroyed);
}

// generation changes whenever a channel comes or goes: a listing whose lines all have the same is one picture.
static const char registry_columns[] =
    "id path owner_pid mode depth message_max servers connections queued sent received discarded rejected removed "
    "temporary generation mapped calls replied lost";

static bool registry_record(const struct node *, uint64_t *cursor, struct text *text) {
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
    text_u64(text, info.depth);
    text_u64(text, info.message_max);
    text_u64(text, info.servers);
    text_u64(text, info.connections);
    text_u64(text, info.inbound.queued + info.outbound.queued);
    text_u64(text, info.inbound.sent + info.outbound.sent);
    text_u64(text, info.inbound.received + info.outbound.received);
    text_u64(text, info.inbound.discarded + info.outbound.discarded);
    text_u64(text, info.inbound.rejected + info.outbound.rejected);
    text_u64(text, info.removed);
    text_u64(text, (info.flags & CHANNEL_TEMPORARY) != 0);
    text_u64(text, totals.channels_created + totals.channels_destroyed);
    text_u64(text, (info.flags & CHANNEL_MAPPED) != 0);
    text_u64(text, info.calls.made);
    text_u64(text, info.calls.replied);
    text_u64(text, info.calls.lost);
    return true;
}

static void notifications_snapshot(const struct node *, const struct process *, struct text *text) {
    struct notifier_totals totals;
    notifier_get_totals(&totals);
    text_header(text, "notifiers created watches raised events lost coalesced read signals taken");
    text_u64(text, totals.active);
    text_u64(text, totals.created);
    text_u64(text, totals.watches);
    text_u64(text, watch_raised());
    text_u64(text, totals.events);
    text_u64(text, totals.lost);
    text_u64(text, totals.coalesced);
    text_u64(text, totals.read);
    text_u64(text, totals.signals);
    text_u64(text, totals.taken);
}

static const char notifier_columns[] =
    "id owner_pid bits depth queued watches takers events lost coalesced read signals "
    "taken created_ns";

static bool notifier_record(const struct node *, uint64_t *cursor, struct text *text) {
    const struct notifier *notifier = notifier_after(*cursor);
    if (notifier == nullptr) {
        return false;
    }
    struct notifier_info info;
    notifier_get_info(notifier, &info);
    *cursor = info.id;
    text_u64(text, info.id);
    text_u64(text, info.owner_pid);
    text_hex(text, info.bits);
    text_u64(text, info.depth);
    text_u64(text, info.queued);
    text_u64(text, info.watches);
    text_u64(text, info.takers);
    text_u64(text, info.sequence);
    text_u64(text, info.lost);
    text_u64(text, info.coalesced);
    text_u64(text, info.read);
    text_u64(text, info.signals);
    text_u64(text, info.taken);
    text_u64(text, info.created);
    return true;
}

static void calls_snapshot(const struct node *, const struct process *, struct text *text) {
    text_header(text, "calls replied lost fast_calls fast_replies fast");
    text_u64(text, cpu_count_total(COUNT_CALL));
    text_u64(text, cpu_count_total(COUNT_REPLY));
    text_u64(text, cpu_count_total(COUNT_CALL_LOST));
    text_u64(text, cpu_count_total(COUNT_FAST_CALL));
    text_u64(text, cpu_count_total(COUNT_FAST_REPLY));
    text_u64(text, cpu_count_total(COUNT_FAST));
}

static void latency_snapshot(const struct node *, const struct process *, struct text *text) {
    struct ipc_totals totals;
    ipc_get_totals(&totals);
    text_latency(text, &totals.latency);
}

static const struct tree_ops latency_ops = {.snapshot = latency_snapshot};
static const struct tree_ops calls_ops = {.snapshot = calls_snapshot};
static const struct tree_ops errors_ops = {.snapshot = call_stats_snapshot};
static const struct tree_ops notifications_ops = {.snapshot = notifications_snapshot};
static const struct tree_ops notifiers_ops = {.columns = notifier_columns, .record = notifier_record};
static const struct tree_ops messages_ops = {.snapshot = messages_snapshot};
static const struct tree_ops channels_ops = {.snapshot = channels_snapshot};
static const struct tree_ops registry_ops = {.columns = registry_columns, .record = registry_record};

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
