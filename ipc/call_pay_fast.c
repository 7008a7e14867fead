// The fast paths of call and reply_wait with a payload, or room for one, on either side; no deadline. They go on where those
// of call_fast.c find that there is one, with the lock. What is done here is what call.c does, and only if all of this
// holds, in this order:
//
//   1 the shape has no flag and no length above MESSAGE_MAX
//   2 the handle is good, 3 both sides are ready: as in call_fast.c
//   4 as in call_fast.c, but that who goes on may have room for a payload; the payload fits there, and a call's into the
//     channel's messages
//   5 reply_wait: the call is not all that has kept its connection
//   6 the payload's bytes can all be copied without more ado: from the one space to this CPU's stack, and from there to
//     the other
//
// Copying comes before anything changes but the space that the CPU is in, which is put back when it fails. What was
// written then is a prefix of what the general path writes again.
#include "abi/abi.h"
#include "ipc/call_fast.h"

#define REFUSE(call) FAST_UNLOCK_LEAVE(call, a0, a1, a2, a3, a4, a5)
// For the shapes meant here, the general path does not look at a4.
#define REFUSE_UNTIMED(call) FAST_UNLOCK_LEAVE(call, a0, a1, a2, a3, 0, 0)

static inline uint64_t shape_length(uint64_t shape) {
    return shape % CALL_RECEIVE;
}

// Flags, and what lies above the 32 bits of a shape, make it too large.
static inline uint64_t shape_room(uint64_t shape) {
    return shape / CALL_RECEIVE;
}

static inline bool shape_good(uint64_t shape) {
    return shape_length(shape) <= MESSAGE_MAX && shape_room(shape) <= MESSAGE_MAX;
}

// Put the payload of one process where a thread of the other wants it, and leave the CPU in that one's space. False:
// nothing of that is so.
[[gnu::always_inline]] static inline bool hand_payload(struct process *process, uint64_t from, uint64_t length,
                                                       const struct thread *to, struct process *to_process) {
    uint64_t payload[MESSAGE_MAX / sizeof(uint64_t)];
    if (length > 0 && !fast_copy_in(payload, (user_ptr_t){from}, length)) {
        return false;
    }
    fast_space(process, to_process);
    if (length > 0 && !fast_copy_out(to->call.receive, payload, length)) {
        fast_space(to_process, process);
        return false;
    }
    return true;
}

// self has room for so much while it is parked; `to`, which goes on, for nothing any more.
[[gnu::always_inline]] static inline void change_room(struct thread *self, uint64_t receive, uint64_t room,
                                                      struct thread *to) {
    self->call.receive.va = receive;
    self->call.room = (uint16_t)room;
    self->holds = room > 0 ? HOLD_ROOM : 0;
    to->call.room = 0;
    to->holds = 0;
}

struct fast_answer FAST_PATH(call_pay)(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5) {
    if (!shape_good(a1)) {
        REFUSE(CALL_CALL);
    }
    struct thread *self = FAST_CPU(current);
    struct process *process = self->process;
    struct thread *server;
    struct connection *connection = fast_connection(self, process, a0, &server);
    if (connection == nullptr) {
        REFUSE_UNTIMED(CALL_CALL);
    }
    struct process *server_process = server->process;
    uint64_t length = shape_length(a1);
    if (server->base_priority > self->priority || !fast_can_switch_but(self, server, server_process, HOLD_ROOM) ||
        length > server->call.room || length > connection->channel->message_max ||
        !hand_payload(process, a2, length, server, server_process)) {
        REFUSE_UNTIMED(CALL_CALL);
    }
    server->priority = self->priority;
    fast_serve(self, connection, server);
    change_room(self, a3, shape_room(a1), server);
    fast_switch_here(self, process, server);
    FAST_PAIR_DONE(self, server, process->pid, connection->node.id, length);
}

struct fast_answer FAST_PATH(reply_pay)(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5) {
    if (!shape_good(a1)) {
        REFUSE(CALL_REPLY_WAIT);
    }
    struct thread *self = FAST_CPU(current);
    struct process *process = self->process;
    struct object *object = fast_object(self, process, a0, HANDLE_SERVE);
    if (object == nullptr) {
        REFUSE_UNTIMED(CALL_REPLY_WAIT);
    }
    struct channel *channel = container_of(object, struct channel, object);
    struct thread *caller = self->call.serving;
    if (caller == nullptr || channel->calls.spot != nullptr) {
        REFUSE_UNTIMED(CALL_REPLY_WAIT);
    }
    struct connection *connection = connection_of(caller->park.object);
    if (connection->call_epoch != channel->call_epoch) {
        REFUSE_UNTIMED(CALL_REPLY_WAIT);
    }
    struct process *caller_process = caller->process;
    uint64_t length = shape_length(a1);
    if (caller->priority != self->priority || !fast_can_switch_but(self, caller, caller_process, HOLD_ROOM) ||
        length > caller->call.room || connection->object.references == 1 ||
        !hand_payload(process, a2, length, caller, caller_process)) {
        REFUSE_UNTIMED(CALL_REPLY_WAIT);
    }
    connection->object.references--;
    fast_replied(self, channel);
    change_room(self, a3, shape_room(a1), caller);
    fast_switch_here(self, process, caller);
    FAST_DONE(self, caller, 0, length);
}
