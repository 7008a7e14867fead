// Processes and threads: how they begin, and that they end cleanly at every moment.
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "abi/calls.h"
#include "kernel/cpu.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/thread.h"
#include "machine.h"
#include "property.h"

static struct machine_census before;

// What there is once init has touched all memory that it may use.
static void count_before(void) {
    for (uint64_t at = 0; at < USER_SCRATCH_SIZE; at += PAGE_SIZE) {
        require(user_store(machine_init(), machine_init()->scratch + at, "", 1));
    }
    machine_count(&before);
}

static void boot(unsigned cpus) {
    machine_boot(&(struct machine_options){.cpus = cpus});
    count_before();
}

// Nothing is left of what the test did.
static void nothing_left(void) {
    struct machine_census after;
    machine_count(&after);
    machine_compare(&before, &after);
    machine_check();
}

static struct abi_process_info info_of(struct user *self, handle_t process) {
    struct abi_process_info info;
    require_equal(CALL(self, PROCESS_INFO, process, self->scratch), 0);
    require(user_load(self, &info, self->scratch, sizeof info));
    return info;
}

static int64_t new_process(struct user *self, const char *name) {
    require(user_store(self, self->scratch, name, strlen(name)));
    return CALL(self, PROCESS_CREATE, self->scratch, strlen(name), ID_INHERIT, ID_INHERIT);
}

static void sleeper(struct user *self) {
    user_wait(self, nullptr, 0, FOREVER);
}

static void worker(struct user *self) {
    for (;;) {
        user_work(self, 1000000);
    }
}

static void yielder(struct user *self) {
    for (;;) {
        CALL(self, YIELD);
    }
}

static void returns(struct user *) {}

static void exits_with_7(struct user *self) {
    CALL(self, EXIT, 7);
}

// ---- how a process ends ----------------------------------------------------------------------------------------------

Test(process, last_thread_ends_it_with_status_0) {
    boot(1);
    struct user *init = machine_init();
    struct user *child = machine_spawn(init, "child", returns, nullptr, PRIORITY_DEFAULT);
    cr_assert_not_null(child);
    handle_t process = child->process;
    cr_assert_eq(user_wait_one(init, process, EVENT_EXITED, FOREVER), 0);
    struct abi_process_info info = info_of(init, process);
    cr_assert_eq(info.state, PROCESS_EXITED);
    cr_assert_eq(info.exit_status, 0);
    cr_assert(info.ended >= info.started);
}

Test(process, exit_status_is_told) {
    boot(1);
    struct user *init = machine_init();
    handle_t process = machine_spawn(init, "child", exits_with_7, nullptr, PRIORITY_DEFAULT)->process;
    cr_assert_eq(user_wait_one(init, process, EVENT_EXITED, FOREVER), 0);
    struct abi_process_info info = info_of(init, process);
    cr_assert_eq(info.state, PROCESS_EXITED);
    cr_assert_eq(info.exit_status, 7);
    cr_assert_eq(CALL(init, KILL, process, 9), ERR_DEAD);
    cr_assert_eq(info_of(init, process).exit_status, 7);
}

Test(process, exit_stops_threads_on_other_cpus) {
    boot(4);
    struct user *init = machine_init();
    struct user *child = machine_spawn(init, "child", nullptr, nullptr, PRIORITY_DEFAULT);
    handle_t process = child->process;
    for (unsigned i = 0; i < 6; i++) {
        cr_assert_not_null(machine_thread(child, yielder, nullptr, PRIORITY_DEFAULT));
    }
    for (unsigned i = 0; i < 100; i++) {
        machine_step();
    }
    cr_assert_eq(CALL(child, EXIT, 3), USER_GONE);
    cr_assert_eq(user_wait_one(init, process, EVENT_EXITED, FOREVER), 0);
    cr_assert_eq(info_of(init, process).exit_status, 3);
    cr_assert_eq(thread_count(), 1);
    machine_check();
}

Test(process, kills_itself_by_its_own_handle) {
    boot(2);
    struct user *init = machine_init();
    struct user *child = machine_spawn(init, "child", nullptr, nullptr, PRIORITY_DEFAULT);
    handle_t process = child->process;
    cr_assert_eq(CALL(child, KILL, child->own, 5), USER_GONE);
    cr_assert_eq(user_wait_one(init, process, EVENT_EXITED, FOREVER), 0);
    struct abi_process_info info = info_of(init, process);
    cr_assert_eq(info.state, PROCESS_KILLED);
    cr_assert_eq(info.exit_status, 5);
}

