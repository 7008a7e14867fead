// Room in a channel's full inbound queue: who waits for it, and who is told when there is some (IPC-2.4).
//
// Whoever asks a connection whether it is writable, and finds the queue full, stands in line with that connection; nobody
// parks without having asked. When there is room, as many waiters are woken as there are free slots, longest in line
// first. Each is invited: until it sends, its slot is spoken for, so that a later look wakes nobody else for it. An
// invitation reserves nothing: another client may be faster, and who finds the queue full again stands in line again.
//
// Who was woken need not send. So an invitation ends with the connection's end, with its finish, when it stands in line
// again; and those that were made since somebody was first invited end together when their time is over. Then the next
// in line are told of what is free. Hence nobody waits for long for a slot that nobody takes: while there is a line and
// more room than invitations, a sweep is queued; while there are a line, room and invitations, the timer runs.
#include "ipc/channel_impl.h"

#include "kernel/cpu.h"
#include "kernel/panic.h"
#include "kernel/wait.h"

static constexpr uint64_t INVITATION = 10000000; // at most so many nanoseconds: a turn among equals is as long
enum { INVITED_AT_ONCE = 8 };                    // waiters of one connection

static uint32_t invitations(const struct connection *connection) {
    return connection->round == connection->channel->round ? connection->invited : 0;
}

static void invite(struct connection *connection, uint32_t number) {
    struct channel *channel = connection->channel;
    if (channel->invited == 0) {
        channel->lapses = arch_time_now() + INVITATION;
    }
    connection->invited = invitations(connection) + number;
    connection->round = channel->round;
    channel->invited += number;
    channel_unsettle(channel);
}

static void withdraw(struct connection *connection, uint32_t number) {
    KASSERT(connection->channel->invited >= number);
    connection->channel->invited -= number;
    connection->invited -= number;
}

// Free slots that nobody is invited to.
static uint32_t room(const struct channel *channel) {
    uint32_t free = queue_depth(&channel->inbound) - queue_count(&channel->inbound);
    return free > channel->invited ? free - channel->invited : 0;
}

void room_init(struct channel *channel) {
    list_init(&channel->starved);
    channel->round = 1; // of no connection yet
    list_init(&channel->lapse.link);
}

void room_await(struct connection *connection) {
    struct channel *channel = connection->channel;
    withdraw(connection, invitations(connection));
    if (!list_is_linked(&connection->starved)) {
        list_push_back(&channel->starved, &connection->starved);
        channel_unsettle(channel);
    }
}

void room_taken(struct connection *connection) {
    if (invitations(connection) > 0) {
        withdraw(connection, 1);
    }
}

void room_leave(struct connection *connection) {
    struct channel *channel = connection->channel;
    list_remove(&connection->starved);
    withdraw(connection, invitations(connection));
    if (!list_empty(&channel->starved)) {
        channel_sweep(channel);
    }
}

void room_forget_invitations(struct channel *channel) {
    channel->invited = 0;
    channel->round++;
}

static void lapsed(struct timer_entry *entry) {
    channel_sweep(container_of(entry, struct channel, lapse));
}

static void await_lapse(struct channel *channel) {
    struct cpu *cpu = arch_cpu_current();
    channel->lapse.expired = lapsed;
    timer_add(cpu, &channel->lapse, channel->lapses);
    cpu_arm(cpu, timer_due(channel->lapses));
}

bool room_tell(struct channel *channel, unsigned *budget) {
    if (channel->invited > 0 && arch_time_now() >= channel->lapses) {
        room_forget_invitations(channel);
    }
    for (uint32_t free; !list_empty(&channel->starved) && (free = room(channel)) > 0; --*budget) {
        if (*budget == 0) {
            return false;
        }
        struct connection *first = container_of(list_first(&channel->starved), struct connection, starved);
        list_remove(&first->starved);
        unsigned limit = free < INVITED_AT_ONCE ? free : INVITED_AT_ONCE;
        unsigned woken = object_notify_some(&first->object, EVENT_WRITABLE, limit);
        channel_raise(&first->object, EVENT_WRITABLE, 0, 0);
        invite(first, woken);
        if (woken == limit && !list_empty(&first->object.waiters)) {
            list_push_back(&channel->starved, &first->starved);
        }
    }
    bool blocked = !list_empty(&channel->starved) && !queue_full(&channel->inbound);
    if (blocked && !timer_pending(&channel->lapse)) {
        await_lapse(channel);
    }
    return true;
}
