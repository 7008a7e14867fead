// The calls are scripted: what the kernel is to say, and what it must have been asked.
#include "lib/call.h"

#include <criterion/criterion.h>
#include <string.h>

#include "arch_call.h"

enum { STEPS = 8 };

static struct step {
    long status;
    uint64_t message[MESSAGE_WORDS];
    uint64_t results[4];
    const char *payload; // put where the call asks for it
} script[STEPS];
static struct asked {
    uint64_t number, handle, shape, deadline, message[MESSAGE_WORDS];
    char sent[MESSAGE_MAX];
} asked[STEPS];
static unsigned steps;

long arch_call(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t results[4]) {
    memset(results, 0, 4 * sizeof results[0]);
    return ERR_NO_CALL;
}

long arch_call_message(uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t,
                       uint64_t message[4], uint64_t results[4]) {
    cr_assert_lt(steps, (unsigned)STEPS);
    struct asked *was = &asked[steps];
    const struct step *step = &script[steps++];
    *was = (struct asked){.number = number, .handle = a0, .shape = a1, .deadline = a4};
    memcpy(was->message, message, sizeof was->message);
    if ((a1 & 0xfff) > 0) {
        memcpy(was->sent, (const void *)(uintptr_t)a2, a1 & 0xfff);
    }
    if (step->payload != nullptr) {
        memcpy((void *)(uintptr_t)a3, step->payload, strlen(step->payload));
    }
    memcpy(message, step->message, sizeof step->message);
    memcpy(results, step->results, sizeof step->results);
    return step->status;
}

static void write_script(const struct step *step, unsigned count) {
    memcpy(script, step, count * sizeof *step);
    steps = 0;
}
#define SCRIPT(...)                                                                                                    \
    write_script((const struct step[]){__VA_ARGS__}, sizeof(struct step[]){__VA_ARGS__} / sizeof(struct step))

Test(call, words_go_and_come) {
    uint64_t word[MESSAGE_WORDS] = {1, 2, 3, 4};
    SCRIPT({0, {5, 6, 7, 8}, {}, nullptr});
    cr_assert_eq(call_words(9, word, FOREVER), 0);
    cr_assert_eq(asked[0].number, CALL_CALL);
    cr_assert_eq(asked[0].handle, 9);
    cr_assert_eq(asked[0].shape, 0); // the shape of the fast path
    cr_assert_eq(asked[0].message[3], 4);
    cr_assert_eq(word[0], 5);
    cr_assert_eq(word[3], 8);
}

Test(call, is_made_again_while_servers_cannot_take_it) {
    uint64_t word[MESSAGE_WORDS] = {1, 2, 3, 4};
    SCRIPT({ERR_BUSY, {}, {}, nullptr}, {ERR_TIMED_OUT, {}, {}, nullptr});
    cr_assert_eq(call_words(9, word, 77), ERR_TIMED_OUT);
    cr_assert_eq(steps, 2);
    cr_assert_eq(asked[1].message[0], 1);
    cr_assert_eq(asked[1].shape, CALL_TIMED);
    cr_assert_eq(asked[1].deadline, 77);
    cr_assert_eq(word[0], 0);
}

Test(call, payloads_go_and_come) {
    struct call_message message = {.word = {1}, .length = 5, .payload = "hello"};
    SCRIPT({ERR_BUSY, {}, {}, nullptr}, {0, {2}, {3}, "bye"});
    cr_assert_eq(call_message(9, &message, FOREVER), 0);
    cr_assert_eq(asked[1].shape, 5 | MESSAGE_MAX * CALL_RECEIVE);
    cr_assert_eq(memcmp(asked[1].sent, "hello", 5), 0);
    cr_assert_eq(asked[1].message[0], 1);
    cr_assert_eq(message.length, 3);
    cr_assert_eq(memcmp(message.payload, "bye", 3), 0);
    cr_assert_eq(message.word[0], 2);
}

