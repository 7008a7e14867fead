// Input line by line from any handle: a file, a device, or a source of messages whose boundaries then do not matter.
#pragma once

#include "abi/abi.h"
#include "base/types.h"
#include "lib/text.h"

enum { READER_LINE_MAX = 1 << 20 };

struct reader {
    handle_t handle;
    size_t start;
    size_t end;
    char buffer[1024];
};

// Begin reading from a handle, which stays the caller's.
void reader_init(struct reader *reader, handle_t handle);

// The next line, without its newline, into `line` (replaced). 1: a line, 0: the end of the input, negative: an error;
// ERR_TOO_BIG for a line longer than READER_LINE_MAX.
// A last line without a newline counts as a line.
[[nodiscard]] long reader_line(struct reader *reader, struct text *line);
