// A channel in the namespace: a node that is a directory of files which are made when somebody looks.
//
//   data   open it to converse: a connection, with r to receive and w to send; with OPEN_SERVE and x a server's handle
//   ctl    read: the configuration; write, for the owner and user 0: "mode 0644", "remove"
//   stats  the books of the channel
//
// The mode of the channel is that of data; it says nothing about looking at the others. Nothing can be created below.
#pragma once

#include "base/types.h"

struct abi_channel_config;
struct channel;
struct node;
struct process;

// A node for a new channel, not linked, one reference, with the caller's identity; *channel is referenced by it.
// ERR_INVALID (config), ERR_NO_MEMORY.
[[nodiscard]] status_t channel_node_new(const struct abi_channel_config *config, const struct process *caller,
                                        struct node **node);
// It has been linked, moved, or its mode changed: tell the channel, for those who list channels.
void channel_node_changed(struct node *node);
