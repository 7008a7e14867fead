#include "kfs/channel_node.h"

#include "abi/abi.h"
#include "base/str.h"
#include "ipc/channel.h"
#include "kernel/panic.h"
#include "kernel/process.h"
#include "kernel/thread.h"
#include "kfs/command.h"
#include "kfs/entry.h"
#include "kfs/event_file.h"
#include "kfs/node.h"
#include "kfs/text.h"
#include "kfs/tree.h"

enum { CHILD_DATA, CHILD_CTL, CHILD_STATS, CHILD_EVENTS, CHILD_LATENCY, CHILD_CONNECTIONS, CHILDREN };

static const char *const child_name[CHILDREN] = {"data", "ctl", "stats", "events", "latency", "connections"};

// ---- data ----

static status_t data_open(struct node *node, const struct process *caller, uint32_t flags, uint32_t asked,
                          struct object **object, uint32_t *rights) {
    struct channel *channel = channel_of(node->kernel.held);
    if ((flags & OPEN_SERVE) == 0) {
        *rights = asked | ((flags & OPEN_WRITE) != 0 ? RIGHT_CALL : 0);
        return channel_connect(channel, caller->pid, object);
    }
    KASSERT(!channel_removed(channel)); // or no path would have led here
    *object = channel_object(channel);
    object_ref(*object);
    *rights = RIGHT_READ | RIGHT_WRITE | RIGHT_WATCH | RIGHT_GRANT | RIGHT_ADMIN;
    return 0;
}

// ---- ctl ----

static void ctl_snapshot(const struct node *node, const struct process *, struct text *text) {
    const struct node *parent = node->parent;
    struct channel_info info;
    channel_get_info(channel_of(node->kernel.held), &info);
    text_header(text, "id", "mode", "owner", "group", "depth", "message_max", "temporary", "removed", "created_ns",
                "mapped");
    text_u64(text, info.id);
    text_mode(text, parent->mode);
    text_numbers(text, parent->owner, parent->group, info.depth, info.message_max,
                 (info.flags & CHANNEL_TEMPORARY) != 0, info.removed, info.created, (info.flags & CHANNEL_MAPPED) != 0);
}

static long ctl_command(struct node *node, struct thread *self, const char *command) {
    struct node *parent = node->parent;
    uint32_t mode;
    bool remove = str_equal(command, "remove");
    if (!remove && !command_mode(command, &mode)) {
        return ERR_INVALID;
    }
    if (!node_owned(parent, self->process)) {
        return ERR_ACCESS;
    }
    if (parent->removed) {
        return ERR_REMOVED;
    }
    if (remove) {
        entry_remove(parent);
        return 0;
    }
    node_set_access(parent, parent->owner, parent->group, mode);
    node_touch(parent);
    node_raise(parent, EVENT_ATTRIBUTE, mode, nullptr);
    channel_node_changed(parent);
    return 0;
}

// ---- stats ----

static void stats_snapshot(const struct node *node, const struct process *, struct text *text) {
    struct channel_info info;
    channel_get_info(channel_of(node->kernel.held), &info);
    const struct message_counts *in = &info.inbound;
    const struct message_counts *out = &info.outbound;
    text_header(text, "sent", "received", "queued", "discarded", "rejected", "bytes_sent", "bytes_received",
                "high_water", "connections", "servers", "depth", "message_max", "sent_in", "received_in", "queued_in",
                "discarded_in", "rejected_in", "latency_mean_ns", "latency_max_ns", "mapped", "calls", "replied",
                "lost", "waiting");
    text_numbers(text, in->sent + out->sent, in->received + out->received, in->queued + out->queued,
                 in->discarded + out->discarded, in->rejected + out->rejected, in->bytes_sent + out->bytes_sent,
                 in->bytes_received + out->bytes_received,
                 in->high_water > out->high_water ? in->high_water : out->high_water, info.connections, info.servers,
                 info.depth, info.message_max, in->sent, in->received, in->queued, in->discarded, in->rejected);
    const struct latency *latency = channel_latency(channel_of(node->kernel.held));
    uint64_t messages = in->received + out->received;
    text_numbers(text, messages == 0 ? 0 : latency->sum / messages, latency->max, (info.flags & CHANNEL_MAPPED) != 0,
                 info.calls.made, info.calls.replied, info.calls.lost, info.calls.waiting);
}

// ---- latency ----

static void latency_snapshot(const struct node *node, const struct process *, struct text *text) {
    text_latency(text, channel_latency(channel_of(node->kernel.held)));
}

// ---- connections ----

