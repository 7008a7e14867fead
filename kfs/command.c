#include "kfs/command.h"

#include "base/str.h"

// What follows the word and one blank or more; the end of the text if nothing follows; null if it is another word.
static const char *argument_of(const char *command, const char *word) {
    if (!str_starts(command, word)) {
        return nullptr;
    }
    command += strlen(word);
    if (*command != '\0' && *command != ' ') {
        return nullptr;
    }
    while (*command == ' ') {
        command++;
    }
    return command;
}

bool command_mode(const char *command, uint32_t *mode) {
    const char *digits = argument_of(command, "mode");
    if (digits == nullptr || *digits == '\0') {
        return false;
    }
    uint32_t value = 0;
    for (; *digits != '\0'; digits++) {
        if (*digits < '0' || *digits > '7') {
            return false;
        }
        value = value << 3 | (uint32_t)(*digits - '0');
        if (value > 0777) {
            return false;
        }
    }
    *mode = value;
    return true;
}

bool command_number(const char *command, const char *word, int32_t absent, int32_t *number) {
    const char *digits = argument_of(command, word);
    if (digits == nullptr) {
        return false;
    }
    if (*digits == '\0') {
        *number = absent;
        return true;
    }
    bool negative = *digits == '-';
    uint64_t value;
    if (!str_to_u64(digits + (negative ? 1 : 0), &value) || value > (uint64_t)INT32_MAX + (negative ? 1 : 0)) {
        return false;
    }
    *number = (int32_t)(negative ? -(int64_t)value : (int64_t)value);
    return true;
}
