// The fast paths do what the general path does: the same story is told twice, with fast_limit as it is and with 0, and
// after each step every answer, message word, payload, state and statistic must be the same.
//
// The second telling replays the choices of the first. A step is one call of one thread; all interrupts and queued work
// that follow from it arrive before the next, since a fast path leaves them to their own interrupts.
//
// On several CPUs threads are of different priorities and who serves makes no calls, so that which threads run does not
// depend on where each ran last, which a fast path does not note.
#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "abi/calls.h"
#include "ipc/channel.h"
#include "ipc/notifier.h"
#include "kernel/cpu.h"
#include "kernel/lock.h"
#include "kernel/process.h"
#include "kernel/slice.h"
#include "kernel/thread.h"
#include "machine.h"
#include "property.h"

enum { PROCESSES = 4, CHANNELS = 2, CHOICES_MAX = 1 << 16, STORY_MAX = 1 << 25, LINE_ROOM = 4096 };
enum {
    PATHS_AT = 60000,
    PATH_ROOM = 16,
    PATTERN = 300,
    PAYLOAD_AT = 8192,
    RECORD_AT = 30000,
    FRESH_AT = 65536,
    FRESH_PAGES = 16
};
enum : uint64_t { READ_ONLY_AT = 0x500000000, TOP_AT = ARCH_USER_TOP - PAGE_SIZE }; // a page each

// ---- telling twice ---------------------------------------------------------------------------------------------------

static struct property *p;
static bool again; // the second telling
static struct {
    uint64_t value, bound;
} choice[CHOICES_MAX];
static unsigned choices, chosen;
static char story[STORY_MAX];
static size_t told, compared;

static uint64_t decide(uint64_t value, uint64_t bound) {
    if (choices == CHOICES_MAX) {
        property_fail(p, "a story of too many choices");
    }
    choice[choices].value = value;
    choice[choices++].bound = bound;
    return value;
}

static uint64_t replayed(uint64_t bound) {
    if (chosen == choices || choice[chosen].bound != bound) {
        property_fail(p, "with and without fast paths there is another choice: number %u", chosen);
    }
    return choice[chosen++].value;
}

static uint64_t below(const char *label, uint64_t bound) {
    return again ? replayed(bound) : decide(property_choose(p, label, bound), bound);
}

static bool chance(const char *label, unsigned percent) {
    return (again ? replayed(2) : decide(property_chance(p, label, percent), 2)) != 0;
}

static bool more(unsigned average) {
    return (again ? replayed(3) : decide(property_more(p, average), 3)) != 0;
}

// A line of the story, or in the second telling its comparison.
[[gnu::format(printf, 1, 2)]] static void tell(const char *format, ...) {
    char line[LINE_ROOM];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    property_check(p, length >= 0 && length < LINE_ROOM);
    if (!again) {
        property_check(p, told + (size_t)length + 1 <= STORY_MAX);
        memcpy(story + told, line, (size_t)length + 1);
        told += (size_t)length + 1;
    } else if (compared == told || strcmp(story + compared, line) != 0) {
        property_fail(p, "with fast paths:    %s\nwithout fast paths: %s", compared == told ? "" : story + compared,
                      line);
    } else {
        compared += (size_t)length + 1;
    }
}

// ---- the world -------------------------------------------------------------------------------------------------------

static unsigned cpus;
static unsigned messages; // per cent of the calls

static void give(struct user *me, const struct user *to, int64_t value) {
    struct handle *handle;
    require_equal(handle_find(&me->thread->process->handles, (handle_t)value, &handle), 0);
    require(CALL(me, GIVE, to->process, (uint64_t)value, handle->rights) > 0);
}

static void map_page(struct user *user, uint64_t address, unsigned protection) {
    int64_t pages = CALL(user, PAGES_CREATE, PAGE_SIZE);
    int64_t status = CALL(user, MAP, user->own, (uint64_t)pages, address, 0, PAGE_SIZE, protection);
    require(status == 0 || status == ERR_EXISTS); // a further thread
    require_equal(CALL(user, CLOSE, (uint64_t)pages), 0);
}

static void prepare(struct user *user) {
    unsigned char pattern[PATTERN];
    for (unsigned i = 0; i < sizeof pattern; i++) {
        pattern[i] = (unsigned char)(user->thread->id * 7 + i);
    }
    require(user_store(user, user->scratch + PAYLOAD_AT, pattern, sizeof pattern));
    map_page(user, READ_ONLY_AT, PROT_READ);
    map_page(user, TOP_AT, PROT_READ | PROT_WRITE);
    for (unsigned i = 0; i < CHANNELS; i++) {
        char path[PATH_ROOM];
        snprintf(path, sizeof path, "/tmp/c%u", i);
        require(user_store(user, user->scratch + PATHS_AT + i * PATH_ROOM, path, sizeof path));
    }
}

