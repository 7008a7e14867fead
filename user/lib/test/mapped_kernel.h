// A stand-in for the kernel below lib/mapped.h: one mapped channel with a queue each way per client, and waiting at them;
// safe between threads. The server's handle is MAPPED_SERVER, a client's that plus its number.
#pragma once

#include "abi/abi.h"

enum { MAPPED_SERVER = 1, MAPPED_CLIENTS = 64, MAPPED_QUEUE = 8 };

// The calls of one thread are those of this client, or of the server (0): whose rings map gives, what connect makes.
void mapped_kernel_reset(void);
handle_t mapped_kernel_client(unsigned client); // the next connect makes this one
struct abi_ring_pair *mapped_kernel_rings(unsigned client);
void mapped_kernel_server_gone(void);
void mapped_kernel_fail(unsigned nth);  // the nth send, attach or map from now on finds no memory; 0: none
unsigned mapped_kernel_mappings(void);  // alive
unsigned mapped_kernel_doorbells(void); // messages sent so far
