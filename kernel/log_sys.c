#include "kernel/log.h"

#include "abi/calls.h"
#include "kernel/process.h"
#include "kernel/thread.h"

enum { DEBUG_PRINT_MAX = 255 };

long sys_debug_print(struct thread *self, user_ptr_t text, uint64_t length) {
    char line[DEBUG_PRINT_MAX + 1];
    if (length == 0 || length > DEBUG_PRINT_MAX) {
        return ERR_INVALID;
    }
    status_t status = user_copy_in(line, text, length);
    if (status < 0) {
        return status;
    }
    for (uint64_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)line[i];
        if (c < ' ' || c == 0x7f) {
            line[i] = '.';
        }
    }
    line[length] = '\0';
    log_print("%s: %s", self->process->name, line);
    return 0;
}
