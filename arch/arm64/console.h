#pragma once

#include "base/types.h"

void arm64_console_init(void);          // once: finds it in the device tree
unsigned arm64_console_interrupt(void); // its number; 0: none
