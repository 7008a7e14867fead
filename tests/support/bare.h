// The lowest parts of the core without a boot: memory, CPU 0 and the kernel lock, in the hands of the test.
#pragma once

#include "host.h"

void bare_boot(const struct host_options *options);
