// Two small pattern languages over zero-terminated text: the one of grep, and the one of file names in the shell.
#pragma once

#include "base/types.h"

// grep's: . any character; [abc] [a-z] [^…] one of a set; x* any number of the x before; ^ and $ the ends; \c the
// character c itself. Anything else is itself.

// Whether a pattern is complete: no \ at the end, every [ has its ].
bool pattern_valid(const char *pattern);

// Whether a valid pattern matches somewhere in `text`. Time grows with the length of the text to the power of the
// number of stars at worst, which is harmless for lines that people write patterns for; recursion is as deep as there
// are stars.
bool pattern_search(const char *pattern, const char *text, bool ignore_case);

// The shell's: * any text, ? any character, [set] one of a set ([!…] or [^…]: none of it), \c the character c itself. A
// [ without its ] is itself. The whole text must match.
bool pattern_match(const char *pattern, const char *text);

// The same for a file's name: a leading dot must be written out.
bool pattern_glob(const char *pattern, const char *name);
