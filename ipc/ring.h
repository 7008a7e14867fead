// The transport primitive (RING-1..3): a bounded single-producer single-consumer queue of messages. Enqueue and dequeue
// are O(1), copy a message whole, never wait, never retry, never overwrite; full and empty are answers.
//
// Protocol. `tail` counts messages ever enqueued, `head` messages ever dequeued; tail - head is the number queued, so all
// slots are usable and no index is ambiguous. Only the producer writes tail, only the consumer writes head. The producer
// fills the slot and then stores tail with release; the consumer loads tail with acquire before it reads the slot, reads
// it, then stores head with release; the producer loads head with acquire before it reuses the slot. Each side keeps its
// own index in private memory and believes of the other's only a value that leaves 0..depth messages queued: anything
// else is a hostile peer (RING_CORRUPT), as is a length above the ring's message size.
//
// Storage. Slots lie in pages of RING_SLOTS_PER_PAGE, given by the owner through a table of pointers; a page may be
// missing until its first use. Kernel queues take pages on demand and, when the queue is empty, give back all but one and
// begin at slot 0 again (ring_rewind: both sides quiet, which the kernel lock grants).
#pragma once

#include "abi/abi.h"
#include "base/types.h"

struct ring_slot {
    uint32_t sender;   // pid, set by the kernel (RING-2)
    uint32_t length;   // bytes of payload
    uint64_t id;       // the application's
    uint64_t sequence; // place in the total order of the queue
    uint64_t sent_at;  // nanoseconds since boot
    uint64_t origin;   // which connection (to a server); 0 to a client
    uint64_t reserved;
    uint8_t payload[MESSAGE_MAX];
};

enum { RING_SLOTS_PER_PAGE = PAGE_SIZE / sizeof(struct ring_slot) };
