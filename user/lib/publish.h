// Publish and subscribe: a server sends typed, versioned messages, each to every client that subscribed. The server
// never waits for a subscriber; what happens to one that does not read in time is the publisher's policy. Every message
// has a number, so a subscriber sees what it missed. Deadlines are nanoseconds since boot: 0 tries once, FOREVER never
// gives up. Negative results are errors of the ABI table.
#pragma once

#include "abi/abi.h"
#include "base/types.h"
#include "lib/channel.h"

// What every message of either side begins with; the kernel knows nothing of it.
struct publish_header {
    uint16_t version;  // of the protocol, chosen by its author; both sides must agree
    uint16_t type;     // the publisher's, below PUBLISH_TYPES, or one of the three behind
    uint32_t length;   // bytes of the body behind the header
    uint64_t sequence; // of a published message: from 1, one more each; else that of the last one published
};

enum {
    PUBLISH_BODY_MAX = MESSAGE_MAX - sizeof(struct publish_header),
    PUBLISH_TYPES = 0xfffd,     // types from here on are the library's:
    PUBLISH_SUBSCRIBE = 0xfffd, // client: send me what comes; server: you are subscribed, from this sequence on
    PUBLISH_REFUSE = 0xfffe,    // server: not this version, or no room for you
    PUBLISH_END = 0xffff,       // server: you were too slow, nothing more comes
};

// When a subscriber's queue is full.
enum publish_policy {
    PUBLISH_DROP,       // it misses this message; the next one that finds room shows the gap
    PUBLISH_DISCONNECT, // it gets nothing more; what is queued and then the end are still read
};

struct publish_subscriber {
    uint64_t connection;
    uint32_t pid;
    bool ended;       // PUBLISH_DISCONNECT struck; its end has not found room yet
    uint64_t sent;    // messages
    uint64_t dropped; // messages that found no room
};

// Set channel (a server's handle), version, policy, and room for `capacity` subscribers; zero the rest. Not for several
// threads at once.
struct publisher {
    handle_t channel;
    uint16_t version;
    enum publish_policy policy;
    unsigned capacity;
    struct publish_subscriber *subscribers; // count of them, in no order
    unsigned count;
    uint64_t sequence;     // of the last message
    uint64_t dropped;      // over all subscribers, gone ones among them
    uint64_t disconnected; // subscribers, for being slow
};

// Look after subscribers: take those who come and let go those who went, until the deadline or, if `deadline` is 0,
// until nobody waits for it. Call it between publishing. ERR_TIMED_OUT or 0 (with deadline 0) when all is done; another
// negative value when the channel itself cannot go on.
[[nodiscard]] long publish_attend(struct publisher *publisher, uint64_t deadline);

// Send a message to every subscriber, without waiting. How many got it; ERR_INVALID for a type that is the library's,
// ERR_TOO_BIG for a body above PUBLISH_BODY_MAX.
[[nodiscard]] long publish_send(struct publisher *publisher, uint16_t type, const void *body, size_t length);

// A client of a publisher. Set connection (as channel_connect gives it) and version; zero the rest.
struct subscription {
    handle_t connection;
    uint16_t version;
    bool known;        // the publisher has answered
    uint64_t sequence; // of the last message received, or published before the subscription
    uint64_t lost;     // messages missed, in all
};

struct published {
    uint16_t type;
    uint64_t sequence;
    uint64_t lost; // messages missed right before this one
    size_t length;
    char body[PUBLISH_BODY_MAX];
};

// Ask to be subscribed; the answer is handled by subscribe_receive. 0, ERR_TIMED_OUT, ERR_PEER_CLOSED and the others of
// channel_send.
[[nodiscard]] long subscribe_begin(struct subscription *subscription, uint64_t deadline);

// Receive the next message. 0; ERR_TIMED_OUT; ERR_PEER_CLOSED when the publisher has gone or has disconnected this
// subscriber; ERR_ACCESS when it refused the subscription; ERR_INVALID for what is no message of this protocol.
[[nodiscard]] long subscribe_receive(struct subscription *subscription, struct published *published, uint64_t deadline);
