// Tab completion of commands and paths.
#pragma once

#include "editor.h"
#include "shell.h"

// For editor->complete, with the shell as context: the word before the cursor is completed as a command where a command
// begins, and as a path everywhere else.
void complete_word(void *shell, const char *line, size_t cursor, struct editor_completion *completion);
