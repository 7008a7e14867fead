// Calls on top of call and reply_wait.
#include "lib/call.h"

#include "base/memory.h"
#include "isthmus/calls.h"

static uint32_t timed(uint64_t deadline) {
    return deadline == FOREVER ? 0 : CALL_TIMED;
}

long call_words(handle_t connection, uint64_t word[MESSAGE_WORDS], uint64_t deadline) {
    long status;
    do {
        uint64_t kept[MESSAGE_WORDS];
        memcpy(kept, word, sizeof kept);
        status = sys_call(connection, timed(deadline), 0, 0, deadline, kept, nullptr);
        if (status != ERR_BUSY) {
            memcpy(word, kept, sizeof kept);
        }
    } while (status == ERR_BUSY);
    return status;
}

long call_message(handle_t connection, struct call_message *message, uint64_t deadline) {
    uint64_t payload = (uint64_t)(uintptr_t)message->payload;
    uint32_t shape = (uint32_t)message->length | MESSAGE_MAX * CALL_RECEIVE | timed(deadline);
    if (message->length > MESSAGE_MAX) {
        *message = (struct call_message){};
        return ERR_TOO_BIG;
    }
    uint64_t word[MESSAGE_WORDS], length;
    long status;
    do {
        memcpy(word, message->word, sizeof word);
        status = sys_call(connection, shape, payload, payload, deadline, word, &length);
    } while (status == ERR_BUSY);
    memcpy(message->word, word, sizeof word);
    message->length = length;
    return status;
}

// The caller that was to have the reply has gone, or there was none.
static bool is_nobody(long status) {
    return status == ERR_PEER_CLOSED;
}

long call_serve(const struct call_server *server, uint64_t deadline) {
    struct call_request request = {};
    struct call_message *message = &request.message;
    uint64_t payload = (uint64_t)(uintptr_t)message->payload;
    uint32_t flags = timed(deadline) | (server->messages != nullptr ? CALL_MESSAGES : 0);
    bool more = true;
    long status = 0;
    while (more && (status >= 0 || is_nobody(status))) {
        uint32_t shape = (uint32_t)message->length | MESSAGE_MAX * CALL_RECEIVE | flags;
        uint64_t length;
        status = sys_reply_wait(server->channel, shape, payload, payload, deadline, message->word, &request.connection,
                                &length);
        message->length = length; // 0 on an error: then there is nothing more to reply
        if (status > 0) {
            request.sender = (uint32_t)status;
            more = server->answer(server->context, &request);
        } else if (status == ERR_EMPTY && server->messages != nullptr) {
            status = server->messages(server->context);
            if (status <= 0) {
                return status;
            }
        }
    }
    if (more) {
        return status;
    }
    status = sys_reply_wait(server->channel, (uint32_t)message->length | CALL_REPLY_ONLY, payload, 0, 0, message->word,
                            nullptr, nullptr);
    return is_nobody(status) ? 0 : status;
}
