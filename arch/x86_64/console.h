// The serial console's own beginning; everything else about it is in the seam (arch_console_*).
#pragma once

void x86_console_init(void); // first of all
