// Requests and responses. Each side treats what the other sends as hostile: lengths are checked against the message.
#include "lib/request.h"

#include "base/memory.h"
#include "lib/channel.h"
#include "lib/clock.h"

enum { REPLY_TRIES = 64 };

// Put header and body into one message; its length.
static size_t pack(char *payload, const struct request_header *header, const void *body) {
    memcpy(payload, header, sizeof *header);
    if (header->length > 0) {
        memcpy(payload + sizeof *header, body, header->length);
    }
    return sizeof *header + header->length;
}

// Take the header off a message; false if it is none or its length is a lie.
static bool unpack(const struct message *message, struct request_header *header) {
    if (message->kind != MESSAGE_DATA || message->length < sizeof *header) {
        return false;
    }
    memcpy(header, message->payload, sizeof *header);
    return header->length == message->length - sizeof *header;
}

// Wait for the response with this number.
static long await(struct request_client *client, uint64_t number, struct message *message,
                  struct request_header *answer, uint64_t deadline) {
    for (;;) {
        long status = channel_recv(client->connection, message, deadline);
        if (status < 0) {
            return status;
        }
        if (!unpack(message, answer)) {
            return ERR_INVALID;
        }
        if (answer->number == number) {
            return 0;
        }
        client->stale++;
    }
}

// What the response says, its body copied out.
static long conclude(const struct request_client *client, const struct message *message,
                     const struct request_header *answer, void *reply, size_t capacity, size_t *reply_length) {
    if (answer->version != client->version && answer->status >= 0) {
        return ERR_INVALID;
    }
    if (reply != nullptr && answer->length > capacity) {
        return ERR_TOO_BIG;
    }
    if (reply != nullptr && answer->length > 0) {
        memcpy(reply, message->payload + sizeof *answer, answer->length);
    }
    if (reply_length != nullptr) {
        *reply_length = answer->length;
    }
    return answer->status;
}

long request_retry(struct request_client *client, uint16_t type, const void *body, size_t length, void *reply,
                   size_t capacity, size_t *reply_length, const struct retry_policy *policy) {
    if (length > REQUEST_BODY_MAX) {
        return ERR_TOO_BIG;
    }
    struct request_header header = {
        .version = client->version, .type = type, .length = (uint32_t)length, .number = ++client->next};
    struct request_header answer;
    struct message message;
    struct retry retry = retry_begin(policy);
    long status;
    do {
        uint64_t deadline = retry_deadline(&retry);
        size_t size = pack(message.payload, &header, body);
        status = channel_send(client->connection, message.payload, size, header.number, deadline);
        if (status >= 0) {
            status = await(client, header.number, &message, &answer, deadline);
        }
    } while (retry_again(&retry, status));
    return status < 0 ? status : conclude(client, &message, &answer, reply, capacity, reply_length);
}

long request_make(struct request_client *client, uint16_t type, const void *body, size_t length, void *reply,
                  size_t capacity, size_t *reply_length, uint64_t timeout) {
    const struct retry_policy once = {.attempts = 1, .deadline = clock_deadline(timeout)};
    return request_retry(client, type, body, length, reply, capacity, reply_length, &once);
}

// What the server says to one message; the body goes to `reply`.
static long answer(const struct request_server *server, const struct message *message,
                   const struct request_header *header, char *reply, size_t *reply_length) {
    if (header->version != server->version) {
        return ERR_INVALID;
    }
    if (header->type >= server->type_count || server->handlers[header->type] == nullptr) {
        return ERR_NO_CALL;
    }
    return server->handlers[header->type](server->context, message->sender, message->payload + sizeof *header,
                                          header->length, reply, reply_length);
}

long request_serve(const struct request_server *server, uint64_t deadline) {
    struct message message;
    long status = channel_recv(server->channel, &message, deadline);
    if (status < 0) {
        return status;
    }
    if (message.kind != MESSAGE_DATA) {
        return 0;
    }
    struct request_header header = {};
    char reply[REQUEST_BODY_MAX];
    size_t reply_length = 0;
    long result = ERR_INVALID;
    if (unpack(&message, &header)) {
        result = answer(server, &message, &header, reply, &reply_length);
    }
    if (reply_length > sizeof reply) {
        reply_length = 0;
        result = ERR_TOO_BIG;
    }
    header.version = server->version;
    header.status = result;
    header.length = (uint32_t)reply_length;
    char payload[MESSAGE_MAX];
    size_t size = pack(payload, &header, reply);
    // A client that has gone, or that lets its queue fill up, has only itself to blame.
    (void)channel_reply(server->channel, message.connection, payload, size, message.id, REPLY_TRIES);
    return 0;
}
