#include "role.h"

#include "base/format.h"
#include "lib/channel.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/self.h"
#include "lib/spawn.h"

long role_start(const char *name, const char *word, const char *second) {
    char path[64];
    if (format(path, sizeof path, "/test/%s", name) >= sizeof path) {
        return ERR_NAME_TOO_LONG;
    }
    char *const arguments[] = {(char *)name, (char *)word, (char *)second, nullptr};
    return spawn_program(
        &(struct spawn){.path = path, .arguments = arguments, .output = self_output(), .error = self_error()});
}

long role_serve(const char *path, const char *name, const char *word, handle_t *channel, handle_t *process) {
    const struct abi_channel_config config = {.flags = CHANNEL_TEMPORARY};
    long served = channel_serve(path, &config);
    if (served < 0) {
        error_report(path, served);
        return served;
    }
    long started = role_start(name, word, nullptr);
    if (started < 0) {
        error_report(name, started);
        file_close((handle_t)served);
        return started;
    }
    *channel = (handle_t)served;
    *process = (handle_t)started;
    return 0;
}
