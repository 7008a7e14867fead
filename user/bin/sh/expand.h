// From words as they are written to what a command gets: parameters, substitutions, arithmetic, splitting at blanks,
// file names by pattern, quotes removed; in that order, as in other shells.
#pragma once

#include "glob.h"
#include "shell.h"
#include "syntax.h"

// Append what a list of words expands to. False after an error, which has been told.
[[nodiscard]] bool expand_words(struct shell *shell, const struct streams *streams, const struct word *words,
                                struct arena *arena, struct strings *fields);

// What one word expands to as one text, without splitting and file names: for assignments, targets of redirections, the
// word of a case. Null after an error, which has been told.
char *expand_text(struct shell *shell, const struct streams *streams, const struct word *word, struct arena *arena);

// The same as a pattern for pattern_glob: quoted special characters have a backslash before them.
char *expand_pattern(struct shell *shell, const struct streams *streams, const struct word *word, struct arena *arena);
