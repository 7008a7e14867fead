// Where a program begins, in C: the port's _start calls this on the first thread's stack with the bootstrap record.
#include "isthmus/calls.h"
#include "lib/print.h"
#include "lib/self.h"

int main(int argc, char **argv);

enum { EXIT_NO_BOOTSTRAP = 127, ARGUMENTS_MAX = 4096 };

[[noreturn]] void start_program(const struct abi_bootstrap *record);

void start_program(const struct abi_bootstrap *record) {
    if (!self_init(record) || self_argc() > ARGUMENTS_MAX) {
        static const char complaint[] = "started without a bootstrap record";
        (void)sys_debug_print(complaint, sizeof complaint - 1);
        program_exit(EXIT_NO_BOOTSTRAP);
    }
    int argc = (int)self_argc();
    char *argv[argc + 1]; // bounded above; the strings themselves stay in the record
    for (int i = 0; i < argc; i++) {
        argv[i] = self_arg((unsigned)i);
        if (argv[i] == nullptr) {
            argc = i;
        }
    }
    argv[argc] = nullptr;
    program_exit(main(argc, argv));
}
