// chmod: change permission bits.
#include "lib/error.h"
#include "lib/file.h"
#include "lib/option.h"

static const struct program program = {
    "MODE PATH…",
    "Change permission bits. MODE is octal (644) or symbolic: [ugoa][+-=][rwx], several separated by commas.", nullptr};

static bool parse_octal(const char *text, uint32_t *mode) {
    uint32_t value = 0;
    if (*text == 0) {
        return false;
    }
    for (; *text != 0; text++) {
        if (*text < '0' || *text > '7' || value > 0777 / 8) {
            return false;
        }
        value = value * 8 + (uint32_t)(*text - '0');
    }
    *mode = value;
    return true;
}

// Apply one clause such as `go-w` to *mode; gives the position behind it, or null.
static const char *apply_clause(const char *text, uint32_t *mode) {
    uint32_t who = 0;
    for (;; text++) {
        if (*text == 'u') {
            who |= 0700;
        } else if (*text == 'g') {
            who |= 0070;
        } else if (*text == 'o') {
            who |= 0007;
        } else if (*text == 'a') {
            who |= 0777;
        } else {
            break;
        }
    }
    char sign = *text;
    if (sign != '+' && sign != '-' && sign != '=') {
        return nullptr;
    }
    uint32_t bits = 0;
    for (text++; *text == 'r' || *text == 'w' || *text == 'x'; text++) {
        bits |= *text == 'r' ? 0444 : *text == 'w' ? 0222 : 0111;
    }
    who = who == 0 ? 0777 : who;
    if (sign == '=') {
        *mode &= ~who;
    }
    *mode = sign == '-' ? *mode & ~(bits & who) : *mode | (bits & who);
    return text;
}

static bool apply(const char *text, uint32_t *mode) {
    if (parse_octal(text, mode)) {
        return true;
    }
    do {
        text = apply_clause(text, mode);
    } while (text != nullptr && *text++ == ',');
    return text != nullptr && text[-1] == 0;
}

int main(int argc, char **argv) {
    struct option_state state = option_begin(&program, argc, argv);
    if (argc > 1 && argv[1][0] == '-' && argv[1][1] == '-') { // -w and the like are modes
        (void)option_next(&state);
    }
    option_operands(&state, 2, argc);
    uint32_t mode = 0;
    if (!apply(state.argv[0], &mode)) {
        option_refuse("'%s' is not a mode", state.argv[0]);
    }
    int status = 0;
    for (int i = 1; i < state.argc; i++) {
        struct abi_stat stat;
        long changed = file_stat(state.argv[i], &stat);
        mode = stat.mode;
        if (changed == 0) {
            (void)apply(state.argv[0], &mode);
            changed = file_set_mode(state.argv[i], mode);
        }
        if (changed < 0) {
            status = error_report(state.argv[i], changed);
        }
    }
    return status;
}