// Processes 0 and 1 serve, each both channels as a rule; all have connections to both and a notifier.
static void make_world(void) {
    cpus = 1 + (unsigned)below("cpus", 4);
    messages = chance("many messages", 50) ? 70 : 10;
    machine_boot(&(struct machine_options){.cpus = cpus});
    struct user *me = machine_init();
    prepare(me);
    uint32_t depth = (uint32_t)(chance("deep", 50) ? 40 : 1 + below("depth", 6));
    int64_t channel[CHANNELS], notifier = CALL(me, NOTIFIER_CREATE, 4);
    const struct abi_watch_spec spec = {.events = EVENT_READABLE | EVENT_OPENED | EVENT_CLOSED, .cookie = 3};
    require(user_store(me, me->scratch, &spec, sizeof spec));
    for (unsigned i = 0; i < CHANNELS; i++) {
        char path[PATH_ROOM];
        snprintf(path, sizeof path, "/tmp/c%u", i);
        struct abi_channel_config config = {
            .depth = depth, .message_max = i == 0 ? 64 : MESSAGE_MAX, .flags = i == 0 ? 0 : CHANNEL_TEMPORARY};
        channel[i] = user_channel(me, me->root, path, &config);
        if (chance("watched", 30)) {
            require_equal(CALL(me, WATCH, (uint64_t)notifier, (uint64_t)channel[i], me->scratch), 0);
        }
    }
    for (unsigned i = 0; i < PROCESSES; i++) {
        unsigned priority = PRIORITY_DEFAULT - (cpus > 1 ? 2 * i + 1 : 5 * (unsigned)below("priority", 3));
        struct user *user = machine_spawn(me, "party", nullptr, nullptr, priority);
        require(user != nullptr);
        prepare(user);
        for (unsigned j = 0; j < CHANNELS; j++) {
            if (i < 2 && (i == 0 || chance("serves", 70))) {
                give(me, user, channel[j]);
            }
            give(me, user, CALL(me, CONNECT, (uint64_t)channel[j], RIGHTS_ALL));
        }
        give(me, user, notifier);
        user = machine_thread(user, nullptr, nullptr, cpus > 1 ? priority - 1 : priority);
        require(user != nullptr);
        prepare(user);
    }
    if (chance("init serves too", 80)) {
        return;
    }
    for (unsigned i = 0; i < CHANNELS; i++) {
        require_equal(CALL(me, CLOSE, (uint64_t)channel[i]), 0);
    }
}

// ---- time and interrupts ---------------------------------------------------------------------------------------------

static bool deliver(void) {
    bool busy = false;
    for (unsigned i = 0; i < cpus; i++) {
        enum host_cpu_state state = host_cpu_state(i);
        if (state == HOST_KERNEL) {
            host_continue(i);
            busy = true;
        } else if (host_ipi_pending(i) || host_timer_due(i)) {
            host_enter(i, host_ipi_pending(i) ? HOST_IPI : HOST_TIMER, nullptr);
            busy = true;
        }
        property_check(p, host_ended() == HOST_RUNNING);
    }
    return busy;
}

static void settle(void) {
    for (unsigned turns = 0; deliver() || slice_pending(); turns++) {
        property_check(p, turns < 20000);
        if (slice_pending()) {
            host_time_advance(300000);
        }
    }
}

static void pass_time(void) {
    settle();
    // A turn that a call took over when it was over already ends a nanosecond later by the general path.
    host_time_advance(1);
    settle();
    uint64_t next = UINT64_MAX;
    bool rest = true;
    for (unsigned i = 0; i < cpus; i++) {
        rest = rest && host_cpu_state(i) == HOST_IDLE;
    }
    if (rest) {
        struct process *process = process_after(0);
        for (; process != nullptr; process = process_after(process->pid)) {
            list_for_each(link, &process->threads) {
                const struct thread *thread = container_of(link, struct thread, siblings);
                if (timer_pending(&thread->park.timer) && thread->park.timer.deadline < next) {
                    next = thread->park.timer.deadline;
                }
            }
        }
        if (next != UINT64_MAX && next > host_time()) {
            host_time_set(next + 1000000); // wheels may be that coarse
        }
    } else if (chance("time", 30)) {
        host_time_advance(below("nanoseconds", chance("much", 20) ? 20000000 : 300000));
    }
    settle();
}

// ---- what is compared ------------------------------------------------------------------------------------------------

static void tell_thread(struct thread *thread) {
    bool parked = thread->state == THREAD_PARKED;
    bool idle = parked && strcmp(thread->park.kind->operation, "reply_wait") == 0;
    const struct arch_frame *frame = &thread->frame;
    char answer[400] = "";
    if (!parked) {
        uint64_t bits;
        bool woken = machine_woken(thread, &bits);
        uint64_t status = woken ? 0 : (uint64_t)frame->status;
        uint64_t word[4] = {bits};
        if (!woken) {
            memcpy(word, frame->word, sizeof word);
        }
        snprintf(answer, sizeof answer, "answers %llu: %lld, %llx %llx %llx %llx; %llx %llx %llx %llx",
                 (unsigned long long)frame->answers + woken, (long long)status, (unsigned long long)word[0],
                 (unsigned long long)word[1], (unsigned long long)word[2], (unsigned long long)word[3],
                 (unsigned long long)frame->message[0], (unsigned long long)frame->message[1],
                 (unsigned long long)frame->message[2], (unsigned long long)frame->message[3]);
    }
    tell("%u of %u %s %s, priority %u (%u), ran %llu, since %llu, serves %u, lost %d, %s", thread->id,
         thread->process->pid,
         cpus == 1                         ? (thread->state == THREAD_RUNNING ? "runs" : "does not run")
         : thread->state == THREAD_RUNNING ? "is running"
                                           : "is not running",
         parked ? thread->park.kind->operation : "-", idle ? 0 : thread->priority, thread->base_priority,
         (unsigned long long)thread_cpu_time(thread), parked ? (unsigned long long)thread->park.since : 0,
         thread->call.serving == nullptr ? 0 : thread->call.serving->id, thread->call.lost, answer);
}

static void tell_processes(void) {
    for (struct process *process = process_after(0); process != nullptr; process = process_after(process->pid)) {
        tell("process %u state %d: %u threads, %llu calls, %llu errors, ran %llu", process->pid, process->state,
             process->thread_count, (unsigned long long)process->calls, (unsigned long long)process->call_errors,
             (unsigned long long)process_cpu_time(process));
        list_for_each(link, &process->threads) {
            tell_thread(container_of(link, struct thread, siblings));
        }
    }
}

