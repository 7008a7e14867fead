// What must hold whenever no CPU is inside the kernel: books that add up, lists and counters that say the same, states that
// fit each other.
#include "ipc/call.h"
#include "ipc/channel_impl.h"
#include "ipc/notifier_impl.h"
#include "kernel/cpu.h"
#include "kernel/process.h"
#include "kernel/thread.h"
#include "machine_impl.h"

static uint64_t length_of(const struct list *list) {
    uint64_t length = 0;
    list_for_each(link, list) {
        length++;
    }
    return length;
}

// ---- messages --------------------------------------------------------------------------------------------------------

static void check_counts(const char *what, const struct message_counts *counts) {
    if (counts->sent != counts->received + counts->queued + counts->discarded || counts->queued > counts->high_water) {
        machine_fail("%s: sent %llu, received %llu, queued %llu (at most %llu), discarded %llu", what,
                     (unsigned long long)counts->sent, (unsigned long long)counts->received,
                     (unsigned long long)counts->queued, (unsigned long long)counts->high_water,
                     (unsigned long long)counts->discarded);
    }
}

static void check_queue(const struct queue *queue) {
    uint32_t count = queue_count(queue);
    require(count <= queue->high_water && queue->high_water <= queue_depth(queue));
    require(queue->closed || queue->producer.end.limit == queue->consumer.end.own + queue->high_water);
    require(!queue->closed || count == 0);
    require(count == 0 || queue->page != nullptr);
    require(queue->only == nullptr || queue->only == queue->page[0]);
}

// What the channel keeps of its connections.
struct sums {
    uint64_t open, full, invited, starved, quiet_or_untold, sent_queued, answers_queued;
};

static void check_connection(const struct channel *channel, const struct connection *connection, struct sums *sums) {
    require(connection->channel == channel && connection->channel_id == channel->node.id);
    struct connection_info info;
    connection_get_info(connection, &info);
    check_counts("a connection, to its client", &info.outbound);
    check_counts("a connection, to the servers", &info.inbound);
    check_queue(&connection->outbound);
    require(connection->outbound.closed == connection->hung_up);
    sums->open += !connection->hung_up;
    sums->full += connection_attached(connection) && queue_full(&connection->outbound);
    sums->invited += connection->round == channel->round ? connection->invited : 0;
    sums->starved += list_is_linked(&connection->starved);
    sums->quiet_or_untold += list_is_linked(&connection->told);
    sums->sent_queued += info.inbound.queued;
    sums->answers_queued += info.outbound.queued;
    require(!connection->hung_up || !list_is_linked(&connection->starved));
    require(!list_is_linked(&connection->hang_up) || connection->hung_up || connection->finished);
    bool current = connection->call_epoch == channel->call_epoch;
    require(connection->hung_up ||
            current == (connection_attached(connection) && !connection->finished && !channel->removed));
}

// Who waits, and who is to be told: nobody waits for what is there.
static void check_lists(const struct channel *channel, const struct sums *sums) {
    require_equal(channel->open, sums->open);
    require_equal(channel->full, sums->full);
    require_equal(channel->invited, sums->invited);
    require_equal(length_of(&channel->starved), sums->starved);
    require_equal(length_of(&channel->quiet) + length_of(&channel->untold), sums->quiet_or_untold);
    require_equal(sums->quiet_or_untold, sums->open);
    uint64_t free = queue_depth(&channel->inbound) - queue_count(&channel->inbound);
    if (sums->starved > 0) {
        require(free <= channel->invited || channel->sweeping);
        require(free == 0 || channel->sweeping || timer_pending(&channel->lapse));
    }
    require(list_empty(&channel->untold) || channel->sweeping);
    bool to_tell = !list_empty(&channel->calls.lost_callers) || !list_empty(&channel->calls.lost_servers) ||
                   !list_empty(&channel->calls.sought_servers);
    require(!to_tell || channel->sweeping);
    require_equal(channel->calls.in_turn, length_of(&channel->calls.turn) + length_of(&channel->calls.lost_callers));
    require((channel->calls.spot == &call_crowd) == !list_empty(&channel->calls.turn));
    if (channel->fast_epoch != 0) {
        require_equal(channel->fast_epoch, channel->call_epoch);
        require(sums->starved == 0 && channel->invited == 0 && list_empty(&channel->hang_ups) &&
                list_empty(&channel->calls.listening));
    }
}

