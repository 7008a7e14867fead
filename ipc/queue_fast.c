// The fast paths of send and recv, for messages from a client to its servers. What is done here is what message.c, queue.c
// and books.c do, and only if all of this holds, in this order:
//
//   1 nobody else is in the kernel
//   2 the handle is good: send, a connection with RIGHT_WRITE; recv, a channel with RIGHT_READ
//   3 the message concerns nobody but who makes the call (channel->fast_epoch, waiters, watchers); send: the connection is
//     attached to its servers and not finished, the channel not removed
//   4 send: the message is not too long; the queue would not hold more than ever before, nor do the other books; its slot
//           is in memory, and the next one on the same page
//     recv: there is a message; it fits; the consumer stays on its page
//   5 the user's memory is there
//   6 recv: no message of this channel took longer
//
// The payload is copied before anything changes: what a fault leaves behind is in a free slot, or in the buffer that the
// general path then fills.
//
// The property that the two paths are one: tests/host/fast_test.c.
#include "ipc/channel_impl.h"
#include "kernel/fast.h"

#define REFUSE_SEND(id) FAST_UNLOCK_LEAVE(CALL_SEND, a0, a1, a2, id, 0, 0)
#define REFUSE_RECV     FAST_UNLOCK_LEAVE(CALL_RECV, a0, a1, a2, 0, 0, 0)

// Whether nobody watches an object.
[[gnu::always_inline]] static inline bool unwatched(const struct object *object) {
    return object->watched.watches.next == nullptr;
}

struct fast_answer FAST_PATH(send)(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5) {
    if (a4 != 0) {
        FAST_LEAVE(CALL_SEND, a0, a1, a2, a3, a4, a5);
    }
    FAST_LOCK(CALL_SEND, a0, a1, a2, a3, 0, 0);
    struct thread *self = FAST_CPU(current);
    struct process *process = self->process;
    struct object *object = fast_object(self, process, a0, HANDLE_SEND);
    if (FAST_RARE(object == nullptr)) {
        REFUSE_SEND(a3);
    }
    struct connection *connection = connection_of(object);
    struct channel *channel = connection->channel;
    if (connection->call_epoch != channel->fast_epoch || !unwatched(&channel->object) ||
        !list_empty(&channel->object.waiters)) {
        REFUSE_SEND(a3);
    }
    struct queue *queue = &channel->inbound;
    struct ring_end *end = &queue->producer.end;
    struct ring_slot *slot = end->slot;
    if (a2 > end->message_max || end->own == end->limit || slot == end->last || connection->sent.below_high == 0 ||
        books_system.messages.below_high == 0) {
        REFUSE_SEND(a3);
    }
    // Into a slot that is free until it is published. From here on what this path needs is read from memory again, so that
    // all of it is in registers that it need not save.
    slot->header.sender = process->pid;
    slot->header.length = (uint32_t)a2;
    slot->header.id = a3;
    slot->header.origin = (uintptr_t)connection;
    uint8_t *payload = slot->payload;
    if (!arch_fast_copy_in(payload, a1, a2)) {
        a0 = FAST_CPU(current)->last_given->value;
        slot = container_of(payload, struct ring_slot, payload[0]);
        a2 = slot->header.length;
        REFUSE_SEND(slot->header.id);
    }
    slot = container_of(payload, struct ring_slot, payload[0]);
    slot->header.sent_at = arch_stamp();
    uint64_t own = end->own + 1, length = slot->header.length;
    end->own = own;
    end->slot = slot + 1;
    queue->bytes_sent += length;
    connection->sent.sent++;
    connection->sent.below_high--;
    connection->sent.bytes_sent += length;
    books_system.messages.below_high--;
    books_system.messages.bytes_sent += length;
    process->calls++;
    FAST_CPU(count[COUNT_FAST_SEND])++;
    FAST_STAY(FAST_CPU(current), 0, own);
}

struct fast_answer FAST_PATH(recv)(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t, uint64_t, uint64_t) {
    FAST_LOCK(CALL_RECV, a0, a1, a2, 0, 0, 0);
    struct thread *self = FAST_CPU(current);
    struct process *process = self->process;
    struct object *object = fast_object(self, process, a0, HANDLE_SERVE);
    if (FAST_RARE(object == nullptr)) {
        REFUSE_RECV;
    }
    struct channel *channel = container_of(object, struct channel, object);
    if (channel->fast_epoch == 0 || !unwatched(&channel->object)) {
        REFUSE_RECV;
    }
    struct queue *queue = &channel->inbound;
    struct ring_end *end = &queue->consumer.end, *producer = &queue->producer.end;
    struct ring_slot *slot = end->slot;
    uint64_t own = end->own;
    if (own == producer->own || slot == end->last) {
        REFUSE_RECV;
    }
    if (slot->header.length > a2 || !arch_fast_copy_out(a1, slot->payload, slot->header.length)) {
        a0 = FAST_CPU(current)->last_taken->value;
        REFUSE_RECV;
    }
    uint64_t now = arch_stamp(), sent_at = slot->header.sent_at;
    if (now < sent_at) {
        REFUSE_RECV;
    }
    uint64_t took = arch_ticks_time(now - sent_at);
    if (took > channel->latency.usual) {
        REFUSE_RECV;
    }
    if (++own != producer->own) {
        end->slot = slot + 1;
    } else { // begin again
        struct ring_slot *first = queue->only;
        if (first == nullptr) {
            REFUSE_RECV;
        }
        end->slot = first;
        producer->slot = first;
    }
    end->own = own;
    producer->limit++;
    uint64_t bucket = arch_fast_width(took); // latency_bucket
    channel->latency.bucket[bucket]++;
    channel->latency.sum += took;
    books_system.latency.bucket[bucket]++;
    books_system.latency.sum += took;
    struct connection *connection = (struct connection *)slot->header.origin;
    uint64_t length = slot->header.length;
    queue->bytes_received += length;
    connection->sent.below_high++;
    connection->sent.bytes_received += length;
    books_system.messages.below_high++;
    books_system.messages.bytes_received += length;
    process->calls++;
    FAST_CPU(count[COUNT_FAST_RECV])++;
    FAST_STAY_WORDS(FAST_CPU(current), length, slot->header.sender, slot->header.id, connection->node.id, own);
}