Test(process, fault_ends_it_and_is_reported) {
    boot(1);
    struct user *init = machine_init();
    struct user *child = machine_spawn(init, "faulty", nullptr, nullptr, PRIORITY_DEFAULT);
    handle_t process = child->process;
    char path[32], text[FAULT_TEXT_MAX];
    snprintf(path, sizeof path, "/proc/%u/fault", child->pid);
    cr_assert_not(user_store(child, 0xdead0000, "x", 1));
    cr_assert_eq(user_wait_one(init, process, EVENT_EXITED, FOREVER), 0);
    struct abi_process_info info = info_of(init, process);
    cr_assert_eq(info.state, PROCESS_FAULTED);
    cr_assert_eq(info.exit_status, -1);
    cr_assert_gt(user_text(init, path, text, sizeof text), 0);
    static const char *const told[] = {"faulty", "write to address 0xdead0000", "nothing is mapped there", "back trace",
                                       "registers"};
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
        cr_assert_not_null(strstr(text, told[i]), "'%s' is missing in:\n%s", told[i], text);
    }
    const char *console;
    host_console_output(&console);
    cr_assert_not_null(strstr(console, "write to address 0xdead0000"));
}

Test(process, is_found_by_pid_until_its_last_handle_closes) {
    boot(1);
    struct user *init = machine_init();
    struct user *child = machine_spawn(init, "child", returns, nullptr, PRIORITY_DEFAULT);
    uint32_t pid = child->pid;
    handle_t process = child->process, thread = child->self;
    cr_assert_eq(user_wait_one(init, process, EVENT_EXITED, FOREVER), 0);
    cr_assert_eq(CALL(init, CLOSE, thread), 0);
    machine_settle();
    cr_assert_not_null(process_by_pid(pid));
    cr_assert_eq(CALL(init, CLOSE, process), 0);
    machine_settle();
    cr_assert_null(process_by_pid(pid));
    nothing_left();
}

Test(process, thread_create_in_an_ended_one_is_refused) {
    boot(1);
    struct user *init = machine_init();
    handle_t process = machine_spawn(init, "child", sleeper, nullptr, PRIORITY_DEFAULT)->process;
    cr_assert_eq(CALL(init, KILL, process, 9), 0);
    cr_assert_eq(CALL(init, THREAD_CREATE, process, machine_entry(sleeper), 0x100000, 0, PRIORITY_DEFAULT), ERR_DEAD);
    cr_assert_eq(CALL(init, GIVE, process, init->own, 0), ERR_DEAD);
}

// ---- embryos ---------------------------------------------------------------------------------------------------------

Test(embryo, goes_with_its_last_handle) {
    boot(1);
    struct user *init = machine_init();
    int64_t process = new_process(init, "embryo");
    cr_assert_gt(process, 0);
    cr_assert_eq(info_of(init, (handle_t)process).state, PROCESS_EMBRYO);
    cr_assert_eq(CALL(init, CLOSE, (uint64_t)process), 0);
    nothing_left();
}

Test(embryo, is_not_kept_by_its_own_handle) {
    boot(1);
    struct user *init = machine_init();
    int64_t process = new_process(init, "embryo");
    cr_assert_gt(CALL(init, GIVE, (uint64_t)process, (uint64_t)process, RIGHTS_ALL), 0);
    cr_assert_gt(CALL(init, GIVE, (uint64_t)process, (uint64_t)process, RIGHT_READ), 0);
    cr_assert_eq(CALL(init, CLOSE, (uint64_t)process), 0);
    nothing_left();
}

Test(embryo, can_be_killed) {
    boot(1);
    struct user *init = machine_init();
    int64_t process = new_process(init, "embryo");
    cr_assert_gt(CALL(init, GIVE, (uint64_t)process, (uint64_t)process, RIGHTS_ALL), 0);
    cr_assert_eq(CALL(init, KILL, (uint64_t)process, 4), 0);
    cr_assert_eq(user_wait_one(init, (handle_t)process, EVENT_EXITED, FOREVER), 0);
    cr_assert_eq(info_of(init, (handle_t)process).state, PROCESS_KILLED);
    cr_assert_eq(CALL(init, CLOSE, (uint64_t)process), 0);
    nothing_left();
}

Test(embryo, two_that_name_each_other_go_with_their_creator) {
    boot(1);
    struct user *init = machine_init();
    struct user *child = machine_spawn(init, "child", nullptr, nullptr, PRIORITY_DEFAULT);
    handle_t process = child->process, thread = child->self;
    int64_t one = new_process(child, "one"), two = new_process(child, "two");
    cr_assert_gt(CALL(child, GIVE, (uint64_t)one, (uint64_t)two, RIGHTS_ALL), 0);
    cr_assert_gt(CALL(child, GIVE, (uint64_t)two, (uint64_t)one, RIGHTS_ALL), 0);
    cr_assert_eq(CALL(child, CLOSE, (uint64_t)one), 0);
    cr_assert_eq(CALL(child, CLOSE, (uint64_t)two), 0);
    cr_assert_eq(process_count(), 4);
    cr_assert_eq(CALL(child, EXIT, 0), USER_GONE);
    cr_assert_eq(user_wait_one(init, process, EVENT_EXITED, FOREVER), 0);
    machine_settle();
    cr_assert_eq(CALL(init, CLOSE, process), 0);
    cr_assert_eq(CALL(init, CLOSE, thread), 0);
    nothing_left();
}

