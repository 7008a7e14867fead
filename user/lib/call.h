// Calls: a client hands a message to a server and waits for the reply; the server runs on at once, on the caller's time.
// Cheaper than messages where each request has one answer, and nothing is queued: a client cannot run ahead of its server.
// The connection and the channel are those of lib/channel.h (channel_connect, channel_serve), and one server can answer both.
//
// A message is four words, in registers, and up to MESSAGE_MAX bytes, which cost a copy and are best left out where the
// words do. Every function that waits takes a deadline in nanoseconds since boot: 0 tries once, FOREVER never gives up.
// Negative results are errors of the ABI table.
#pragma once

#include "abi/abi.h"
#include "base/types.h"

struct call_message {
    uint64_t word[MESSAGE_WORDS];
    size_t length; // of the payload
    char payload[MESSAGE_MAX];
};

// Call with words only; those of the reply take their place, zero on an error. 0; ERR_TIMED_OUT, ERR_PEER_CLOSED if there
// is no server or it ended over the call, ERR_TOO_BIG if the reply has a payload, and the others of call.
[[nodiscard]] long call_words(handle_t connection, uint64_t word[MESSAGE_WORDS], uint64_t deadline);

// Call with words and payload; the reply takes their place. On an error words and length are zero.
[[nodiscard]] long call_message(handle_t connection, struct call_message *message, uint64_t deadline);

// A call that a server has taken.
struct call_request {
    uint32_t sender;     // pid, stamped by the kernel
    uint64_t connection; // which one it came by
    struct call_message message;
};

struct call_server {
    handle_t channel;
    // Make request->message the reply. False: the server stops when that has been given.
    bool (*answer)(void *context, struct call_request *request);
    // Receive what messages and hang-ups there are, until recv says that there is none. 1: go on; 0: stop; negative: an
    // error to stop with. Null: messages stay queued.
    long (*messages)(void *context);
    void *context;
};

// Serve calls, and messages if it takes them, in this thread. Callers that have gone are forgotten. 0 when the server
// stopped of itself; ERR_TIMED_OUT when the deadline passed without a call, ERR_REMOVED when the channel is no more, and
// the others of reply_wait.
[[nodiscard]] long call_serve(const struct call_server *server, uint64_t deadline);
