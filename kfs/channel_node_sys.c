#include "abi/calls.h"
#include "ipc/channel.h"
#include "kernel/process.h"
#include "kernel/thread.h"
#include "kfs/argument.h"
#include "kfs/channel_node.h"
#include "kfs/entry.h"
#include "kfs/file.h"
#include "kfs/node.h"
#include "kfs/walk.h"

enum { SERVER_RIGHTS = RIGHT_READ | RIGHT_WRITE | RIGHT_WATCH | RIGHT_GRANT | RIGHT_ADMIN };

static bool config_valid(const struct abi_channel_config *config) {
    return config->depth <= CHANNEL_DEPTH_MAX && config->message_max <= MESSAGE_MAX && config->mode <= 0777 &&
           (config->flags & ~(CHANNEL_TEMPORARY | CHANNEL_MAPPED)) == 0;
}

// A handle for the server; the object keeps the caller's reference.
static long serve(struct thread *self, struct object *object) {
    handle_t handle;
    status_t status = handle_insert(&self->process->handles, object, SERVER_RIGHTS, 0, nullptr, &handle);
    return status < 0 ? status : (long)handle;
}

static long create_nameless(struct thread *self, const struct abi_channel_config *config) {
    struct channel *channel;
    status_t status = channel_new(config, self->process->pid, &channel);
    if (status < 0) {
        return status;
    }
    long handle = serve(self, channel_object(channel));
    object_unref(channel_object(channel));
    return handle;
}

// A temporary channel lost its last server.
static void forget(void *context) {
    entry_remove(context);
}

static long create_at(struct thread *self, const struct walk *walk, const struct abi_channel_config *config) {
    status_t status = entry_may_add(walk, self->process);
    if (status < 0) {
        return status;
    }
    struct node *node;
    status = channel_node_new(config, self->process, &node);
    if (status < 0) {
        return status;
    }
    long handle = serve(self, channel_object(node->channel));
    if (handle >= 0) {
        node_link(walk->parent, node, walk->name, walk->length);
        channel_node_changed(node);
        channel_set_removal(node->channel, forget, node);
    }
    node_unref(node);
    return handle;
}

// Where a channel with a name shall be: the directory handle, then the path.
static long create_named(struct thread *self, handle_t dir, user_ptr_t path, uint64_t length,
                         const struct abi_channel_config *config) {
    struct file *start;
    struct handle *handle;
    status_t status = argument_file(self, dir, RIGHT_READ | RIGHT_WRITE, &start, &handle);
    if (status < 0) {
        return status;
    }
    const char *text;
    status = argument_path(path, length, &text);
    if (status < 0) {
        return status;
    }
    struct walk walk;
    status = walk_path(start->node, self->process, text, length, WALK_NOFOLLOW | WALK_PARENT, &walk);
    if (status < 0) {
        return status;
    }
    long server = create_at(self, &walk, config);
    walk_done(&walk);
    return server;
}

long sys_channel_create(struct thread *self, handle_t dir, user_ptr_t path, uint64_t path_len, user_ptr_t config) {
    struct abi_channel_config chosen = {};
    if (config.va != 0) {
        status_t status = user_copy_in(&chosen, config, sizeof chosen);
        if (status < 0) {
            return status;
        }
    }
    if (!config_valid(&chosen)) {
        return ERR_INVALID;
    }
    return path_len == 0 ? create_nameless(self, &chosen) : create_named(self, dir, path, path_len, &chosen);
}
