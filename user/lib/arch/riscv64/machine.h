// What the library must know of this machine beyond the call instruction.
#pragma once

#include "elf/elf.h"

enum { MACHINE_ELF = ELF_MACHINE_RISCV };
