// mkchan: make a channel that nobody serves yet: a mailbox, which takes messages until it is full.
#include "lib/channel.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/option.h"

static const struct option options[] = {{'d', "depth", "N", "messages that each queue holds, 256 if not given"},
                                        {'s', "size", "N", "largest message in bytes, 256 if not given"},
                                        {'m', "mode", "MODE", "permission bits in octal, 766 if not given"},
                                        {}};
static const struct program program = {
    "[-d DEPTH] [-s SIZE] [-m MODE] PATH…",
    "Make channels. They take messages until they are full; a server may come later (recv -s).", options};

static uint32_t parse_mode(const char *text) {
    uint32_t value = 0;
    for (const char *at = text; *at != 0; at++) {
        if (*at < '0' || *at > '7' || value > 0777 / 8) {
            option_refuse("'%s' is not an octal mode from 1 to 777", text);
        }
        value = value * 8 + (uint32_t)(*at - '0');
    }
    return value;
}

int main(int argc, char **argv) {
    struct abi_channel_config config = {};
    struct option_state state = option_begin(&program, argc, argv);
    for (int option; (option = option_next(&state)) != 0;) {
        if (option == 'd') {
            config.depth = (uint32_t)option_number(&state, 1, CHANNEL_DEPTH_MAX);
        } else if (option == 's') {
            config.message_max = (uint32_t)option_number(&state, 1, MESSAGE_MAX);
        } else {
            config.mode = parse_mode(state.value);
        }
    }
    option_operands(&state, 1, argc);
    int status = 0;
    for (int i = 0; i < state.argc; i++) {
        long channel = channel_serve(state.argv[i], &config);
        if (channel < 0) {
            status = error_report(state.argv[i], channel);
        } else {
            file_close((handle_t)channel);
        }
    }
    return status;
}
