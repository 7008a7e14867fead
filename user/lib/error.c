// Error messages.
#include "lib/error.h"

#include <stdarg.h>

#include "lib/print.h"
#include "lib/self.h"

const char *error_name(long status) {
    const char *name = status < 0 ? abi_error_name(status) : nullptr;
    return name == nullptr ? "unknown error" : name;
}

const char *error_text(long status) {
    const char *text = status < 0 ? abi_error_text(status) : nullptr;
    return text == nullptr ? "unknown error" : text;
}

int error_report(const char *subject, long status) {
    if (subject == nullptr) {
        print_error("%s: %s\n", self_name(), error_text(status));
    } else {
        print_error("%s: %s: %s\n", self_name(), subject, error_text(status));
    }
    return 1;
}

int error_say(const char *format, ...) {
    va_list args;
    va_start(args, format);
    print_error_args(format, args);
    va_end(args);
    return 1;
}
