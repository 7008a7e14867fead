// Moving one message: send and receive on either side of a channel. The object is a channel (a server's view) or a
// connection (a client's); handle and rights are checked. Needs the kernel lock.
#pragma once

#include "kernel/object.h"

struct received {
    uint32_t sender, kind; // pid; MESSAGE_*
    uint64_t id, connection, sequence;
};

// Queue one message. to names the connection, from a channel; 0 from a connection. Returns the message's sequence, or
// an error as sys_send documents it; a refusal counts as rejected and changes nothing else.
[[nodiscard]] long message_send(struct object *object, uint32_t sender, user_ptr_t payload, uint64_t length,
                                uint64_t id, uint64_t to);
// Take the oldest message. Returns its length, or an error as sys_recv documents it.
[[nodiscard]] long message_receive(struct object *object, user_ptr_t buffer, uint64_t capacity,
                                   struct received *received);
