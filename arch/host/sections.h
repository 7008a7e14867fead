// Put in front of every source of the core in a host build: gathers its variables, so that a new virtual machine can
// begin with what the program began with (start.c).
#pragma clang section bss = "isthmus_bss" data = "isthmus_data"
