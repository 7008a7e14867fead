// Transcripts on the host port: a machine whose first actor is init and whose partner is a puppet.
#pragma once

#include "machine.h"
#include "transcript.h"

typedef void on_host_line(void *context, const char *text);

// Make the transcript of a seed on the machine that is on. The partner is made by the first one after each boot.
bool on_host_run(uint64_t seed, unsigned count, on_host_line *line, void *context);
// Switch a machine on for that.
void on_host_boot(unsigned cpus, struct property *property);