static void tell_counters(void) {
    // Where threads ran is not the same on several CPUs.
    static const enum cpu_counter always[] = {COUNT_SYSCALL, COUNT_SYSCALL_ERROR, COUNT_FAULT, COUNT_PARK,
                                              COUNT_WAKE,    COUNT_CALL,          COUNT_REPLY, COUNT_CALL_LOST};
    for (unsigned i = 0; i < sizeof always / sizeof always[0]; i++) {
        tell("counter %d: %llu", always[i], (unsigned long long)cpu_count_total(always[i]));
    }
    if (cpus == 1) {
        tell("switches %llu, preemptions %llu", (unsigned long long)cpu_count_total(COUNT_SWITCH),
             (unsigned long long)cpu_count_total(COUNT_PREEMPTION));
    }
    uint64_t idle = 0;
    for (unsigned i = 0; i < cpus; i++) {
        idle += cpu_idle_time(cpu_table[i]);
    }
    tell("time %llu, idle %llu", (unsigned long long)host_time(), (unsigned long long)idle);
}

static void tell_counts(const char *what, const struct message_counts *counts) {
    property_equal(p, counts->sent, counts->received + counts->queued + counts->discarded);
    tell("  %s: %llu = %llu + %llu + %llu, rejected %llu, bytes %llu %llu, at most %llu", what,
         (unsigned long long)counts->sent, (unsigned long long)counts->received, (unsigned long long)counts->queued,
         (unsigned long long)counts->discarded, (unsigned long long)counts->rejected,
         (unsigned long long)counts->bytes_sent, (unsigned long long)counts->bytes_received,
         (unsigned long long)counts->high_water);
}

static void tell_latency(const struct latency *latency) {
    char text[LINE_ROOM / 2] = "";
    size_t length = 0;
    for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
        length +=
            (size_t)snprintf(text + length, sizeof text - length, " %llu", (unsigned long long)latency->bucket[i]);
    }
    tell("  latency: sum %llu, most %llu, %s", (unsigned long long)latency->sum, (unsigned long long)latency->max,
         text);
}

static void tell_connections(struct channel *channel) {
    struct connection_info info = {};
    for (struct connection *c; (c = connection_after(channel, info.id)) != nullptr;) {
        connection_get_info(c, &info);
        tell("  connection %llu: hung up %d, lost %d", (unsigned long long)info.id, info.hung_up, info.peer_lost);
        tell_counts("from it", &info.inbound);
        tell_counts("to it", &info.outbound);
    }
}

static void tell_channels(void) {
    struct channel_info info;
    for (struct channel *channel = channel_after(0); channel != nullptr; channel = channel_after(info.id)) {
        channel_get_info(channel, &info);
        property_check(p, info.calls.made >= info.calls.replied + info.calls.lost + info.calls.waiting);
        tell("channel %llu: %u servers, %u connections, removed %d; calls %llu %llu %llu %u",
             (unsigned long long)info.id, info.servers, info.connections, info.removed,
             (unsigned long long)info.calls.made, (unsigned long long)info.calls.replied,
             (unsigned long long)info.calls.lost, info.calls.waiting);
        tell_counts("in", &info.inbound);
        tell_counts("out", &info.outbound);
        tell_latency(channel_latency(channel));
        tell_connections(channel);
    }
    struct ipc_totals totals;
    ipc_get_totals(&totals);
    tell_counts("messages", &totals.messages);
    tell_latency(&totals.latency);
    property_equal(p, latency_messages(&totals.latency), totals.messages.received);
    for (unsigned i = 0; i < OBJECT_KINDS; i++) {
        tell("objects %u: %llu", i, (unsigned long long)object_count((enum object_kind)i));
    }
}

static void tell_notifiers(void) {
    struct notifier_info info;
    for (struct notifier *notifier = notifier_after(0); notifier != nullptr; notifier = notifier_after(info.id)) {
        notifier_get_info(notifier, &info);
        tell("notifier %llu: bits %llx, %u queued, %llu read of %llu, %llu lost; %llu signals, %llu taken, %u wait, %u "
             "watches",
             (unsigned long long)info.id, (unsigned long long)info.bits, info.queued, (unsigned long long)info.read,
             (unsigned long long)info.sequence, (unsigned long long)info.lost, (unsigned long long)info.signals,
             (unsigned long long)info.taken, info.takers, info.watches);
    }
    struct notifier_totals totals;
    notifier_get_totals(&totals);
    tell("notifiers %llu, %llu read of %llu, %llu signals, %llu taken", (unsigned long long)totals.active,
         (unsigned long long)totals.read, (unsigned long long)totals.events, (unsigned long long)totals.signals,
         (unsigned long long)totals.taken);
}

static void tell_all(void) {
    tell_counters();
    tell_channels();
    tell_notifiers();
    tell_processes();
}

// ---- what threads do -------------------------------------------------------------------------------------------------

// By thread, what it last took from: the handle whose records a fast path reads.
enum { THREADS = 64 };
static uint64_t taken_from[THREADS];

static handle_t any_handle(struct process *process, enum object_kind kind) {
    handle_t found[64];
    unsigned count = 0;
    for (uint32_t index = 0; index < process->handles.fresh && count < 64;) {
        const struct handle *handle = handle_next(&process->handles, &index);
        if (handle != nullptr) {
            if (handle->object->ops->kind == kind) {
                found[count++] = handle_value(handle, index);
            }
            index++;
        }
    }
    if (count == 0 || chance("a stale handle", 1)) {
        return 7;
    }
    return found[below("which handle", count)];
}

