// Publish and subscribe over a channel. Each side treats what the other sends as hostile.
#include "lib/publish.h"

#include "base/memory.h"

// Put header and body into one message; its length.
static size_t pack(char *payload, const struct publish_header *header, const void *body) {
    memcpy(payload, header, sizeof *header);
    if (header->length > 0) {
        memcpy(payload + sizeof *header, body, header->length);
    }
    return sizeof *header + header->length;
}

// Take the header off a message; false if it is none or its length is a lie.
static bool unpack(const struct message *message, struct publish_header *header) {
    if (message->kind != MESSAGE_DATA || message->length < sizeof *header) {
        return false;
    }
    memcpy(header, message->payload, sizeof *header);
    return header->length == message->length - sizeof *header;
}

// ---- the publisher ----

// One message to one client, at once or not at all.
static long tell(const struct publisher *publisher, uint64_t connection, uint16_t type, const void *body,
                 size_t length) {
    const struct publish_header header = {
        .version = publisher->version, .type = type, .length = (uint32_t)length, .sequence = publisher->sequence};
    char payload[MESSAGE_MAX];
    size_t size = pack(payload, &header, body);
    return channel_reply(publisher->channel, connection, payload, size, publisher->sequence, 0);
}

// The last one takes its place.
static void forget(struct publisher *publisher, unsigned index) {
    publisher->subscribers[index] = publisher->subscribers[--publisher->count];
}

static unsigned find(const struct publisher *publisher, uint64_t connection) {
    unsigned index = 0;
    while (index < publisher->count && publisher->subscribers[index].connection != connection) {
        index++;
    }
    return index;
}

// Whoever was too slow hears so as soon as there is room.
static void tell_ended(struct publisher *publisher) {
    for (unsigned i = publisher->count; i-- > 0;) {
        const struct publish_subscriber *subscriber = &publisher->subscribers[i];
        if (subscriber->ended && tell(publisher, subscriber->connection, PUBLISH_END, nullptr, 0) != ERR_FULL) {
            forget(publisher, i);
        }
    }
}

static void welcome(struct publisher *publisher, const struct message *message) {
    struct publish_header header;
    bool known = find(publisher, message->connection) < publisher->count;
    bool room = known || publisher->count < publisher->capacity;
    bool understood =
        unpack(message, &header) && header.type == PUBLISH_SUBSCRIBE && header.version == publisher->version;
    uint16_t answer = room && understood ? PUBLISH_SUBSCRIBE : PUBLISH_REFUSE;
    // A client without room for the answer, or gone already, is not taken.
    if (tell(publisher, message->connection, answer, nullptr, 0) >= 0 && answer == PUBLISH_SUBSCRIBE && !known) {
        publisher->subscribers[publisher->count++] =
            (struct publish_subscriber){.connection = message->connection, .pid = message->sender};
    }
}

long publish_attend(struct publisher *publisher, uint64_t deadline) {
    struct message message;
    for (;;) {
        tell_ended(publisher);
        long status = channel_recv(publisher->channel, &message, deadline);
        if (status < 0) {
            return status == ERR_TIMED_OUT && deadline == 0 ? 0 : status;
        }
        if (message.kind == MESSAGE_DATA) {
            welcome(publisher, &message);
            continue;
        }
        unsigned index = find(publisher, message.connection);
        if (index < publisher->count) {
            forget(publisher, index);
        }
    }
}

// Send to one subscriber. 1 if it got it; false in *stays if it is gone.
static long send_one(struct publisher *publisher, struct publish_subscriber *subscriber, uint16_t type,
                     const void *body, size_t length, bool *stays) {
    *stays = true;
    if (subscriber->ended) {
        return 0;
    }
    long status = tell(publisher, subscriber->connection, type, body, length);
    if (status >= 0) {
        subscriber->sent++;
        return 1;
    }
    *stays = status == ERR_FULL || status == ERR_NO_MEMORY;
    subscriber->dropped++;
    publisher->dropped++;
    if (*stays && publisher->policy == PUBLISH_DISCONNECT) {
        subscriber->ended = true;
        publisher->disconnected++;
    }
    return 0;
}

long publish_send(struct publisher *publisher, uint16_t type, const void *body, size_t length) {
    if (type >= PUBLISH_TYPES) {
        return ERR_INVALID;
    }
    if (length > PUBLISH_BODY_MAX) {
        return ERR_TOO_BIG;
    }
    tell_ended(publisher);
    publisher->sequence++;
    long reached = 0;
    for (unsigned i = publisher->count; i-- > 0;) {
        bool stays;
        reached += send_one(publisher, &publisher->subscribers[i], type, body, length, &stays);
        if (!stays) {
            forget(publisher, i);
        }
    }
    return reached;
}

// ---- the subscriber ----

long subscribe_begin(struct subscription *subscription, uint64_t deadline) {
    const struct publish_header header = {.version = subscription->version, .type = PUBLISH_SUBSCRIBE};
    long status = channel_send(subscription->connection, &header, sizeof header, 0, deadline);
    return status < 0 ? status : 0;
}

// A published message, behind the answer to the subscription. ERR_INVALID for one that cannot be.
static long accept(struct subscription *subscription, const struct message *message,
                   const struct publish_header *header, struct published *published) {
    if (!subscription->known || header->sequence <= subscription->sequence) {
        return ERR_INVALID;
    }
    published->type = header->type;
    published->sequence = header->sequence;
    published->lost = header->sequence - subscription->sequence - 1;
    published->length = header->length;
    memcpy(published->body, message->payload + sizeof *header, header->length);
    subscription->lost += published->lost;
    subscription->sequence = header->sequence;
    return 0;
}

long subscribe_receive(struct subscription *subscription, struct published *published, uint64_t deadline) {
    struct message message;
    struct publish_header header;
    for (;;) {
        long status = channel_recv(subscription->connection, &message, deadline);
        if (status < 0) {
            return status;
        }
        if (!unpack(&message, &header)) {
            return ERR_INVALID;
        }
        if (header.type == PUBLISH_REFUSE) {
            return ERR_ACCESS;
        }
        if (header.version != subscription->version) {
            return ERR_INVALID;
        }
        if (header.type == PUBLISH_END) {
            return ERR_PEER_CLOSED;
        }
        if (header.type != PUBLISH_SUBSCRIBE) {
            return accept(subscription, &message, &header, published);
        }
        if (!subscription->known) {
            subscription->known = true;
            subscription->sequence = header.sequence;
        }
    }
}
