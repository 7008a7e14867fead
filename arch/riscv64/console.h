// The console beyond the seam (arch_console_*): the firmware's until the serial line is known, then a 16550.
#pragma once

void riscv_console_init(void); // once the machine is read and the window can be filled
