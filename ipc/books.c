// The books (IPC-6.4). Every message is entered at once in three of them: its connection's, its channel's, the system's.
#include "ipc/channel_impl.h"

#include "kernel/include/arch.h"
#include "kernel/panic.h"

enum { BOOKS = 3 };

struct ipc_totals books_totals;

struct books {
    struct message_counts *book[BOOKS];
    unsigned count;
};

static struct books books_of(struct connection *connection, struct channel *channel, enum direction direction) {
    struct books books = {.book = {&books_totals.messages, &channel->counts[direction]}, .count = 2};
    if (connection != nullptr) {
        books.book[books.count++] = &connection->counts[direction];
    }
    return books;
}

void books_sent(struct connection *connection, struct channel *channel, enum direction direction, uint32_t length) {
    struct books books = books_of(connection, channel, direction);
    for (unsigned i = 0; i < books.count; i++) {
        struct message_counts *book = books.book[i];
        book->sent++;
        book->bytes_sent += length;
        if (++book->queued > book->high_water) {
            book->high_water = book->queued;
        }
    }
}

void books_received(struct connection *connection, struct channel *channel, enum direction direction, uint32_t length,
                    uint64_t sent_at) {
    uint64_t now = arch_time_now();
    uint64_t took = now > sent_at ? now - sent_at : 0;
    latency_add(&channel->latency, took);
    latency_add(&books_totals.latency, took);
    struct books books = books_of(connection, channel, direction);
    for (unsigned i = 0; i < books.count; i++) {
        struct message_counts *book = books.book[i];
        KASSERT(book->queued > 0);
        book->queued--;
        book->received++;
        book->bytes_received += length;
    }
}

void books_discarded(struct connection *connection, struct channel *channel, enum direction direction,
                     uint64_t number) {
    struct books books = books_of(connection, channel, direction);
    for (unsigned i = 0; i < books.count; i++) {
        struct message_counts *book = books.book[i];
        KASSERT(book->queued >= number);
        book->queued -= number;
        book->discarded += number;
    }
}

void books_rejected(struct connection *connection, struct channel *channel, enum direction direction) {
    struct books books = books_of(connection, channel, direction);
    for (unsigned i = 0; i < books.count; i++) {
        books.book[i]->rejected++;
    }
}

void ipc_get_totals(struct ipc_totals *totals) {
    *totals = books_totals;
}