static uint64_t deadline(const char *label) {
    switch (below(label, 3)) {
    case 0:
        return host_time() + 1 + below("soon", 3000000);
    case 1:
        return host_time() + below("late", 40000000);
    default:
        return 0;
    }
}

// As a rule one that can be used at once; else one with a page that is not there yet, that is only readable, or that is
// not the user's at all, at its beginning or further on.
static uint64_t a_buffer(const struct user *user) {
    static const uint64_t hostile[] = {0, 8, ARCH_USER_BASE - 64, ARCH_USER_TOP, 0xffff800000000000, UINT64_MAX - 63};
    switch (below("buffer", 24)) {
    default:
        return user->scratch + PAYLOAD_AT + below("misaligned", 9);
    case 0:
    case 1:
        return user->scratch + FRESH_AT + PAGE_SIZE * below("fresh page", FRESH_PAGES);
    case 2:
        return user->scratch + FRESH_AT + PAGE_SIZE * below("fresh page", FRESH_PAGES) - 1 - below("before it", 64);
    case 3:
        return READ_ONLY_AT + (chance("its end", 30) ? PAGE_SIZE - 16 : 0);
    case 4:
        return ARCH_USER_TOP - below("up to the end", PATTERN);
    case 5:
        return hostile[below("hostile", sizeof hostile / sizeof hostile[0])];
    }
}

static uint64_t a_length(void) {
    switch (below("kind of length", 4)) {
    case 0:
        return 0;
    case 1:
        return 8 * below("words", 33);
    case 2:
        return below("bytes", 66);
    default:
        return below("bytes", MESSAGE_MAX + 2);
    }
}

static void set_shape(const struct user *user, uint64_t *arg, bool wait) {
    arg[1] = 0;
    if (chance("payload", 50)) {
        arg[1] = a_length() | (chance("all room", 60) ? MESSAGE_MAX : a_length()) * CALL_RECEIVE;
        arg[2] = a_buffer(user);
        arg[3] = a_buffer(user);
    }
    if (user->pid == 1 || chance("timed", 8)) {
        arg[1] |= CALL_TIMED;
        arg[4] = deadline("deadline");
    }
    if (wait && chance("flags", 8)) {
        arg[1] |= chance("reply only", 50) ? CALL_REPLY_ONLY : CALL_MESSAGES;
    }
    if (chance("a bad flag", 1)) {
        arg[1] |= chance("of no shape", 50) ? 0x8000000000 : 0x80000000;
    }
}

// A record for a call of that thread, which is on that CPU.
static uint64_t put_record(unsigned cpu, const struct user *user, void *record, size_t size) {
    struct fault fault;
    host_user_access(cpu, user->scratch + RECORD_AT, record, size, true, &fault);
    return user->scratch + RECORD_AT;
}

static enum object_kind either_side(void) {
    return chance("a connection", 50) ? OBJECT_CONNECTION : OBJECT_CHANNEL;
}

static void set_rare(unsigned cpu, struct thread *thread, const struct user *user, uint64_t *arg) {
    struct process *process = thread->process;
    struct arch_frame *frame = &thread->frame;
    switch (below("rare call", 11)) {
    case 8:
    case 9: {
        struct abi_watch_spec spec = {.events = (uint32_t)(1 + below("events", EVENT_READABLE | EVENT_WRITABLE))};
        frame->number = CALL_WATCH;
        arg[0] = any_handle(process, OBJECT_NOTIFIER);
        arg[1] = any_handle(process, either_side());
        arg[2] = put_record(cpu, user, &spec, sizeof spec);
        return;
    }
    case 10:
        frame->number = CALL_UNWATCH;
        arg[0] = any_handle(process, OBJECT_NOTIFIER);
        arg[1] = below("watch", 20);
        return;
    case 0:
        frame->number = CALL_FINISH;
        arg[0] = any_handle(process, OBJECT_CONNECTION);
        return;
    case 1:
        frame->number = CALL_CLOSE;
        arg[0] = any_handle(process, chance("a connection", 70) ? OBJECT_CONNECTION : OBJECT_CHANNEL);
        return;
    case 2:
        frame->number = CALL_DUP;
        arg[0] = any_handle(process, chance("a connection", 50) ? OBJECT_CONNECTION : OBJECT_CHANNEL);
        arg[1] = RIGHTS_ALL & ~below("dropped", RIGHTS_ALL + 1);
        return;
    case 3:
        frame->number = CALL_CONNECT;
        arg[0] = any_handle(process, OBJECT_CHANNEL);
        arg[1] = RIGHTS_ALL;
        return;
    case 4:
        frame->number = CALL_REMOVE;
        arg[0] = user->root;
        arg[1] = user->scratch + PATHS_AT + PATH_ROOM * below("which channel", CHANNELS);
        arg[2] = 7;
        return;
    case 5:
        frame->number = user->pid == 1 || chance("stay", 50) ? CALL_ABI_VERSION : CALL_THREAD_EXIT;
        return;
    case 6:
        frame->number = user->pid == 1 || chance("stay", 70) ? CALL_ABI_VERSION : CALL_EXIT;
        return;
    default:
        frame->number = CALL_KILL;
        arg[0] = user->pid == 1 && chance("kill", 40) ? any_handle(process, OBJECT_PROCESS) : 0;
        arg[0] = arg[0] == user->own ? 0 : arg[0];
        return;
    }
}

