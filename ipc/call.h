// Calls: a client hands a message to a server of a channel and parks until the server replies (RING-5, IPC-1.7, FIELD-3).
//
//   client  call        parks in the call; its message goes to an idle server, which runs on at once in the client's turn,
//                       or waits its turn among the channel's callers
//   server  reply_wait  replies to the call it serves, if any: its client runs on at once; takes the next call, or parks
//                       among the channel's idle servers
//
// A channel never has callers in turn and idle servers at the same time, but for the moments in which a loss of all
// servers is being told in slices. A caller belongs to the one server thread that took its call, until that one replies or
// ends: the caller is then told ERR_PEER_CLOSED. A caller that gives up (deadline, end) is missed by its server: the next
// reply_wait is ERR_PEER_CLOSED, once, and changes nothing else. A server is as urgent as its caller for as long as it
// serves it.
//
// References: a caller holds one to its connection while parked, and while it waits its turn one to the channel. A server
// holds none: it is told when the channel's last server handle closes.
//
// Books, true at any moment under the lock: calls = replies + lost + in turn + being served.
//
// Needs the kernel lock. The fast paths are in call_fast.c and call_pay_fast.c.
#pragma once

#include "ipc/channel.h"
#include "kernel/include/user_ptr.h"
#include "kernel/park.h"

struct call_results;
struct connection;
struct thread;

// What the registers of call and reply_wait say.
struct call_shape {
    user_ptr_t send, receive;
    uint32_t length, room; // bytes at them
    uint32_t flags;        // CALL_TIMED, CALL_REPLY_ONLY, CALL_MESSAGES
    uint64_t deadline;
};

// ERR_INVALID: a length above MESSAGE_MAX, or a flag that is not in `allowed`.
[[nodiscard]] status_t call_shape_read(uint32_t shape, user_ptr_t send, user_ptr_t receive, uint64_t deadline,
                                       uint32_t allowed, struct call_shape *read);

// As sys_call and sys_reply_wait document it; handle and rights are checked.
[[nodiscard]] long call_make_by(struct thread *self, struct connection *connection, const struct call_shape *shape);
[[nodiscard]] long call_reply(struct thread *self, const struct call_shape *shape);
[[nodiscard]] long call_wait(struct thread *self, struct channel *channel, const struct call_shape *shape,
                             struct call_results *out);

// Which threads are parked in a call or as an idle server: their park records name these.
extern const struct park_kind call_parked, call_idle;

// Stands in a channel's spot for all callers that wait their turn: no server comes to stand there, and since it is more
// urgent than anybody, no fast path takes it for one.
extern struct thread call_crowd;

// No server is left, or the channel is removed: whoever is parked in it is to be told. call_tell tells some of them;
// true when nobody is left to tell.
void call_abandon(struct channel *channel);
[[nodiscard]] bool call_tell(struct channel *channel, unsigned *budget);
// Something came that recv would take: idle servers that asked for it (CALL_MESSAGES) are told ERR_EMPTY, all of them, since
// whoever comes first may end before it receives.
void call_message_came(struct channel *channel);
