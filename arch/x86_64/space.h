// Figures of the address spaces beyond the seam.
#pragma once

#include "base/types.h"

uint64_t x86_pcid_count(void); // in use
