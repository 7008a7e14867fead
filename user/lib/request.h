// Requests and responses over a channel: typed, versioned, matched by number, with time-outs (RING-5, basic). Every
// message begins with a struct request_header; the kernel knows nothing of it.
#pragma once

#include "abi/abi.h"
#include "base/types.h"
#include "lib/retry.h"

struct request_header {
    uint16_t version; // of the protocol, chosen by its author; both sides must agree
    uint16_t type;    // which request
    uint32_t length;  // bytes of the body behind the header
    uint64_t number;  // the response bears the number of its request
    int64_t status;   // in a response: 0 or an error of the ABI table; in a request: 0
};

enum { REQUEST_BODY_MAX = MESSAGE_MAX - sizeof(struct request_header) };

// A client of one connection. One request at a time; not for several threads.
struct request_client {
    handle_t connection;
    uint16_t version;
    uint64_t next;
    uint64_t stale; // responses that nobody waited for any more
};

// Make a request and wait for its response until `timeout` nanoseconds have passed; responses to earlier requests,
// which were given up, are dropped on the way and counted in the client. The response's body goes to `reply`, its size to *reply_length (both may
// be null). 0 or a positive status is the server's; negative: the server's, or ERR_TIMED_OUT, ERR_PEER_CLOSED,
// ERR_TOO_BIG (a body too big for a message or for `reply`), ERR_INVALID (an answer that is not of this protocol).
[[nodiscard]] long request_make(struct request_client *client, uint16_t type, const void *body, size_t length,
                                void *reply, size_t capacity, size_t *reply_length, uint64_t timeout);

// The same, made again as the policy says when no response came: ERR_TIMED_OUT, or ERR_PEER_CLOSED while there is no
// server. A response ends it whatever its status is. All attempts bear one number, so the response to any of them
// counts; the server may see the request as often as it was sent, and can tell by number and connection.
[[nodiscard]] long request_retry(struct request_client *client, uint16_t type, const void *body, size_t length,
                                 void *reply, size_t capacity, size_t *reply_length, const struct retry_policy *policy);

// What a server does for one type of request. `reply` has room for REQUEST_BODY_MAX bytes; store their number in
// *reply_length. The returned status goes to the client.
typedef long (*request_handler)(void *context, uint32_t sender, const void *body, size_t length, void *reply,
                                size_t *reply_length);

struct request_server {
    handle_t channel;
    uint16_t version;
    uint16_t type_count;
    const request_handler *handlers; // by type; a null one refuses
    void *context;
};

// Receive and answer one request, waiting until the deadline. 0 also when the message was nonsense (which is answered
// with ERR_INVALID, or ERR_NO_CALL for an unknown type) or the client has gone; negative when the channel itself cannot
// go on.
[[nodiscard]] long request_serve(const struct request_server *server, uint64_t deadline);
