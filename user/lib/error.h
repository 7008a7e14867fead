// Errors as people read them. Names and sentences come from the ABI table.
#pragma once

#include "abi/abi.h"
#include "base/types.h"

// "ERR_NOT_FOUND" for ERR_NOT_FOUND; "unknown error" for a status that is none.
const char *error_name(long status);

// The sentence of the ABI table: "no node has this path".
const char *error_text(long status);

// Tell standard error "PROGRAM: SUBJECT: sentence" (subject null: "PROGRAM: sentence"). Gives back 1, the exit status
// of a program that failed, so that `return error_report(path, status);` ends main.
int error_report(const char *subject, long status);

// The same with a sentence of the program's own.
[[gnu::format(printf, 1, 2)]] int error_say(const char *format, ...);
