// Every call of a tour through the system, with each of its allocations refused in turn: the answer is ERR_NO_MEMORY and
// nothing has come into being or gone, or the call does without that memory. Then the call is made with memory, the tour
// goes on, and at its end the kernel holds what it held.
#include <criterion/criterion.h>
#include <string.h>

#include "abi/abi.h"
#include "ipc/channel.h"
#include "kernel/alloc_fault.h"
#include "kernel/slice.h"
#include "machine.h"

enum { AT = 0x30000000 };

static struct user *init;
static bool refusing;  // else the tour only warms up what stays for good
static bool all_later; // refuse also what comes after
static unsigned refusals;
static struct machine_census before;
static struct ipc_totals totals_before;

// What a refused call may not change. Tables that have grown for it may stay so.
static void check_unchanged(const char *what) {
    struct machine_census after;
    machine_count(&after);
    after.objects[OBJECT_PAGES] = before.objects[OBJECT_PAGES]; // a file may have got one for its bytes
    struct ipc_totals totals;
    ipc_get_totals(&totals);
    bool same = memcmp(before.objects, after.objects, sizeof before.objects) == 0 && before.nodes == after.nodes &&
                before.processes == after.processes && before.threads == after.threads &&
                totals_before.messages.sent == totals.messages.sent &&
                totals_before.messages.queued == totals.messages.queued;
    if (!same) {
        machine_fail("%s was refused and has changed something", what);
    }
}

static void refuse(unsigned nth) {
    machine_count(&before);
    ipc_get_totals(&totals_before);
    alloc_fault_arm(nth, all_later);
}

// Whether the call is through: it was not refused for want of memory.
static bool through(int64_t status, const char *what) {
    bool fired = alloc_fault_fired();
    alloc_fault_arm(0, false);
    if (status >= 0) {
        return true;
    }
    if (status != ERR_NO_MEMORY || !fired) {
        machine_fail("%s: %lld", what, (long long)status);
    }
    refusals++;
    check_unchanged(what);
    return false;
}

