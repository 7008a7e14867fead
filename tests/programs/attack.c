// attack: what a program can do to the processor's state to break the kernel's entries and exits, or to look at another
// thread's. With a name it makes one attempt: an attack ends this process by a fault, a check exits with 0, and the
// status 3 says that the machine let something pass. Without one it tries all, each in a process of its own, checks in
// four processes at once, and counts. The attempts are each port's own: ARCH/attack.c.
#include "attack.h"

#include "abi/abi.h"
#include "base/str.h"
#include "lib/option.h"
#include "lib/print.h"
#include "lib/process.h"
#include "role.h"

static const struct program program = {"[NAME]", "Attack the kernel by way of the processor.", nullptr};

enum { CROWD = 4 };

// Start this program for one attempt.
static long start(const char *name) {
    return role_start("attack", name, nullptr);
}

static bool ends_with(long process, const char *name, int expected) {
    long status = process_finish(process);
    if (status != expected) {
        print("%s: status %ld, not %d\n", name, status, expected);
    }
    return status == expected;
}

static int try_all(void) {
    unsigned good = 0;
    for (unsigned i = 0; i < attack_attempt_count; i++) {
        good += ends_with(start(attack_attempts[i].name), attack_attempts[i].name, STATUS_FAULTED);
    }
    unsigned held = 0;
    for (unsigned i = 0; i < attack_check_count; i++) {
        long crowd[CROWD];
        for (unsigned j = 0; j < CROWD; j++) {
            crowd[j] = start(attack_checks[i].name);
        }
        unsigned before = held;
        for (unsigned j = 0; j < CROWD; j++) {
            held += ends_with(crowd[j], attack_checks[i].name, 0);
        }
        held = held == before + CROWD ? before + 1 : before;
    }
    print("%u of %u attacks failed, %u of %u checks hold\n", good, attack_attempt_count, held, attack_check_count);
    return good != attack_attempt_count || held != attack_check_count;
}

int main(int argc, char **argv) {
    struct option_state state = option_begin(&program, argc, argv);
    (void)option_next(&state);
    option_operands(&state, 0, 1);
    if (state.argc == 0) {
        return try_all();
    }
    for (unsigned i = 0; i < attack_attempt_count; i++) {
        if (str_equal(attack_attempts[i].name, state.argv[0])) {
            attack_attempts[i].run();
        }
    }
    for (unsigned i = 0; i < attack_check_count; i++) {
        if (str_equal(attack_checks[i].name, state.argv[0])) {
            attack_checks[i].run();
        }
    }
    option_refuse("no attempt is called '%s'", state.argv[0]);
}