// ---- waiting ---------------------------------------------------------------------------------------------------------

Test(waiting, outlives_the_handle_that_was_waited_on) {
    boot(2);
    struct user *init = machine_init();
    struct user *child = machine_spawn(init, "child", sleeper, nullptr, PRIORITY_DEFAULT);
    handle_t process = child->process, thread = child->self;
    struct user *helper = machine_thread(init, nullptr, nullptr, PRIORITY_DEFAULT);
    struct abi_wait_item item = {process, EVENT_EXITED};
    cr_assert(user_store(helper, helper->scratch, &item, sizeof item));
    user_begin(helper, CALL_WAIT, (const uint64_t[6]){helper->scratch, 1, FOREVER});
    machine_settle();
    cr_assert(user_parked(helper));
    int64_t other = CALL(init, DUP, process, RIGHTS_ALL);
    cr_assert_eq(CALL(init, CLOSE, process), 0);
    cr_assert(user_parked(helper));
    cr_assert_eq(CALL(init, KILL, (uint64_t)other, 9), 0);
    machine_settle();
    while (slice_pending()) { // it is taken apart share by share, and shares come with time
        machine_run(host_time() + 100000);
    }
    cr_assert(user_answered(helper));
    cr_assert_eq(helper->status, 0);
    cr_assert_eq(helper->word[0], 1);
    cr_assert_eq(CALL(init, CLOSE, (uint64_t)other), 0);
    cr_assert_eq(CALL(init, CLOSE, thread), 0);
}

static unsigned woken;

static void waiter(struct user *self) {
    handle_t process = *(const handle_t *)self->context;
    if (user_wait_one(self, process, EVENT_EXITED, FOREVER) == 0) {
        woken++;
    }
}

Test(waiting, many_waiters_of_one_event_are_all_woken) {
    enum { WAITERS = 100 };
    machine_boot(&(struct machine_options){.cpus = 3, .memory = 32u << 20});
    struct user *init = machine_init();
    handle_t process = machine_spawn(init, "child", sleeper, nullptr, PRIORITY_DEFAULT)->process;
    for (unsigned i = 0; i < WAITERS; i++) {
        cr_assert_not_null(machine_thread(init, waiter, &process, PRIORITY_DEFAULT));
    }
    machine_settle();
    cr_assert_eq(woken, 0);
    cr_assert_eq(CALL(init, KILL, process, 9), 0);
    machine_run_until_idle();
    cr_assert_eq(woken, WAITERS);
    cr_assert_eq(thread_count(), 1);
    machine_check();
}

Test(waiting, sleep_is_never_early_and_late_by_a_granule_at_most) {
    boot(1);
    struct user *init = machine_init();
    for (uint64_t length = 1; length < 100000000000000; length = length * 3 + 7) {
        uint64_t deadline = host_time() + length;
        user_begin(init, CALL_WAIT, (const uint64_t[6]){0, 0, deadline});
        machine_run_until_idle();
        cr_assert(user_answered(init));
        cr_assert_eq(init->status, ERR_TIMED_OUT);
        cr_assert(host_time() >= deadline && host_time() <= deadline + (2u << TIMER_GRANULE_SHIFT),
                  "a sleep of %llu ns took %lld more", (unsigned long long)length, (long long)(host_time() - deadline));
    }
}

// ---- scheduling ------------------------------------------------------------------------------------------------------

Test(scheduling, equals_share_a_cpu_in_turns) {
    machine_boot(&(struct machine_options){.cpus = 1});
    struct user *init = machine_init();
    struct user *one = machine_spawn(init, "one", worker, nullptr, 5);
    struct user *two = machine_spawn(init, "two", worker, nullptr, 5);
    struct user *three = machine_spawn(init, "three", worker, nullptr, 5);
    struct user *lesser = machine_spawn(init, "lesser", worker, nullptr, 4);
    user_begin(init, CALL_WAIT, (const uint64_t[6]){0, 0, FOREVER});
    for (unsigned i = 0; i < 3000; i++) {
        machine_step();
    }
    uint64_t time[] = {thread_cpu_time(one->thread), thread_cpu_time(two->thread), thread_cpu_time(three->thread)};
    for (unsigned i = 0; i < 3; i++) {
        cr_assert_gt(time[i], 300000000);
        cr_assert_lt(time[i] > time[0] ? time[i] - time[0] : time[0] - time[i], 2 * SCHED_SLICE);
    }
    cr_assert_eq(thread_cpu_time(lesser->thread), 0);
}

