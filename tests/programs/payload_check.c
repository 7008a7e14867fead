// payload-check: calls between two processes whose payloads come from or go to memory that is not there, may not be
// written, or is not the program's: each is refused to whose memory it is, the other side notices nothing that it should
// not, and the next call is as good as any.
#include "base/memory.h"
#include "isthmus/calls.h"
#include "lib/channel.h"
#include "lib/clock.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/option.h"
#include "lib/print.h"
#include "lib/process.h"
#include "lib/self.h"
#include "role.h"

enum { LENGTH = 64, PLACES_MAX = 32, ROOM = LENGTH * CALL_RECEIVE };
enum { CLIENT = 0xc1, SERVER = 0x5e, KEPT = 0x77 }; // what payloads and the read-only page are full of

// What a call asks of the server before, or while it waits for the next one.
enum act { REPLY, REPLY_FROM_PLACE, WAIT_AT_PLACE, WAIT_WITH_LITTLE_ROOM, STOP };

static const struct option options[] = {{'c', "client", nullptr, "be the client that the server starts"}, {}};
static const struct program program = {"[-c]", "Check what calls do with payloads in bad places.", options};
static const char path[] = "/ipc/payload-check";
static unsigned failures;
// Nothing can be sent from or received at the first ones, received at none.
static uint64_t place[PLACES_MAX];
static unsigned places, unreadable;
static unsigned char buffer[LENGTH], *kept;

static void expect(const char *what, uint64_t at, long got, long wanted) {
    if (got != wanted && failures++ < 20) {
        print("%s at %lx: %ld, not %ld\n", what, (unsigned long)at, got, wanted);
    }
}

static uint64_t address_of(const void *pointer) {
    return (uint64_t)(uintptr_t)pointer;
}

// Pages of the object from `at` on, or where the kernel likes; 0: it does not want to.
static uint64_t mapped(long pages, uint64_t at, unsigned count, unsigned protection) {
    uint64_t address = 0;
    long status = sys_map(self_process(), (handle_t)pages, at, 0, count * (uint64_t)PAGE_SIZE, protection, &address);
    return status == 0 ? address : 0;
}

static bool find_places(void) {
    static const uint64_t kernels[] = {0,
                                       8,
                                       0xffff800000000000,
                                       0xffff000000000000,
                                       0xffffffc000000000,
                                       0xffffffff80000000,
                                       0xffffffff80200000,
                                       UINT64_MAX - LENGTH / 2,
                                       UINT64_MAX - LENGTH + 1};
    static const unsigned top_bits[] = {38, 39, 47, 48, 56};
    for (unsigned i = 0; i < sizeof kernels / sizeof kernels[0]; i++) {
        place[places++] = kernels[i];
    }
    long pages = sys_pages_create(2 * PAGE_SIZE);
    long other = sys_pages_create(PAGE_SIZE);
    kept = pages < 0 ? nullptr : (unsigned char *)mapped(pages, 0, 2, PROT_READ | PROT_WRITE);
    if (kept == nullptr) {
        return false;
    }
    uint64_t gone = mapped(pages, 0, 2, PROT_READ);
    place[places++] = gone;
    // The last page of user space, wherever that is: what begins in it goes beyond.
    for (unsigned i = 0; i < sizeof top_bits / sizeof top_bits[0]; i++) {
        for (uint64_t less = 1; less <= 2; less++) {
            uint64_t last = ((uint64_t)1 << top_bits[i]) - less * PAGE_SIZE;
            if (mapped(other, last, 1, PROT_READ | PROT_WRITE) != 0) {
                place[places++] = last + PAGE_SIZE - LENGTH / 2;
                place[places++] = last + PAGE_SIZE - 1;
                place[places++] = last + PAGE_SIZE;
                break;
            }
        }
    }
    unreadable = places;
    uint64_t read_only = mapped(pages, 0, 2, PROT_READ);
    place[places++] = read_only;
    place[places++] = read_only + PAGE_SIZE - LENGTH / 2;
    place[places++] = read_only + 2 * PAGE_SIZE - LENGTH;
    memset(kept, KEPT, 2 * PAGE_SIZE);
    // Now, so that no mapping above takes its place.
    return read_only != 0 && gone != 0 && sys_unmap(self_process(), gone) == 0;
}

static void check_bytes(const char *what, uint64_t at, const unsigned char *bytes, size_t count, unsigned char wanted) {
    for (size_t i = 0; i < count; i++) {
        expect(what, at, bytes[i], wanted);
    }
}

// ---- the client ------------------------------------------------------------------------------------------------------

