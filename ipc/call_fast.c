// The fast paths of call and reply_wait: message words only, no deadline. What is done here is what call.c does, and only
// if all of this holds, in this order:
//
//   1 nobody else is in the kernel, and the shape is 0
//   2 the handle is good: a connection with RIGHT_CALL, a channel with RIGHT_READ
//   3 call:       the connection is attached to its servers and not finished, the channel not removed; a server is idle
//     reply_wait: the thread serves a call made by such a connection of that channel, nobody else's call waits its turn,
//                 and it becomes the next server to be called
//   4 who goes on is as urgent as the caller was, and is neither ending nor in need of more than a change of registers
//
// Other shapes, and who waits with room for a payload, go on in call_pay_fast.c, with the lock.
// The property that the two paths are one: tests/host/fast_test.c.
#include "ipc/call_fast.h"

#define REFUSE(call) FAST_UNLOCK_LEAVE(call, a0, 0, 0, 0, 0, 0) // with shape 0 the rest is not looked at

struct fast_answer FAST_PATH(call)(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5) {
    FAST_LOCK(CALL_CALL, a0, a1, a2, a3, a4, a5);
    if (FAST_RARE(a1 != 0)) {
        [[clang::musttail]] return FAST_PATH(call_pay)(a0, a1, a2, a3, a4, a5);
    }
    struct thread *self = FAST_CPU(current);
    struct process *process = self->process;
    struct thread *server;
    struct connection *connection = fast_connection(self, process, a0, &server);
    if (FAST_RARE(connection == nullptr)) {
        REFUSE(CALL_CALL);
    }
    struct process *server_process = server->process;
    if (!fast_can_switch(self, server, server_process)) {
        [[clang::musttail]] return FAST_PATH(call_pay)(a0, 0, 0, 0, 0, 0);
    }
    fast_serve(self, connection, server);
    fast_switch(self, process, server, server_process);
    FAST_DONE(self, server, process->pid, connection->node.id);
}

struct fast_answer FAST_PATH(reply_wait)(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5) {
    FAST_LOCK(CALL_REPLY_WAIT, a0, a1, a2, a3, a4, a5);
    if (FAST_RARE(a1 != 0)) {
        [[clang::musttail]] return FAST_PATH(reply_pay)(a0, a1, a2, a3, a4, a5);
    }
    struct thread *self = FAST_CPU(current);
    struct process *process = self->process;
    struct object *object = fast_object(self, process, a0, HANDLE_SERVE);
    if (FAST_RARE(object == nullptr)) {
        REFUSE(CALL_REPLY_WAIT);
    }
    struct channel *channel = container_of(object, struct channel, object);
    struct thread *caller = self->call.serving;
    uint64_t epoch = channel->call_epoch;
    if (FAST_RARE(caller == nullptr) || FAST_RARE(channel->calls.spot != nullptr)) {
        REFUSE(CALL_REPLY_WAIT);
    }
    struct connection *connection = connection_of(caller->park.object);
    if (FAST_RARE(connection->call_epoch != epoch)) {
        REFUSE(CALL_REPLY_WAIT);
    }
    struct process *caller_process = caller->process;
    if (!fast_can_switch(self, caller, caller_process)) {
        [[clang::musttail]] return FAST_PATH(reply_pay)(a0, 0, 0, 0, 0, 0);
    }
    // A connection that only this call has kept must be destroyed.
    if (FAST_RARE(--connection->object.references == 0)) {
        connection->object.references = 1;
        REFUSE(CALL_REPLY_WAIT);
    }
    fast_replied(self, channel);
    fast_switch(self, process, caller, caller_process);
    FAST_DONE(self, caller, 0, 0);
}