// What a message may be longer than, what it comes from and goes to; as a rule none of them is.
static void set_message(struct thread *thread, const struct user *user, uint64_t *arg, bool serves) {
    struct process *process = thread->process;
    bool client = !serves || chance("as a client", 30);
    arg[0] = any_handle(process, client ? OBJECT_CONNECTION : OBJECT_CHANNEL);
    arg[1] = a_buffer(user);
    if (chance("receive", 50)) {
        thread->frame.number = CALL_RECV;
        arg[2] = chance("small", 10) ? below("capacity", 16) : MESSAGE_MAX;
        return;
    }
    thread->frame.number = CALL_SEND;
    arg[2] = chance("short", 50) ? 8 : a_length();
    arg[3] = below("id", 100);
    arg[4] = client != chance("the other side", 2) ? 0 : below("to", 12);
}

static void set_call(unsigned cpu, struct thread *thread, const struct user *user) {
    struct process *process = thread->process;
    struct arch_frame *frame = &thread->frame;
    uint64_t *arg = frame->arg;
    bool serves = false;
    for (uint32_t index = 0; index < process->handles.fresh; index++) {
        const struct handle *handle = handle_next(&process->handles, &index);
        if (handle == nullptr) {
            break;
        }
        serves = serves || handle->object->ops->kind == OBJECT_CHANNEL;
    }
    memset(arg, 0, sizeof frame->arg);
    if (chance("a message", messages)) {
        set_message(thread, user, arg, serves);
        return;
    }
    uint64_t kind = below("call", 26);
    if (kind < 16 && serves && chance("serve", 90)) {
        frame->number = CALL_REPLY_WAIT;
        arg[0] = any_handle(process, OBJECT_CHANNEL);
        set_shape(user, arg, true);
        return;
    }
    if (kind < 16 && (cpus == 1 || thread->call.serving == nullptr)) {
        frame->number = CALL_CALL;
        arg[0] = any_handle(process, OBJECT_CONNECTION);
        set_shape(user, arg, false);
        return;
    }
    switch (kind) {
    default:
        frame->number = CALL_YIELD;
        return;
    case 17:
        frame->number = CALL_SIGNAL;
        arg[0] = any_handle(process, OBJECT_NOTIFIER);
        arg[1] = below("bits", 8);
        return;
    case 18:
        frame->number = CALL_TAKE;
        arg[0] = taken_from[thread->id % THREADS] = any_handle(process, OBJECT_NOTIFIER);
        arg[1] = below("mask", 8);
        arg[2] = user->pid != 1 && chance("for ever", 15) ? FOREVER : deadline("deadline");
        return;
    case 19 ... 21:
        set_message(thread, user, arg, serves);
        return;
    case 22:
        frame->number = CALL_WAIT;
        if (chance("for an object", 60)) {
            struct abi_wait_item item = {.events = (uint32_t)(1 + below("events", EVENT_READABLE | EVENT_WRITABLE))};
            item.handle = any_handle(process, either_side());
            arg[0] = put_record(cpu, user, &item, sizeof item);
            arg[1] = 1;
        }
        arg[2] = deadline("deadline");
        return;
    case 23:
        set_rare(cpu, thread, user, arg);
        return;
    case 24:
    case 25:
        frame->number = CALL_READ;
        arg[0] = chance("taken from", 70) ? taken_from[thread->id % THREADS] : any_handle(process, OBJECT_NOTIFIER);
        arg[1] = a_buffer(user);
        arg[2] = sizeof(struct abi_event_record) * (1 + below("records", 3)) - below("less", 2);
        return;
    }
}

// The thread that acts: of those in user mode, by their ids.
static unsigned choose_cpu(void) {
    unsigned order[CPU_MAX], count = 0;
    for (unsigned i = 0; i < cpus; i++) {
        if (host_cpu_state(i) == HOST_USER) {
            unsigned at = count++;
            while (at > 0 && host_cpu_thread(order[at - 1])->id > host_cpu_thread(i)->id) {
                order[at] = order[at - 1];
                at--;
            }
            order[at] = i;
        }
    }
    return count == 0 ? CPU_MAX : order[below("thread", count)];
}

// What a thread's program finds where payloads may have come, and whether there is anything by now.
static void tell_memory(unsigned cpu, const struct user *user) {
    uint64_t sum = 0;
    for (unsigned i = 0; i < FRESH_PAGES + 3; i++) {
        uint64_t at = i < FRESH_PAGES        ? user->scratch + FRESH_AT + PAGE_SIZE * i - 64
                      : i == FRESH_PAGES     ? user->scratch + PAYLOAD_AT
                      : i == FRESH_PAGES + 1 ? READ_ONLY_AT + PAGE_SIZE - PATTERN
                                             : ARCH_USER_TOP - PATTERN;
        for (unsigned from = 0; from < PATTERN;) {
            unsigned char payload[PATTERN];
            uint64_t in_page = PAGE_SIZE - (at + from) % PAGE_SIZE;
            unsigned part = in_page < PATTERN - from ? (unsigned)in_page : PATTERN - from;
            struct fault fault;
            bool there = host_user_access(cpu, at + from, payload, part, false, &fault);
            sum = sum * 31 + there;
            for (unsigned j = 0; there && j < part; j++) {
                sum = sum * 31 + payload[j];
            }
            from += part;
        }
    }
    tell("%u sees %llx", user->thread->id, (unsigned long long)sum);
}