// The value of a call once nothing of it is refused any more.
#define EVERY(call)                                                                                                    \
    ({                                                                                                                 \
        int64_t status_;                                                                                               \
        unsigned nth_ = refusing;                                                                                      \
        do {                                                                                                           \
            refuse(nth_++);                                                                                            \
            status_ = (call);                                                                                          \
        } while (!through(status_, #call));                                                                            \
        status_;                                                                                                       \
    })
#define HANDLE(call) ((handle_t)EVERY(call))

static void close_handle(handle_t handle) {
    require_equal(CALL(init, CLOSE, handle), 0);
}

static void read_file(const char *path) {
    char text[4096];
    handle_t file = HANDLE(user_open(init, init->root, path, OPEN_READ, 0));
    EVERY(user_read(init, file, text, sizeof text, 0));
    close_handle(file);
}

static void tour_of_names(void) {
    static const char text[5000] = "text";
    char buffer[5000];
    struct abi_stat stat;
    handle_t root = init->root;
    EVERY(user_make(init, root, "tmp/d", NODE_DIR, 0755));
    handle_t file = HANDLE(user_open(init, root, "tmp/d/f", OPEN_READ | OPEN_WRITE | OPEN_CREATE, 0644));
    require_equal(EVERY(user_write(init, file, text, 4096, 0)), 4096);
    require_equal(EVERY(user_write(init, file, text, 4096, 10 * PAGE_SIZE)), 4096);
    require_equal(EVERY(user_read(init, file, buffer, sizeof buffer, 5 * PAGE_SIZE)), sizeof buffer);
    EVERY(user_link(init, root, "tmp/l", "/tmp/d/f"));
    EVERY(user_stat(init, root, "tmp/l", &stat));
    EVERY(user_rename(init, root, "tmp/d/f", "tmp/d/g"));
    EVERY(user_rename(init, root, "tmp/d", "tmp/e"));
    handle_t dir = HANDLE(user_open(init, root, "tmp", OPEN_READ | OPEN_DIR, 0));
    EVERY(CALL(init, LIST, dir, 0, init->scratch + 16384, 4));
    EVERY(CALL(init, MAP, init->own, file, AT, 0, PAGE_SIZE, PROT_READ));
    EVERY(CALL(init, PROCESS_INFO, init->own, init->scratch + 16384));
    require_equal(CALL(init, UNMAP, init->own, AT), 0);
    EVERY(user_remove(init, root, "tmp/l"));
    EVERY(user_remove(init, root, "tmp/e/g"));
    EVERY(user_remove(init, root, "tmp/e"));
    close_handle(dir);
    close_handle(file);
}

static void tour_of_statistics(void) {
    static const char *const paths[] = {
        "kern/version",
        "kern/cpus",
        "kern/log",
        "kern/ipc/channels",
        "kern/mem/stats/slabs",
        "kern/ipc/stats/messages",
        "kern/sched/stats/cpus",
        "proc/self/status",
        "proc/self/maps",
        "proc/self/handles",
        "proc/self/threads",
    };
    for (unsigned i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        read_file(paths[i]);
    }
}

static void tour_of_channels(void) {
    char buffer[MESSAGE_MAX] = "message";
    handle_t server = HANDLE(user_channel(init, init->root, "ipc/c", nullptr));
    handle_t events = HANDLE(user_open(init, init->root, "ipc/c/events", OPEN_READ, 0));
    handle_t client = HANDLE(user_open(init, init->root, "ipc/c/data", OPEN_READ | OPEN_WRITE, 0));
    for (unsigned i = 0; i < 30; i++) {
        EVERY(user_send(init, client, buffer, sizeof buffer, i, 0));
    }
    require_equal(EVERY(user_recv(init, server, buffer, sizeof buffer)), sizeof buffer);
    uint64_t connection = init->word[2];
    for (unsigned i = 0; i < 20; i++) {
        EVERY(user_send(init, server, buffer, sizeof buffer, i, connection));
    }
    require_equal(EVERY(user_recv(init, client, buffer, sizeof buffer)), sizeof buffer);
    read_file("ipc/c/stats");
    EVERY(user_read(init, events, buffer, sizeof buffer, OFFSET_CURRENT));
    handle_t nameless = HANDLE(user_channel(init, 0, nullptr, nullptr));
    handle_t connected = HANDLE(CALL(init, CONNECT, nameless, RIGHT_READ | RIGHT_WRITE));
    EVERY(user_write(init, connected, buffer, 10, 0));
    close_handle(connected);
    close_handle(client);
    EVERY(user_remove(init, init->root, "ipc/c"));
    close_handle(events);
    close_handle(server);
    close_handle(nameless);
}

static void tour_of_notifiers(void) {
    handle_t notifier = HANDLE(CALL(init, NOTIFIER_CREATE, 64));
    handle_t tmp = HANDLE(user_open(init, init->root, "tmp", OPEN_READ | OPEN_DIR, 0));
    struct abi_watch_spec spec = {.bits = 1, .events = EVENT_READABLE | EVENT_REMOVED};
    require(user_store(init, init->scratch + 16384, &spec, sizeof spec));
    EVERY(CALL(init, WATCH, notifier, tmp, init->scratch + 16384));
    EVERY(CALL(init, UNWATCH, notifier, init->word[0]));
    EVERY(CALL(init, WATCH, notifier, tmp, init->scratch + 16384));
    EVERY(CALL(init, SIGNAL, notifier, 2));
    EVERY(CALL(init, TAKE, notifier, 2, 0));
    close_handle(tmp);
    close_handle(notifier);
}

static void tour_of_processes(void) {
    require(user_store(init, init->scratch, "child", 5));
    handle_t process = HANDLE(CALL(init, PROCESS_CREATE, init->scratch, 5, ID_INHERIT, ID_INHERIT));
    handle_t copy[40];
    for (unsigned i = 0; i < 40; i++) {
        copy[i] = HANDLE(CALL(init, DUP, init->root, RIGHT_READ | RIGHT_GRANT));
        EVERY(CALL(init, GIVE, process, copy[i], RIGHT_READ));
    }
    handle_t pages = HANDLE(CALL(init, PAGES_CREATE, 20 * PAGE_SIZE));
    for (unsigned i = 0; i < 10; i++) {
        EVERY(CALL(init, MAP, process, pages, AT + i * 0x40000000ull, 0, PAGE_SIZE, PROT_WRITE));
    }
    handle_t thread = HANDLE(CALL(init, THREAD_CREATE, process, machine_entry(nullptr), 0x7ff000000000, 0, 3));
    handle_t second = HANDLE(CALL(init, THREAD_CREATE, process, machine_entry(nullptr), 0x7ff000000000, 0, 3));
    read_file("kern/proc/stats/processes");
    require_equal(CALL(init, KILL, process, 0), 0);
    require_equal(user_wait_one(init, process, EVENT_EXITED, FOREVER), 0);
    for (unsigned i = 0; i < 40; i++) {
        close_handle(copy[i]);
    }
    close_handle(thread);
    close_handle(second);
    close_handle(pages);
    close_handle(process);
}

static void tour(void) {
    tour_of_names();
    tour_of_statistics();
    tour_of_channels();
    tour_of_notifiers();
    tour_of_processes();
}

Test(scarcity, every_allocation_of_every_call_can_be_refused) {
    machine_boot(&(struct machine_options){.memory = 16u << 20});
    init = machine_init();
    tour();
    struct machine_census start, end;
    machine_count(&start);
    refusing = true;
    for (unsigned later = 0; later < 2; later++) {
        all_later = later == 1;
        refusals = 0;
        tour();
        machine_count(&end);
        machine_compare(&start, &end);
        machine_check();
        cr_assert_gt(refusals, 100, "%u", refusals);
    }
}

static uint64_t rejected(void) {
    struct ipc_totals totals;
    ipc_get_totals(&totals);
    return totals.messages.rejected;
}

// Leave work of taking a process apart behind, so that calls without memory are made again.
static void leave_work(void) {
    struct user *child = machine_spawn(init, "child", nullptr, nullptr, PRIORITY_DEFAULT);
    for (unsigned i = 0; i < 2000; i++) {
        require(CALL(child, DUP, child->root, RIGHT_READ) > 0);
    }
    require_equal(CALL(init, KILL, child->process, 0), 0);
    require(slice_pending());
}

// A send is refused once, however often it was made again before, and not at all when it got through in the end.
Test(scarcity, a_send_is_rejected_once) {
    machine_boot(&(struct machine_options){.memory = 16u << 20});
    init = machine_init();
    char byte;
    for (unsigned round = 0; round < 4; round++) {
        bool outbound = round % 2 == 1, for_good = round / 2 == 1;
        handle_t server = (handle_t)user_channel(init, 0, nullptr, nullptr); // a queue that has no page yet
        handle_t client = (handle_t)CALL(init, CONNECT, server, RIGHT_READ | RIGHT_WRITE);
        require_equal(user_send(init, client, "?", 1, 0, 0), 0);
        require_equal(user_recv(init, server, &byte, 1), 1);
        uint64_t connection = init->word[2];
        if (!outbound) { // neither has this one
            client = (handle_t)CALL(init, CONNECT, (server = (handle_t)user_channel(init, 0, nullptr, nullptr)),
                                    RIGHT_READ | RIGHT_WRITE);
        }
        uint64_t before_it = rejected();
        leave_work();
        alloc_fault_arm(1, for_good);
        int64_t status =
            outbound ? user_send(init, server, "x", 1, 0, connection) : user_send(init, client, "x", 1, 0, 0);
        bool fired = alloc_fault_fired();
        alloc_fault_arm(0, false);
        cr_assert(fired);
        cr_assert_eq(status, for_good ? ERR_NO_MEMORY : 0);
        cr_assert_eq(rejected() - before_it, for_good);
        machine_run_until_idle();
        machine_check();
    }
}
