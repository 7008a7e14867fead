// Processes and threads from birth to death, in any interleaving: they spawn, wait, sleep, kill, fault and exit as the
// choices say. In the end all of them are gone and nothing of them is left; nobody is forgotten on the way.
#include <criterion/criterion.h>
#include <string.h>

#include "kernel/process.h"
#include "kernel/thread.h"
#include "machine.h"
#include "property.h"

enum { CHILDREN_MAX = 4, BIRTHS_MAX = 24 };

static struct property *p;
static unsigned births;

static void live(struct user *self);

static uint64_t soon(void) {
    return host_time() + property_choose(p, "in", 5000000);
}

static void sleep_for_a_while(struct user *self) {
    uint64_t deadline = soon();
    require_equal(user_wait(self, nullptr, 0, deadline), ERR_TIMED_OUT);
    require(host_time() >= deadline); // never early
}

static void wait_for_child(struct user *self, handle_t child) {
    uint64_t deadline = property_chance(p, "for ever", 50) ? FOREVER : soon();
    int64_t status = user_wait_one(self, child, EVENT_EXITED, deadline);
    if (status == ERR_TIMED_OUT) {
        require(deadline != FOREVER && host_time() >= deadline);
        return;
    }
    require_equal(status, 0);
    require_equal(self->word[0], 1);
    require_equal(CALL(self, PROCESS_INFO, child, self->scratch), 0);
    struct abi_process_info info;
    user_load(self, &info, self->scratch, sizeof info);
    require(info.state == PROCESS_EXITED || info.state == PROCESS_KILLED || info.state == PROCESS_FAULTED);
    require(info.ended >= info.started);
    require_equal(info.parent, self->pid);
    require_equal(CALL(self, KILL, child, 1), ERR_DEAD); // and it stays so
    require_equal(CALL(self, GIVE, child, self->own, RIGHT_READ), ERR_DEAD);
}

static void misbehave(struct user *self) {
    char byte = 0;
    switch (property_choose(p, "how", 4)) {
    case 0:
        user_raise(self, FAULT_INSTRUCTION);
        break;
    case 1:
        user_load(self, &byte, 0, 1);
        break;
    case 2:
        user_store(self, 0x7fff00000000, &byte, 1);
        break;
    case 3:
        user_store(self, ARCH_USER_TOP + 5, &byte, 1);
        break;
    }
    machine_fail("a thread goes on behind its fatal fault");
}

static void end(struct user *self) {
    unsigned how = (unsigned)property_choose(p, "end", 5);
    if (how == 0) {
        return; // the thread exits
    }
    if (how == 1) {
        misbehave(self);
    }
    if (how == 2) {
        CALL(self, KILL, self->own, 3);
    } else {
        CALL(self, EXIT, property_choose(p, "status", 256));
    }
    machine_fail("a thread goes on behind its end");
}

static void live(struct user *self) {
    struct user *child[CHILDREN_MAX] = {};
    unsigned children = 0;
    while (property_more(p, 8)) {
        unsigned which = children == 0 ? 0 : (unsigned)property_choose(p, "child", children);
        switch (property_choose(p, "act", 9)) {
        case 0:
            user_work(self, property_choose(p, "nanoseconds", 15000000));
            break;
        case 1:
            require_equal(CALL(self, YIELD), 0);
            break;
        case 2:
            sleep_for_a_while(self);
            break;
        case 3:
            if (children < CHILDREN_MAX && births < BIRTHS_MAX) {
                births++;
                unsigned priority = (unsigned)property_between(p, "priority", 0, self->thread->priority);
                struct user *born = machine_spawn(self, "child", live, nullptr, priority);
                require(born != nullptr);
                child[children++] = born;
            }
            break;
        case 4:
            if (births < BIRTHS_MAX) {
                births++;
                struct user *born = machine_thread(self, live, nullptr, self->thread->priority);
                require(born != nullptr);
                CALL(self, CLOSE, born->self);
            }
            break;
        case 5:
            if (children > 0) {
                wait_for_child(self, child[which]->process);
            }
            break;
        case 6:
            if (children > 0) {
                int64_t status = CALL(self, KILL, child[which]->process, 7);
                require(status == 0 || status == ERR_DEAD);
            }
            break;
        case 7: { // memory comes and goes while others run in the same space
            int64_t pages = CALL(self, PAGES_CREATE, 3 * PAGE_SIZE);
            require(pages > 0);
            require_equal(CALL(self, MAP, self->own, (uint64_t)pages, 0, 0, 3 * PAGE_SIZE, PROT_READ | PROT_WRITE), 0);
            uint64_t at = self->word[0], value = 0x1234567890;
            CALL(self, CLOSE, (uint64_t)pages);
            user_store(self, at + PAGE_SIZE - 4, &value, sizeof value);
            value = 0;
            user_load(self, &value, at + PAGE_SIZE - 4, sizeof value);
            require_equal(value, 0x1234567890);
            require_equal(CALL(self, UNMAP, self->own, at), 0);
            break;
        }
        case 8:
            if (children > 0 && property_chance(p, "let go", 30)) { // it lives on without us
                CALL(self, CLOSE, child[which]->process);
                CALL(self, CLOSE, child[which]->self);
                child[which] = child[--children];
            }
            break;
        }
        machine_check();
    }
    end(self);
}