static void act(void) {
    unsigned cpu = choose_cpu();
    if (cpu == CPU_MAX) {
        return;
    }
    struct thread *thread = host_cpu_thread(cpu);
    const struct user *user = thread->arch.user;
    tell_memory(cpu, user);
    set_call(cpu, thread, user);
    struct arch_frame *frame = &thread->frame;
    for (unsigned i = 0; i < MESSAGE_WORDS; i++) {
        frame->message[i] = (uint64_t)thread->id << 32 | below("word", 1000);
    }
    tell("%u of %u: call %llu %llx %llx %llx %llx %llx", thread->id, user->pid, (unsigned long long)frame->number,
         (unsigned long long)frame->arg[0], (unsigned long long)frame->arg[1], (unsigned long long)frame->arg[2],
         (unsigned long long)frame->arg[3], (unsigned long long)frame->arg[4]);
    property_note(p, "%u of %u: call %llu %llx %llx", thread->id, user->pid, (unsigned long long)frame->number,
                  (unsigned long long)frame->arg[0], (unsigned long long)frame->arg[1]);
    host_enter(cpu, HOST_CALL, nullptr);
}

static void tell_story(void) {
    make_world();
    fast_limit = again ? 0 : CALL_FAST;
    memset(taken_from, 0, sizeof taken_from);
    uint64_t before = cpu_count_total(COUNT_FAST);
    settle();
    while (more(300)) {
        act();
        pass_time();
        tell_all();
    }
    property_check(p, !again || cpu_count_total(COUNT_FAST) == before);
    machine_check();
}

static void twice(struct property *property) {
    p = property;
    choices = chosen = 0;
    told = compared = 0;
    again = false;
    tell_story();
    again = true;
    tell_story();
    property_equal(p, compared, told);
}

Test(fast, paths_are_the_general_path, .timeout = 200) {
    cr_assert(property_run("fast_paths_are_the_general_path", 200, twice));
}

Test(fast, paths_with_the_lock_are_the_general_path, .timeout = 200) {
    fast_paths_choose(false);
    cr_assert(property_run("fast_paths_with_the_lock_are_the_general_path", 50, twice));
}

// Or else the comparison would be one of the general path with itself.
Test(fast, paths_are_taken) {
    machine_boot(&(struct machine_options){});
    struct user *me = machine_init();
    struct user *client = machine_spawn(me, "client", nullptr, nullptr, PRIORITY_DEFAULT);
    require(client != nullptr);
    int64_t channel = user_channel(me, 0, nullptr, nullptr);
    int64_t connection = CALL(me, CONNECT, (uint64_t)channel, RIGHT_CALL | RIGHT_GRANT);
    int64_t theirs = CALL(me, GIVE, client->process, (uint64_t)connection, RIGHT_CALL);
    require(theirs > 0);
    require_equal(CALL(me, REPLY_WAIT, (uint64_t)channel), USER_PARKED);
    uint64_t calls = cpu_count_total(COUNT_FAST_CALL), replies = cpu_count_total(COUNT_FAST_REPLY);
    require_equal(CALL(client, CALL, (uint64_t)theirs), USER_PARKED);
    require_equal(cpu_count_total(COUNT_FAST_CALL), calls + 1);
    require_equal(me->status, client->pid);
    require_equal(CALL(me, REPLY_WAIT, (uint64_t)channel), USER_PARKED);
    require_equal(cpu_count_total(COUNT_FAST_REPLY), replies + 1);
    require_equal(client->status, 0);
}

// While somebody waits, bits may be about to be given: then the general path decides who gets them.
Test(fast, bits_are_taken_at_once_where_nobody_waits) {
    machine_boot(&(struct machine_options){});
    struct user *me = machine_init();
    struct user *other = machine_spawn(me, "other", nullptr, nullptr, PRIORITY_DEFAULT);
    int64_t notifier = CALL(me, NOTIFIER_CREATE, 1);
    int64_t theirs = CALL(me, GIVE, other->process, (uint64_t)notifier, RIGHT_READ);
    require(theirs > 0);
    for (unsigned waits = 0; waits < 2; waits++) {
        if (waits == 1) {
            require_equal(CALL(other, TAKE, (uint64_t)theirs, 8, FOREVER), USER_PARKED);
        }
        uint64_t signals = cpu_count_total(COUNT_FAST_SIGNAL), takes = cpu_count_total(COUNT_FAST_TAKE);
        require_equal(CALL(me, SIGNAL, (uint64_t)notifier, 7), 0);
        require_equal(CALL(me, TAKE, (uint64_t)notifier, 3, FOREVER), 0);
        require_equal(me->word[0], 3);
        require_equal(CALL(me, TAKE, (uint64_t)notifier, 12, 0), 0);
        require_equal(me->word[0], 4);
        require_equal(cpu_count_total(COUNT_FAST_SIGNAL) - signals, 1 - waits);
        require_equal(cpu_count_total(COUNT_FAST_TAKE) - takes, 2 - 2 * waits);
        uint64_t misses = cpu_count_total(COUNT_FAST_MISS);
        require_equal(CALL(me, TAKE, (uint64_t)notifier, 7, 0), ERR_TIMED_OUT);
        require_equal(cpu_count_total(COUNT_FAST_MISS), misses + 1);
    }
}

// ---- payloads --------------------------------------------------------------------------------------------------------

static struct user *client, *server;
static uint64_t channel, connection;

enum { REPLY_AT = PAYLOAD_AT + 1024, ALL_ROOM = MESSAGE_MAX * CALL_RECEIVE };

// What is there, that far behind the start of the buffers.
static unsigned char at_first(const struct user *user, uint64_t offset) {
    return (unsigned char)(offset * 3 + (user == server));
}

