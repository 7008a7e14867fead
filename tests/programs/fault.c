// fault: break one rule of the machine, so that the kernel ends this process. Should the machine let it pass, the status
// is 3.
#include "base/bits.h"
#include "base/str.h"
#include "isthmus/calls.h"
#include "lib/option.h"
#include "lib/print.h"
#include "lib/self.h"

static const struct program program = {
    "null|kernel|noncanonical|write-text|execute-data|undefined|breakpoint|stack|jump", "Break a rule.", nullptr};

static volatile uint64_t sink;

// Forced out of the compiler's sight: it may assume that none of this happens.
static volatile uint64_t *hidden(uint64_t address) {
    __asm__ volatile("" : "+r"(address));
    return (volatile uint64_t *)address;
}

static void call_address(uint64_t address) {
    __asm__ volatile("" : "+r"(address));
    ((void (*)(void))address)();
}

[[gnu::noinline]] static uint64_t recurse(uint64_t depth) { // NOLINT(misc-no-recursion): that is the point
    volatile uint64_t frame[64] = {};
    frame[depth % 64] = depth;
    return depth == UINT64_MAX ? 0 : recurse(depth + 1) + frame[0];
}

int main(int argc, char **argv) {
    struct option_state state = option_begin(&program, argc, argv);
    (void)option_next(&state);
    option_operands(&state, 1, 1);
    const char *kind = state.argv[0];
    if (str_equal(kind, "null")) {
        sink = *hidden(8);
    } else if (str_equal(kind, "kernel")) {
        sink = *hidden(0xffffffff80200000u);
    } else if (str_equal(kind, "noncanonical")) {
        sink = *hidden((uint64_t)1 << 60);
    } else if (str_equal(kind, "write-text")) {
        *hidden(align_down((uint64_t)(uintptr_t)main, 8)) = 0;
    } else if (str_equal(kind, "execute-data")) {
        static uint64_t data[2];
        call_address((uint64_t)(uintptr_t)data);
    } else if (str_equal(kind, "undefined")) {
        __builtin_trap();
    } else if (str_equal(kind, "breakpoint")) {
        __builtin_debugtrap();
    } else if (str_equal(kind, "stack")) {
        sink = recurse(0);
    } else if (str_equal(kind, "jump")) {
        call_address((uint64_t)1 << 40);
    } else {
        option_refuse("no rule is called '%s'", kind);
    }
    print("nothing happened\n");
    return 3;
}