static void call(handle_t connection, enum act act, unsigned which, uint64_t send, uint64_t receive, long wanted) {
    uint64_t word[MESSAGE_WORDS] = {act, which}, length = 0;
    unsigned char payload[LENGTH];
    memset(payload, CLIENT, sizeof payload);
    memset(buffer, 0, sizeof buffer);
    long status =
        sys_call(connection, LENGTH | ROOM, (send != 0 ? send : address_of(payload)), receive, 0, word, &length);
    expect("a call", send != 0 ? send : receive, status, wanted);
    expect("a word of the reply", receive, (long)word[0], status == 0 ? SERVER : 0);
    expect("the length of the reply", receive, (long)length, status == 0 ? LENGTH : 0);
    if (status == 0 && receive == address_of(buffer)) {
        check_bytes("a byte of the reply", receive, buffer, LENGTH, SERVER);
    }
}

static int be_client(void) {
    long connection = channel_connect(path, clock_deadline(10 * SECOND));
    if (connection < 0) {
        return error_report(path, connection);
    }
    handle_t to = (handle_t)connection;
    uint64_t good = address_of(buffer);
    for (unsigned i = 0; i < places; i++) {
        call(to, REPLY, 0, 0, good, 0);
        if (i < unreadable && place[i] != 0) {
            call(to, REPLY, 0, place[i], good, ERR_FAULT);
            call(to, REPLY_FROM_PLACE, i, 0, good, 0);
        }
        call(to, REPLY, 0, 0, place[i], ERR_FAULT);
        call(to, WAIT_AT_PLACE, i, 0, good, 0);
        call(to, WAIT_WITH_LITTLE_ROOM, 0, 0, good, 0);
    }
    call(to, STOP, 0, 0, good, 0);
    check_bytes("a byte of the read-only pages", place[unreadable], kept, PAGE_SIZE, KEPT);
    return failures > 0;
}

// ---- the server ------------------------------------------------------------------------------------------------------

static long reply_wait(handle_t channel, uint32_t shape, uint64_t send, uint64_t receive, uint64_t *word) {
    word[0] = SERVER;
    memset(buffer, SERVER, sizeof buffer);
    uint64_t length = 0;
    long status = sys_reply_wait(channel, shape, send, receive, 0, word, nullptr, &length);
    expect("the length of a call", receive, (long)length, status > 0 ? LENGTH : 0);
    if (status > 0) {
        check_bytes("a byte of the call", receive, buffer, LENGTH, CLIENT);
    }
    return status;
}

static int be_server(handle_t channel) {
    uint64_t word[MESSAGE_WORDS] = {}, good = address_of(buffer), at;
    long status = reply_wait(channel, ROOM, good, good, word);
    while (status > 0 && word[0] != STOP) {
        switch (word[0]) {
        case REPLY_FROM_PLACE:
            at = place[word[1] % unreadable];
            expect("a reply", at, reply_wait(channel, LENGTH | ROOM, at, good, word), ERR_FAULT);
            status = reply_wait(channel, LENGTH | ROOM, good, good, word);
            break;
        case WAIT_AT_PLACE:
            at = place[word[1] % places];
            expect("a wait", at, reply_wait(channel, LENGTH | ROOM, good, at, word), ERR_FAULT);
            status = reply_wait(channel, ROOM, good, good, word); // there is nobody to reply to any more
            break;
        case WAIT_WITH_LITTLE_ROOM:
            at = good;
            expect("a wait", at, reply_wait(channel, LENGTH | (ROOM - CALL_RECEIVE), good, at, word), ERR_TOO_BIG);
            status = reply_wait(channel, ROOM, good, good, word);
            break;
        default:
            status = reply_wait(channel, LENGTH | ROOM, good, good, word);
        }
    }
    expect("the last call", 0, status > 0, true);
    word[0] = SERVER;
    memset(buffer, SERVER, sizeof buffer);
    status = sys_reply_wait(channel, LENGTH | CALL_REPLY_ONLY, good, 0, 0, word, nullptr, nullptr);
    expect("the last reply", good, status, 0);
    check_bytes("a byte of the read-only pages", place[unreadable], kept, PAGE_SIZE, KEPT);
    return failures > 0;
}

int main(int argc, char **argv) {
    bool client = false;
    struct option_state state = option_begin(&program, argc, argv);
    while (option_next(&state) != 0) {
        client = true;
    }
    option_operands(&state, 0, 0);
    if (!find_places()) {
        return error_report("mapping", ERR_NO_MEMORY);
    }
    if (client) {
        return be_client();
    }
    handle_t channel, process;
    long status = role_serve(path, "payload-check", "-c", &channel, &process);
    if (status < 0) {
        return 1;
    }
    status = be_server(channel) | process_finish(process);
    print("%u bad places, %s\n", places, status == 0 ? "all refused" : "not all refused");
    return status != 0;
}
