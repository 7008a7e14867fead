// call, reply_wait: the general path.
#include "abi/calls.h"
#include "ipc/call.h"
#include "ipc/channel_impl.h"
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/thread.h"

long sys_call(struct thread *self, handle_t handle, uint32_t shape, user_ptr_t send, user_ptr_t receive,
              uint64_t deadline, struct call_results *) {
    struct call_shape read;
    status_t status = call_shape_read(shape, send, receive, deadline, CALL_TIMED, &read);
    struct object *connection;
    if (status == 0) {
        status = handle_get(&self->process->handles, handle, OBJECT_CONNECTION, RIGHT_CALL, &connection);
    }
    return status != 0 ? status : call_make_by(self, connection_of(connection), &read);
}

long sys_reply_wait(struct thread *self, handle_t handle, uint32_t shape, user_ptr_t send, user_ptr_t receive,
                    uint64_t deadline, struct call_results *out) {
    struct call_shape read;
    status_t status =
        call_shape_read(shape, send, receive, deadline, CALL_TIMED | CALL_REPLY_ONLY | CALL_MESSAGES, &read);
    if (status == 0 && (read.flags & CALL_REPLY_ONLY) != 0) {
        return call_reply(self, &read);
    }
    struct object *channel;
    if (status == 0) {
        status = handle_get(&self->process->handles, handle, OBJECT_CHANNEL, RIGHT_READ, &channel);
    }
    return status != 0 ? status : call_wait(self, channel_of(channel), &read, out);
}