static void make_pair(void) {
    machine_boot(&(struct machine_options){});
    server = machine_init();
    client = machine_spawn(server, "client", nullptr, nullptr, PRIORITY_DEFAULT);
    require(client != nullptr);
    channel = (uint64_t)user_channel(server, 0, nullptr, nullptr);
    int64_t ours = CALL(server, CONNECT, channel, RIGHT_CALL | RIGHT_GRANT);
    connection = (uint64_t)CALL(server, GIVE, client->process, (uint64_t)ours, RIGHT_CALL);
    struct user *both[] = {client, server};
    for (unsigned i = 0; i < 2; i++) {
        unsigned char pattern[2048];
        for (unsigned j = 0; j < sizeof pattern; j++) {
            pattern[j] = at_first(both[i], j);
        }
        require(user_store(both[i], both[i]->scratch + PAYLOAD_AT, pattern, sizeof pattern));
    }
}

// That many bytes, not beginning at a word, came from there to here, and nothing after them.
static void check_payload(const struct user *from, struct user *to, uint64_t length) {
    unsigned char got[MESSAGE_MAX + 8];
    require(user_load(to, got, to->scratch + REPLY_AT + 5, length + 8));
    for (unsigned i = 0; i < length + 8; i++) {
        require_equal(got[i], i < length ? at_first(from, i + 3) : at_first(to, REPLY_AT - PAYLOAD_AT + 5 + i));
    }
}

// Each length goes both ways by the fast paths, also 0, and also where only the other side has something to say.
Test(fast, payloads_are_taken) {
    for (uint64_t length = 0; length <= MESSAGE_MAX; length += length < 20 ? 1 : 59) {
        make_pair();
        const uint64_t wait[6] = {channel, length | ALL_ROOM, server->scratch + PAYLOAD_AT + 3,
                                  server->scratch + REPLY_AT + 5};
        const uint64_t call[6] = {connection, length | ALL_ROOM, client->scratch + PAYLOAD_AT + 3,
                                  client->scratch + REPLY_AT + 5};
        const uint64_t silent_wait[6] = {channel, ALL_ROOM, 0, server->scratch + REPLY_AT + 5};
        require_equal(user_call(server, CALL_REPLY_WAIT, silent_wait), USER_PARKED);
        uint64_t calls = cpu_count_total(COUNT_FAST_CALL), replies = cpu_count_total(COUNT_FAST_REPLY);
        require_equal(user_call(client, CALL_CALL, call), USER_PARKED);
        require_equal(server->status, client->pid);
        require_equal(server->word[1], length);
        check_payload(client, server, length);
        require_equal(user_call(server, CALL_REPLY_WAIT, wait), USER_PARKED);
        require_equal(client->status, 0);
        require_equal(client->word[0], length);
        check_payload(server, client, length);
        require_equal(CALL(client, CALL, connection), USER_PARKED);
        require_equal(server->status, client->pid);
        require_equal(server->word[1], 0);
        require_equal(CALL(server, REPLY_WAIT, channel), USER_PARKED);
        require_equal(client->status, 0);
        require_equal(client->word[0], 0);
        // Room that is not used.
        const uint64_t hopeful_call[6] = {connection, ALL_ROOM, 0, client->scratch + REPLY_AT + 5};
        require_equal(user_call(client, CALL_CALL, hopeful_call), USER_PARKED);
        require_equal(CALL(server, REPLY_WAIT, channel), USER_PARKED);
        require_equal(client->status, 0);
        require_equal(client->word[0], 0);
        require_equal(cpu_count_total(COUNT_FAST_CALL), calls + 3);
        require_equal(cpu_count_total(COUNT_FAST_REPLY), replies + 3);
    }
}

// ---- records ---------------------------------------------------------------------------------------------------------

static struct user *reader;
static handle_t records;
enum { RECORD = sizeof(struct abi_event_record) };

static void make_files(const char *name, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        char path[PATH_ROOM];
        snprintf(path, sizeof path, "/tmp/%s%u", name, i);
        require(user_open(reader, reader->root, path, OPEN_WRITE | OPEN_CREATE, 0644) > 0);
    }
}

// Read with this notifier as the last handle; how many records came by the fast path.
static uint64_t read_fast(uint64_t buffer, uint64_t length, int64_t expected) {
    require(CALL(reader, TAKE, records, 1, 0) == ERR_TIMED_OUT);
    uint64_t before = cpu_count_total(COUNT_FAST_READ);
    require_equal(CALL(reader, READ, records, buffer, length), expected);
    return cpu_count_total(COUNT_FAST_READ) - before;
}

static void watch_files(unsigned depth) {
    machine_boot(&(struct machine_options){.cpus = 2});
    reader = machine_init();
    records = (handle_t)CALL(reader, NOTIFIER_CREATE, depth);
    int64_t directory = user_open(reader, reader->root, "/tmp", OPEN_READ | OPEN_DIR, 0);
    const struct abi_watch_spec spec = {.events = EVENT_CREATED, .cookie = 5};
    require(user_store(reader, reader->scratch, &spec, sizeof spec));
    require_equal(CALL(reader, WATCH, records, (uint64_t)directory, reader->scratch), 0);
    require(user_store(reader, reader->scratch + RECORD_AT, &spec, sizeof spec)); // a page that is there
}

