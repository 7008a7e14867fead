// What this process was started with: the bootstrap record, checked and taken apart once. A process can reach nothing
// but what is named here. Everything stays valid for the life of the process.
#pragma once

#include "abi/abi.h"
#include "base/types.h"

handle_t self_root(void);    // the root directory: this process's namespace
handle_t self_process(void); // the process itself
handle_t self_input(void);   // standard input, 0 for none
handle_t self_output(void);  // standard output, 0 for none
handle_t self_error(void);   // standard error, 0 for none

// The name that the process was started by: its first argument without directories, or "?" if it has none.
const char *self_name(void);

// The current directory: a normalised absolute path.
const char *self_cwd(void);

// Make `path` (relative to the current directory, or absolute) the current directory. ERR_NAME_TOO_LONG, ERR_NOT_FOUND,
// ERR_NOT_DIR, ERR_ACCESS or whatever else opening it gives.
[[nodiscard]] long self_chdir(const char *path);

// The value of NAME in the environment, or null.
const char *self_env(const char *name);

// The n-th NAME=value string of the environment, from 0; null behind the last.
const char *self_env_at(unsigned index);

// The further handles that the spawner gave.
unsigned self_handle_count(void);
handle_t self_handle(unsigned index); // 0 when there is no such handle

// Take the bootstrap record apart. Called once by start.c; false if the record is not one.
bool self_init(const struct abi_bootstrap *record);

// The index-th argument string; null behind the last.
unsigned self_argc(void);
char *self_arg(unsigned index);
