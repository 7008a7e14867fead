// Running what was parsed.
#pragma once

#include "abi/abi.h"
#include "lib/text.h"
#include "shell.h"
#include "syntax.h"

// Run a line's tree with these streams. The shell's status is that of the last command.
void run_tree(struct shell *shell, const struct streams *streams, const struct syntax *tree);

// Parse and run a whole text, line by line, until its end, `exit`, or an error in it, which is told (status
// SHELL_USAGE).
void run_text(struct shell *shell, const struct streams *streams, const char *text);

// Where the program `name` is, by the shell's PATH. 0 or an error.
[[nodiscard]] long run_search(const struct shell *shell, const char *name, char path[PATH_LEN_MAX + 1]);

// Read one line from the input stream, byte by byte where the rest of the input is somebody else's. 1: a line, 0: the
// end, negative: an error.
[[nodiscard]] long run_read_line(struct shell *shell, const struct streams *streams, struct text *line);
