// A test program in several processes: started again as itself, below /test, for another role.
#pragma once

#include "isthmus/calls.h"

// Start /test/NAME with those one or two words (the second may be nullptr), where this process writes. The process, or why not.
long role_start(const char *name, const char *word, const char *second);

// Serve a temporary channel at the path, and start /test/NAME with the word. 0, and both handles; or why not, which it has
// said.
long role_serve(const char *path, const char *name, const char *word, handle_t *channel, handle_t *process);