static void everybody_dies_and_leaves_nothing(struct property *property) {
    p = property;
    births = 0;
    unsigned cpus = (unsigned)property_between(p, "cpus", 1, 8);
    machine_boot(&(struct machine_options){.property = p, .cpus = cpus, .memory = 16u << 20});
    struct user *init = machine_init();
    struct user *first[3];
    unsigned count = (unsigned)property_between(p, "first", 1, 3);
    struct machine_census before, after;
    // Once in advance, so that tables which only grow have grown.
    struct user *trial = machine_spawn(init, "trial", nullptr, nullptr, PRIORITY_DEFAULT);
    CALL(init, KILL, trial->process, 0);
    CALL(init, CLOSE, trial->process);
    CALL(init, CLOSE, trial->self);
    machine_count(&before);

    for (unsigned i = 0; i < count; i++) {
        first[i] = machine_spawn(init, "first", live, nullptr, PRIORITY_DEFAULT);
        require(first[i] != nullptr);
    }
    machine_run_until_idle();
    machine_check();
    for (unsigned i = 0; i < count; i++) {
        require_equal(user_wait_one(init, first[i]->process, EVENT_EXITED, 0), 0);
        require_equal(CALL(init, CLOSE, first[i]->process), 0);
        require_equal(CALL(init, CLOSE, first[i]->self), 0);
    }
    machine_count(&after);
    machine_compare(&before, &after);
}

Test(life, everybody_dies_and_leaves_nothing, .timeout = 240) {
    cr_assert(property_run("everybody_dies_and_leaves_nothing", 600, everybody_dies_and_leaves_nothing));
}

// ---- single stories --------------------------------------------------------------------------------------------------

static struct abi_process_info info_of(struct user *init, handle_t process) {
    struct abi_process_info info;
    require_equal(CALL(init, PROCESS_INFO, process, init->scratch), 0);
    user_load(init, &info, init->scratch, sizeof info);
    return info;
}

static void exit_five(struct user *self) {
    CALL(self, EXIT, 5);
}

static void sleep_for_ever(struct user *self) {
    user_wait(self, nullptr, 0, FOREVER);
}

static void touch_nothing(struct user *self) {
    char byte;
    user_load(self, &byte, 0x123456789000, 1);
}

Test(life, exit_status_reaches_the_parent) {
    machine_boot(&(struct machine_options){});
    struct user *init = machine_init();
    struct user *child = machine_spawn(init, "five", exit_five, nullptr, PRIORITY_DEFAULT);
    machine_run_until_idle();
    require_equal(user_wait_one(init, child->process, EVENT_EXITED, 0), 0);
    struct abi_process_info info = info_of(init, child->process);
    cr_assert_eq(info.state, PROCESS_EXITED);
    cr_assert_eq(info.exit_status, 5);
}

Test(life, kill_ends_a_parked_thread) {
    machine_boot(&(struct machine_options){.cpus = 2});
    struct user *init = machine_init();
    struct user *child = machine_spawn(init, "sleeper", sleep_for_ever, nullptr, PRIORITY_DEFAULT);
    machine_run_until_idle();
    cr_assert(user_parked(child));
    cr_assert_eq(CALL(init, KILL, child->process, 9), 0);
    machine_run_until_idle();
    struct abi_process_info info = info_of(init, child->process);
    cr_assert_eq(info.state, PROCESS_KILLED);
    cr_assert_eq(info.exit_status, 9);
    cr_assert(user_gone(child));
}

Test(life, fault_is_reported_and_ends_the_process) {
    machine_boot(&(struct machine_options){});
    struct user *init = machine_init();
    struct user *child = machine_spawn(init, "wild", touch_nothing, nullptr, PRIORITY_DEFAULT);
    machine_run_until_idle();
    struct abi_process_info info = info_of(init, child->process);
    cr_assert_eq(info.state, PROCESS_FAULTED);
    cr_assert_eq(info.exit_status, -1);
    const char *console;
    host_console_output(&console);
    cr_assert(strstr(console, "wild") != nullptr);
    cr_assert(strstr(console, "0x123456789000") != nullptr || strstr(console, "123456789000") != nullptr, "%s",
              console);
}

Test(life, embryo_goes_with_its_last_handle) {
    machine_boot(&(struct machine_options){});
    struct user *init = machine_init();
    struct machine_census before, after;
    user_store(init, init->scratch, "x", 1);
    machine_count(&before);
    int64_t process = CALL(init, PROCESS_CREATE, init->scratch, 1, ID_INHERIT, ID_INHERIT);
    cr_assert_gt(process, 0);
    cr_assert_gt(CALL(init, GIVE, (uint64_t)process, (uint64_t)process, RIGHTS_ALL), 0); // its own does not count
    cr_assert_eq(CALL(init, CLOSE, (uint64_t)process), 0);
    machine_count(&after);
    machine_compare(&before, &after);
}

Test(life, thousand_processes_come_and_go) {
    machine_boot(&(struct machine_options){.cpus = 2});
    struct user *init = machine_init();
    struct machine_census before, after;
    for (unsigned i = 0; i < 1001; i++) {
        struct user *child = machine_spawn(init, "child", exit_five, nullptr, PRIORITY_DEFAULT);
        cr_assert_neq(child, nullptr);
        handle_t process = child->process, thread = child->self;
        int64_t status = user_wait_one(init, process, EVENT_EXITED, FOREVER);
        if (status == USER_PARKED) {
            machine_run_until_idle();
            status = init->status;
        }
        cr_assert_eq(status, 0);
        CALL(init, CLOSE, process);
        CALL(init, CLOSE, thread);
        if (i == 0) {
            machine_count(&before);
        }
    }
    machine_count(&after);
    machine_compare(&before, &after);
}