static void check_messages(void) {
    struct ipc_totals totals;
    ipc_get_totals(&totals);
    check_counts("all channels", &totals.messages);
    require_equal(latency_messages(&totals.latency), totals.messages.received);
    uint64_t channels = 0, connections = 0, queued = 0;
    for (struct channel *channel = channel_after(0); channel != nullptr; channels++) {
        struct channel_info info;
        channel_get_info(channel, &info);
        check_counts("a channel, inbound", &info.inbound);
        check_counts("a channel, outbound", &info.outbound);
        check_queue(&channel->inbound);
        require_equal(channel->inbound.closed, channel->drained);
        require_equal(latency_messages(&channel->latency), info.inbound.received + info.outbound.received);
        struct sums sums = {};
        uint64_t last = 0;
        for (struct connection *connection; (connection = connection_after(channel, last)) != nullptr;) {
            check_connection(channel, connection, &sums);
            last = connection->node.id;
        }
        check_lists(channel, &sums);
        require_equal(sums.answers_queued, info.outbound.queued);
        require_equal(sums.sent_queued, info.inbound.queued);
        connections += sums.open;
        queued += info.inbound.queued + info.outbound.queued;
        channel = channel_after(info.id);
    }
    require_equal(channels, totals.channels_active);
    require_equal(channels, totals.channels_created - totals.channels_destroyed);
    require_equal(connections, totals.connections_active);
    require_equal(connections, totals.connections_created - totals.connections_destroyed);
    require_equal(queued, totals.messages.queued);
}

// ---- notifiers -------------------------------------------------------------------------------------------------------

static bool same_place(const struct notifier *notifier, const struct notifier_place *place, uint64_t number) {
    struct notifier_place expected;
    notifier_find(notifier, &expected, number);
    return place->slot == expected.slot && place->end == expected.end;
}

static void check_notifiers(void) {
    struct notifier_totals totals;
    notifier_get_totals(&totals);
    uint64_t active = 0, watches = 0;
    for (struct notifier *notifier = notifier_after(0); notifier != nullptr;
         notifier = notifier_after(notifier->node.id)) {
        active++;
        watches += notifier->watch_count;
        require_equal(notifier->watch_count, length_of(&notifier->watches));
        require_equal(notifier->taker_count, length_of(&notifier->takers));
        require(notifier->tail - notifier->head <= notifier->depth);
        require(same_place(notifier, &notifier->out, notifier->head));
        require(same_place(notifier, &notifier->in, notifier->tail));
        require(notifier->taker == nullptr || (notifier->taker->park.word & notifier->bits) == 0);
        list_for_each(link, &notifier->takers) {
            require((container_of(link, struct thread, park.link)->park.word & notifier->bits) == 0);
        }
    }
    require_equal(active, totals.active);
    require_equal(watches, totals.watches);
}

// ---- threads ---------------------------------------------------------------------------------------------------------

static void check_calls(const struct thread *thread) {
    const struct call_end *call = &thread->call;
    bool parked = thread->state == THREAD_PARKED, calls = parked && thread->park.kind == &call_parked;
    bool idle = parked && thread->park.kind == &call_idle;
    require(call->room == 0 || calls || idle);
    require(((thread->holds & HOLD_ROOM) != 0) == (call->room > 0));
    require(call->turn_at == nullptr || (calls && call->server == nullptr));
    require(!calls || call->turn_at != nullptr || call->server != nullptr);
    require(call->payload == nullptr || (call->turn_at != nullptr && call->length > 0));
    require(call->serving == nullptr || (call->serving->call.server == thread && !call->lost));
    require(!calls || call->server == nullptr || call->server->call.serving == thread);
    uint8_t lent = call->serving != nullptr ? call->serving->priority : 0;
    // An idle server may still have what a fast path lent it.
    require(idle || thread->priority == (lent > thread->base_priority ? lent : thread->base_priority));
}

static void check_thread(const struct thread *thread, uint64_t *ready) {
    switch (thread->state) {
    case THREAD_READY:
        require(list_is_linked(&thread->ready) || thread_cpu(thread)->woken == thread);
        ++*ready;
        break;
    case THREAD_RUNNING:
        require(thread_cpu(thread)->current == thread);
        break;
    case THREAD_PARKED:
        require(thread->park.kind != nullptr);
        require(((thread->holds & HOLD_TIMED) != 0) == timer_pending(&thread->park.timer));
        break;
    case THREAD_NEW:
    case THREAD_DEAD:
        return;
    }
    check_calls(thread);
}

static void check_scheduler(void) {
    uint64_t ready = 0, queued = 0;
    for (struct process *process = process_after(0); process != nullptr; process = process_after(process->pid)) {
        list_for_each(link, &process->threads) {
            check_thread(container_of(link, struct thread, siblings), &ready);
        }
    }
    for (unsigned i = 0; i < CPU_MAX; i++) {
        if (cpu_table[i] == nullptr) {
            continue;
        }
        queued += cpu_table[i]->queue.length;
        queued += cpu_table[i]->woken != &sched_nobody && cpu_table[i]->woken != &sched_closed;
        if (host_cpu_state(i) == HOST_USER) {
            require(cpu_table[i]->current == host_cpu_thread(i));
        }
    }
    require_equal(ready, queued);
}

void machine_check(void) {
    for (unsigned i = 0; i < host_cpu_count(); i++) {
        if (host_cpu_state(i) == HOST_KERNEL) {
            return;
        }
    }
    check_messages();
    check_notifiers();
    check_scheduler();
}
