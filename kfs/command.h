// The words of commands that are written to files.
#pragma once

#include "base/types.h"

// "mode 0644": nine bits in octal.
[[nodiscard]] bool command_mode(const char *command, uint32_t *mode);
// "word", or "word N" with a number that fits 32 bits and may be negative; absent stands for no number.
[[nodiscard]] bool command_number(const char *command, const char *word, int32_t absent, int32_t *number);