Test(scheduling, alone_a_thread_needs_no_timer) {
    machine_boot(&(struct machine_options){.cpus = 1});
    struct user *init = machine_init();
    machine_spawn(init, "one", worker, nullptr, 5);
    user_begin(init, CALL_WAIT, (const uint64_t[6]){0, 0, FOREVER});
    for (unsigned i = 0; i < 100; i++) {
        machine_step();
    }
    cr_assert_eq(host_timer_deadline(0), UINT64_MAX);
}

Test(scheduling, late_equal_gets_its_turn_within_a_slice) {
    machine_boot(&(struct machine_options){.cpus = 1});
    struct user *init = machine_init();
    struct user *late = machine_spawn(init, "late", nullptr, nullptr, 5);
    user_begin(late, CALL_WAIT, (const uint64_t[6]){0, 0, host_time() + 500000000});
    struct user *busy = machine_spawn(init, "busy", worker, nullptr, 5);
    user_begin(init, CALL_WAIT, (const uint64_t[6]){0, 0, FOREVER});
    uint64_t woken = 0;
    for (unsigned i = 0; i < 2000 && !user_answered(late); i++) {
        machine_step();
        woken = woken == 0 && late->thread->state != THREAD_PARKED ? host_time() : woken;
    }
    cr_assert(user_answered(late));
    cr_assert_leq(host_time() - woken, SCHED_SLICE + 2000000);
    cr_assert_gt(thread_cpu_time(busy->thread), 400000000);
}

Test(scheduling, more_urgent_runs_at_once) {
    machine_boot(&(struct machine_options){.cpus = 1});
    struct user *init = machine_init();
    struct user *busy = machine_spawn(init, "busy", worker, nullptr, 5);
    uint64_t deadline = host_time() + 100000000;
    user_begin(init, CALL_WAIT, (const uint64_t[6]){0, 0, deadline});
    while (!user_answered(init)) {
        machine_step();
    }
    cr_assert_leq(host_time() - deadline, 2000000u + (1u << TIMER_GRANULE_SHIFT)); // one step of the worker
    cr_assert_eq(busy->thread->state, THREAD_READY);
}

// ---- death at every moment -------------------------------------------------------------------------------------------

// A family that spawns, talks to itself, waits and exits; killed after n steps, for every n: nothing is left.
static void parent(struct user *self) {
    for (unsigned round = 0;; round++) {
        struct user *child = machine_spawn(self, "child",
                                           round % 3 == 0   ? sleeper
                                           : round % 3 == 1 ? exits_with_7
                                                            : yielder,
                                           nullptr, PRIORITY_DEFAULT);
        if (child == nullptr) {
            continue;
        }
        handle_t process = child->process, thread = child->self;
        user_wait_one(self, process, EVENT_EXITED, host_time() + 200000);
        CALL(self, KILL, process, 9);
        CALL(self, CLOSE, process);
        CALL(self, CLOSE, thread);
    }
}

static void killed_after(struct property *p) {
    unsigned steps = (unsigned)property_choose(p, "steps", 3000);
    machine_boot(&(struct machine_options){.cpus = 1 + (unsigned)property_choose(p, "cpus", 4), .property = p});
    struct user *init = machine_init();
    count_before();
    struct user *family = machine_spawn(init, "family", parent, nullptr, PRIORITY_DEFAULT);
    handle_t process = family->process, thread = family->self;
    for (unsigned i = 0; i < 3; i++) {
        machine_step();
    }
    while (steps-- > 0) {
        if (!machine_step()) {
            host_time_advance(100000);
        }
    }
    machine_check();
    property_equal(p, CALL(init, KILL, process, 1), 0);
    property_equal(p, user_wait_one(init, process, EVENT_EXITED, FOREVER), 0);
    // Its children live on without it: they are nobody's, so they are ended by pid.
    uint32_t pid = init->pid;
    for (struct process *child; (child = process_after(pid)) != nullptr;) {
        char path[32];
        pid = child->pid;
        snprintf(path, sizeof path, "/proc/%u/ctl", pid);
        int64_t file = user_open(init, init->root, path, OPEN_WRITE, 0);
        if (file > 0) {
            int64_t killed = user_write(init, (handle_t)file, "kill 9", 6, 0);
            property_check(p, killed == 6 || killed == ERR_DEAD);
            CALL(init, CLOSE, (uint64_t)file);
        }
    }
    CALL(init, CLOSE, process);
    CALL(init, CLOSE, thread);
    machine_settle();
    struct machine_census after;
    machine_count(&after);
    machine_compare(&before, &after);
    machine_check();
}

Test(process, killed_at_any_moment_leaves_nothing, .timeout = 240) {
    cr_assert(property_run("killed_at_any_moment", 100, killed_after));
}
