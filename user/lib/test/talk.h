// A stand-in for lib/channel.h: a channel of one server and up to CLIENTS_MAX clients in memory, and a clock that moves
// only when somebody waits in vain. A client's connection handle is its number, from 1; the server's handle is 0.
#pragma once

#include "lib/channel.h"

enum { CLIENTS_MAX = 4, TALK_DEPTH = 4 };

extern uint64_t talk_now;

// Called when the server or a client waits for a message and there is none: may send some. Null: nobody comes.
extern void (*talk_idle)(void);

// The client closes: its queue goes, and the server receives a hang-up.
void talk_close(handle_t client);

// Put a message into a client's queue as if from the server, or with client 0 into the server's as if from client 1.
void talk_inject(handle_t client, const void *payload, size_t length, uint64_t id);