Test(call, a_payload_that_is_too_long_is_refused) {
    struct call_message message = {.word = {1}, .length = MESSAGE_MAX + 1};
    SCRIPT({0, {}, {}, nullptr});
    cr_assert_eq(call_message(9, &message, FOREVER), ERR_TOO_BIG);
    cr_assert_eq(steps, 0);
    cr_assert_eq(message.length, 0);
    cr_assert_eq(message.word[0], 0);
}

// ---- the server ------------------------------------------------------------------------------------------------------

static unsigned answered, received;
static struct call_request last;

static bool answer_twice(void *context, struct call_request *request) {
    cr_assert_eq(context, &answered);
    last = *request;
    request->message.word[0]++;
    request->message.length = 2;
    memcpy(request->message.payload, "ok", 2);
    return ++answered < 2;
}

static long receive_twice(void *) {
    return ++received < 2 ? 1 : ERR_REMOVED;
}

static struct call_server a_server(bool messages) {
    answered = received = 0;
    return (struct call_server){
        .channel = 6, .answer = answer_twice, .messages = messages ? receive_twice : nullptr, .context = &answered};
}

Test(call, each_call_is_answered_with_the_next_wait) {
    struct call_server server = a_server(false);
    SCRIPT({40, {1}, {7, 3}, "abc"}, {41, {5}, {8, 0}, nullptr}, {0, {}, {}, nullptr});
    cr_assert_eq(call_serve(&server, FOREVER), 0);
    cr_assert_eq(steps, 3);
    cr_assert_eq(asked[0].handle, 6);
    cr_assert_eq(asked[0].shape, MESSAGE_MAX * CALL_RECEIVE);
    cr_assert_eq(asked[1].shape, 2 | MESSAGE_MAX * CALL_RECEIVE);
    cr_assert_eq(asked[1].message[0], 2);
    cr_assert_eq(memcmp(asked[1].sent, "ok", 2), 0);
    cr_assert_eq(last.sender, 41);
    cr_assert_eq(last.connection, 8);
    cr_assert_eq(last.message.length, 0);
    cr_assert_eq(asked[2].shape, 2 | CALL_REPLY_ONLY);
    cr_assert_eq(asked[2].message[0], 6);
}

Test(call, a_caller_that_has_gone_is_forgotten) {
    struct call_server server = a_server(false);
    SCRIPT({40, {1}, {7, 3}, "abc"}, {ERR_PEER_CLOSED, {}, {}, nullptr}, {41, {}, {8, 0}, nullptr},
           {ERR_PEER_CLOSED, {}, {}, nullptr});
    cr_assert_eq(call_serve(&server, FOREVER), 0);
    cr_assert_eq(steps, 4);
    cr_assert_eq(asked[2].shape, MESSAGE_MAX * CALL_RECEIVE);
}

Test(call, messages_are_received_when_there_are_some) {
    struct call_server server = a_server(true);
    SCRIPT({ERR_EMPTY, {}, {}, nullptr}, {40, {1}, {7, 0}, nullptr}, {ERR_EMPTY, {}, {}, nullptr});
    cr_assert_eq(call_serve(&server, 99), ERR_REMOVED);
    cr_assert_eq(steps, 3);
    cr_assert_eq(answered, 1);
    cr_assert_eq(received, 2);
    cr_assert_eq(asked[0].shape, MESSAGE_MAX * CALL_RECEIVE | CALL_TIMED | CALL_MESSAGES);
    cr_assert_eq(asked[0].deadline, 99);
}

Test(call, other_errors_end_it) {
    struct call_server server = a_server(false);
    SCRIPT({ERR_TIMED_OUT, {}, {}, nullptr});
    cr_assert_eq(call_serve(&server, 5), ERR_TIMED_OUT);
    SCRIPT({40, {1}, {7, 0}, nullptr}, {41, {1}, {7, 0}, nullptr}, {ERR_FAULT, {}, {}, nullptr});
    cr_assert_eq(call_serve(&server, FOREVER), ERR_FAULT);
}
