// The books (IPC-6.4). Every message is entered at once in three of them: its queue's own (queue.h), the system's, and one
// more: that of its connection if it goes to the servers, that of its channel if it goes to a client. What the fast paths
// sent is in the system's book when it is read.
#include "ipc/channel_impl.h"

#include "kernel/cpu.h"
#include "kernel/include/arch.h"
#include "kernel/panic.h"

struct ipc_totals books_totals;
struct system_books books_system;

// Both of them that are not the queue's.
enum { BOOKS = 2 };
struct books {
    struct book *book[BOOKS];
};

static struct books books_of(struct connection *connection, struct channel *channel, enum direction direction) {
    return (struct books){{&books_system.messages, direction == INBOUND ? &connection->sent : &channel->answers}};
}

void books_sent(struct connection *connection, struct channel *channel, enum direction direction, uint32_t length) {
    struct books books = books_of(connection, channel, direction);
    for (unsigned i = 0; i < BOOKS; i++) {
        struct book *book = books.book[i];
        book->sent++;
        book->bytes_sent += length;
        if (book->below_high == 0) {
            book->high_water++;
        } else {
            book->below_high--;
        }
    }
}

void books_received(struct connection *connection, struct channel *channel, enum direction direction, uint32_t length,
                    uint64_t sent_at) {
    uint64_t now = arch_stamp();
    uint64_t took = now > sent_at ? arch_ticks_time(now - sent_at) : 0;
    latency_add(&channel->latency, took);
    latency_add(&books_system.latency, took);
    struct books books = books_of(connection, channel, direction);
    for (unsigned i = 0; i < BOOKS; i++) {
        struct book *book = books.book[i];
        KASSERT(book->below_high < book->high_water);
        book->below_high++;
        book->bytes_received += length;
    }
}

static void discarded(struct book *book, uint32_t number) {
    book->below_high += number;
    KASSERT(book->below_high <= book->high_water);
    book->discarded += number;
}

void books_discarded(struct channel *channel, enum direction direction, uint32_t number) {
    discarded(&books_system.messages, number);
    if (direction == OUTBOUND) {
        discarded(&channel->answers, number);
    }
}

void books_rejected(struct connection *connection, struct channel *channel, enum direction direction) {
    struct books books = books_of(connection, channel, direction);
    for (unsigned i = 0; i < BOOKS; i++) {
        books.book[i]->rejected++;
    }
    if (direction == INBOUND) {
        channel->inbound.rejected++;
    } else if (connection != nullptr) {
        connection->outbound.rejected++;
    }
}

// ---- reading -----------------------------------------------------------------------------------------------------------

struct message_counts book_counts(const struct book *book) {
    uint64_t queued = book->high_water - book->below_high;
    return (struct message_counts){
        .sent = book->sent,
        .received = book->sent - book->discarded - queued,
        .queued = queued,
        .discarded = book->discarded,
        .rejected = book->rejected,
        .bytes_sent = book->bytes_sent,
        .bytes_received = book->bytes_received,
        .high_water = book->high_water,
    };
}

struct message_counts queue_counts(const struct queue *queue) {
    uint64_t sent = queue_last_sequence(queue);
    uint32_t queued = queue_count(queue);
    return (struct message_counts){
        .sent = sent,
        .received = sent - queue->discarded - queued,
        .queued = queued,
        .discarded = queue->discarded,
        .rejected = queue->rejected,
        .bytes_sent = queue->bytes_sent,
        .bytes_received = queue->bytes_received,
        .high_water = queue->high_water,
    };
}

void ipc_get_totals(struct ipc_totals *totals) {
    struct book messages = books_system.messages;
    messages.sent += cpu_count_total(COUNT_FAST_SEND);
    *totals = books_totals;
    totals->messages = book_counts(&messages);
    totals->latency = books_system.latency;
}