Test(fast, a_record_is_read_at_once) {
    watch_files(4);
    uint64_t buffer = reader->scratch + RECORD_AT;
    cr_assert_eq(read_fast(buffer, RECORD, ERR_EMPTY), 0);
    make_files("a", 1);
    cr_assert_eq(read_fast(buffer, RECORD - 1, ERR_TOO_BIG), 0);
    cr_assert_eq(read_fast(8, RECORD, ERR_FAULT), 0);
    cr_assert_eq(read_fast(UINT64_MAX - 7, RECORD, ERR_FAULT), 0);
    cr_assert_eq(read_fast(ARCH_USER_TOP - RECORD + 1, RECORD, ERR_FAULT), 0);
    cr_assert_eq(read_fast(ARCH_USER_TOP - RECORD, RECORD, ERR_FAULT), 0); // nothing is mapped there
    cr_assert_eq(read_fast(buffer, 10 * RECORD, RECORD), 1);
    struct abi_event_record record;
    require(user_load(reader, &record, buffer, sizeof record));
    cr_assert_eq(record.cookie, 5);
    cr_assert_str_eq(record.name, "a0");
    make_files("b", 3);
    cr_assert_eq(read_fast(buffer, 2 * RECORD - 1, RECORD), 1);
    cr_assert_eq(read_fast(buffer, 2 * RECORD, 2 * RECORD), 0);
    require(user_load(reader, &record, buffer, sizeof record));
    cr_assert_str_eq(record.name, "b1");
    struct notifier_totals totals;
    notifier_get_totals(&totals);
    cr_assert_eq(totals.read, 4);
}

// What was lost is one record more, which no slot has.
Test(fast, a_record_before_an_overflow_is_read_alone) {
    watch_files(1);
    uint64_t buffer = reader->scratch + RECORD_AT;
    make_files("a", 3);
    cr_assert_eq(read_fast(buffer, RECORD, RECORD), 1);
    cr_assert_eq(read_fast(buffer, RECORD, RECORD), 0);
    struct abi_event_record record;
    require(user_load(reader, &record, buffer, sizeof record));
    cr_assert_eq(record.event, EVENT_OVERFLOW);
    make_files("b", 3);
    cr_assert_eq(read_fast(buffer, 2 * RECORD, 2 * RECORD), 0);
}

Test(fast, without_the_right_no_record_is_read) {
    watch_files(4);
    make_files("a", 1);
    handle_t deaf = (handle_t)CALL(reader, DUP, records, RIGHT_WRITE);
    require_equal(CALL(reader, SIGNAL, deaf, 2), 0); // now the last handle
    require_equal(CALL(reader, READ, deaf, reader->scratch + RECORD_AT, RECORD), ERR_RIGHTS);
    require_equal(CALL(reader, READ, 77, reader->scratch + RECORD_AT, RECORD), ERR_BAD_HANDLE);
    cr_assert_eq(cpu_count_total(COUNT_FAST_READ), 0);
}

// Its process has ended, its thread does not know yet: the general path drops it.
Test(fast, who_is_ending_reads_no_record) {
    watch_files(4);
    make_files("a", 1);
    struct user *user = machine_spawn(reader, "party", nullptr, nullptr, PRIORITY_DEFAULT);
    struct handle *from;
    require_equal(handle_find(&reader->thread->process->handles, records, &from), 0);
    handle_t given = (handle_t)CALL(reader, GIVE, user->process, records, from->rights);
    require_equal(CALL(user, TAKE, given, 1, 0), ERR_TIMED_OUT);
    struct thread *thread = user->thread;
    require_equal(thread->state, THREAD_RUNNING);
    unsigned cpu = thread_cpu(thread)->index;
    host_become(cpu);
    kernel_lock();
    require_equal(process_end(thread->process, PROCESS_KILLED, -1), 0);
    kernel_unlock();
    thread->frame.number = CALL_READ;
    memcpy(thread->frame.arg, (const uint64_t[6]){given, user->scratch + RECORD_AT, RECORD}, sizeof thread->frame.arg);
    host_enter(cpu, HOST_CALL, nullptr);
    machine_run_until_idle();
    cr_assert(user_gone(user));
    cr_assert_eq(cpu_count_total(COUNT_FAST_READ), 0);
    cr_assert_eq(CALL(reader, READ, records, reader->scratch + RECORD_AT, RECORD), RECORD);
}

// The value that a free entry has can be guessed: it names nothing, not even for a fast path that remembers the entry.
static void close_and_guess(struct user *user, uint64_t number, uint64_t handle, uint64_t second) {
    cr_assert_eq(CALL(user, CLOSE, handle), 0);
    cr_assert_eq(user_call(user, number, (const uint64_t[6]){(handle & 0xffff) ^ 1, second}), ERR_BAD_HANDLE);
}

Test(fast, the_value_of_a_free_entry_names_nothing) {
    make_pair();
    require_equal(CALL(server, REPLY_WAIT, channel), USER_PARKED);
    require_equal(CALL(client, CALL, connection), USER_PARKED);
    require_equal(CALL(server, REPLY_WAIT, channel), USER_PARKED);
    close_and_guess(client, CALL_CALL, connection, 0);
    uint64_t notifier = (uint64_t)CALL(client, NOTIFIER_CREATE, 0);
    cr_assert_eq(CALL(client, SIGNAL, notifier, 3), 0);
    close_and_guess(client, CALL_SIGNAL, notifier, 1);
    notifier = (uint64_t)CALL(client, NOTIFIER_CREATE, 0);
    cr_assert_eq(CALL(client, SIGNAL, notifier, 3), 0);
    cr_assert_eq(CALL(client, TAKE, notifier, 1, 0), 0);
    close_and_guess(client, CALL_TAKE, notifier, 2);
    uint64_t own = (uint64_t)user_channel(client, 0, nullptr, nullptr);
    uint64_t other = (uint64_t)CALL(client, CONNECT, own, RIGHT_WRITE);
    for (unsigned i = 0; i < 2; i++) {
        cr_assert_geq(CALL(client, SEND, other, client->scratch, 8), 0);
        cr_assert_geq(CALL(client, RECV, own, client->scratch, MESSAGE_MAX), 0);
    }
    close_and_guess(client, CALL_SEND, other, client->scratch);
    close_and_guess(client, CALL_RECV, own, client->scratch);
}