static const struct text_columns connection_columns =
    TEXT_COLUMNS("id", "client_pid", "opened_ns", "hung_up", "peer_lost", "sent_in", "received_in", "queued_in",
                 "sent_out", "received_out", "queued_out", "mapped", "ring_sent_in", "ring_received_in",
                 "ring_queued_in", "ring_sent_out", "ring_received_out", "ring_queued_out");

static void text_ring(struct text *text, const struct ring_counts *counts) {
    text_numbers(text, counts->sent, counts->received, counts->queued);
}

static bool connections_record(const struct node *node, uint64_t *cursor, struct text *text, unsigned *) {
    const struct connection *connection = connection_after(channel_of(node->kernel.held), *cursor);
    if (connection == nullptr) {
        return false;
    }
    struct connection_info info;
    connection_get_info(connection, &info);
    *cursor = info.id;
    text_numbers(text, info.id, info.client_pid, info.opened, info.hung_up, info.peer_lost, info.inbound.sent,
                 info.inbound.received, info.inbound.queued, info.outbound.sent, info.outbound.received,
                 info.outbound.queued, info.mapped);
    text_ring(text, &info.ring_in);
    text_ring(text, &info.ring_out);
    return true;
}

// ---- events ----

static status_t events_open(struct node *node, const struct process *caller, uint32_t flags, uint32_t asked,
                            struct object **object, uint32_t *rights) {
    if ((flags & OPEN_WRITE) != 0) {
        return ERR_READ_ONLY;
    }
    KASSERT((flags & OPEN_SERVE) == 0); // its mode lets nobody
    *rights = asked;
    return event_file_new(channel_of(node->kernel.held), caller->pid, object);
}

// ---- the directory ----

static const struct tree_ops child_ops[CHILDREN] = {
    [CHILD_DATA] = {.open = data_open},
    [CHILD_CTL] = {.snapshot = ctl_snapshot, .command = ctl_command},
    [CHILD_STATS] = {.snapshot = stats_snapshot},
    [CHILD_EVENTS] = {.open = events_open},
    [CHILD_LATENCY] = {.snapshot = latency_snapshot},
    [CHILD_CONNECTIONS] = {.columns = &connection_columns, .record = connections_record},
};

static status_t child_new(struct node *directory, size_t index, struct node **child) {
    static const uint32_t kind[CHILDREN] = {NODE_DEVICE, NODE_KERNEL, NODE_KERNEL,
                                            NODE_KERNEL, NODE_KERNEL, NODE_KERNEL};
    const uint32_t mode[CHILDREN] = {directory->mode, 0644, 0444, directory->mode & 0444, 0444, 0444};
    uint64_t id = NODE_ID_CHANNEL | directory->id << 4 | index;
    *child = node_synthesise(directory, child_name[index], kind[index], mode[index], directory->owner, directory->group,
                             &child_ops[index], id, channel_object(directory->channel));
    if (*child == nullptr) {
        return ERR_NO_MEMORY;
    }
    (*child)->created = directory->created;
    (*child)->modified = directory->modified;
    (*child)->opened = directory->opened;
    return 0;
}

static status_t channel_lookup(struct node *directory, const struct process *, const char *name, size_t length,
                               struct node **child) {
    size_t index = tree_index(child_name, CHILDREN, name, length);
    return index < CHILDREN ? child_new(directory, index, child) : ERR_NOT_FOUND;
}

static status_t channel_next(struct node *directory, const struct process *, uint64_t *cookie, struct node **child) {
    if (*cookie >= CHILDREN) {
        return ERR_NOT_FOUND;
    }
    return child_new(directory, (*cookie)++, child);
}

static const struct tree_ops channel_node_ops = {.lookup = channel_lookup, .next = channel_next};

status_t channel_node_new(const struct abi_channel_config *config, const struct process *caller, struct node **node) {
    struct channel *channel;
    status_t status = channel_new(config, caller->pid, &channel);
    if (status < 0) {
        return status;
    }
    struct channel_info info;
    channel_get_info(channel, &info);
    struct node *new = node_new(NODE_CHANNEL, info.mode, caller->owner, caller->group);
    if (new == nullptr) {
        object_unref(channel_object(channel));
        return ERR_NO_MEMORY;
    }
    new->channel = channel; // takes over the reference
    new->ops = &channel_node_ops;
    *node = new;
    return 0;
}

void channel_node_changed(struct node *node) {
    char path[PATH_LEN_MAX + 1];
    node_path(node, path, sizeof path);
    channel_set_path(node->channel, path);
    channel_set_mode(node->channel, node->mode);
}
