// Booting a machine, and going on step by step.
#include "machine.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/alloc_fault.h"
#include "kernel/console.h"
#include "kernel/page_alloc.h"
#include "kernel/process.h"
#include "kernel/slice.h"
#include "kernel/thread.h"
#include "machine_impl.h"
#include "property.h"

enum {
    STEPS_MAX = 300000, // since the test last made a call
    CONSOLE_SHOWN = 3000
};

static struct property *chooser;
static uint64_t steps, steps_before;
static unsigned turn;
static struct user *init;
static bool may_end, boot_refused;

void machine_fail(const char *format, ...) {
    char text[1000];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    const char *console;
    size_t length = host_console_output(&console);
    fprintf(stderr, "%s\n---- console ----\n%s---- end ----\n", text,
            console + (length > CONSOLE_SHOWN ? length - CONSOLE_SHOWN : 0));
    if (chooser != nullptr) {
        property_fail(chooser, "%s", text);
    }
    abort();
}

static uint64_t choose(void *context, uint64_t bound) {
    return bound < 2 ? 0 : property_choose(context, "who", bound);
}

struct user *machine_init(void) {
    return init;
}

uint64_t machine_steps(void) {
    return steps;
}

void machine_begins_call(void) {
    steps_before = steps;
}

// ---- steps -----------------------------------------------------------------------------------------------------------

struct action {
    unsigned cpu;
    enum { GO_ON, INTERRUPT, ACT } kind;
    enum host_event event;
};

static unsigned collect(struct action *action) {
    unsigned count = 0, cpus = host_cpu_count();
    for (unsigned i = 0; i < cpus; i++) {
        unsigned cpu = (turn + i) % cpus;
        enum host_cpu_state state = host_cpu_state(cpu);
        if (state == HOST_KERNEL) {
            action[count++] = (struct action){.cpu = cpu, .kind = GO_ON};
        }
        if (state != HOST_IDLE && state != HOST_USER) {
            continue;
        }
        if (host_ipi_pending(cpu)) {
            action[count++] = (struct action){cpu, INTERRUPT, HOST_IPI};
        }
        if (host_timer_due(cpu)) {
            action[count++] = (struct action){cpu, INTERRUPT, HOST_TIMER};
        }
        if (cpu == 0 && host_console_pending()) {
            action[count++] = (struct action){cpu, INTERRUPT, HOST_CONSOLE};
        }
        struct thread *thread = host_cpu_thread(cpu);
        if (thread != nullptr && player_can_act(player_of(thread))) {
            action[count++] = (struct action){.cpu = cpu, .kind = ACT};
        }
    }
    return count;
}

static void demand_running(void) {
    if (host_ended() == HOST_PANIC) {
        machine_fail("the kernel panicked");
    }
    if (host_ended() != HOST_RUNNING && !may_end) {
        machine_fail("the machine was switched off");
    }
}

bool machine_step(void) {
    demand_running();
    struct action action[4 * CPU_MAX];
    unsigned count = collect(action);
    if (count == 0) {
        return false;
    }
    if (++steps - steps_before > STEPS_MAX) {
        machine_fail("the machine does not come to rest");
    }
    struct action chosen = action[chooser == nullptr ? 0 : choose(chooser, count)];
    turn = chosen.cpu + 1;
    switch (chosen.kind) {
    case GO_ON:
        host_continue(chosen.cpu);
        break;
    case INTERRUPT:
        host_enter(chosen.cpu, chosen.event, nullptr);
        break;
    case ACT:
        player_act(player_of(host_cpu_thread(chosen.cpu)), chosen.cpu);
        break;
    }
    demand_running();
    if (host_ended() != HOST_RUNNING) {
        return false;
    }
    for (struct player *player = players; player != nullptr; player = player->next) {
        player_settle(player);
    }
    return true;
}

void machine_settle(void) {
    while (machine_step()) {
    }
}

enum host_end machine_run_to_end(void) {
    may_end = true;
    machine_settle();
    may_end = false;
    if (host_ended() == HOST_RUNNING) {
        machine_fail("the machine goes on");
    }
    return host_ended();
}

static uint64_t next_deadline(void) {
    uint64_t next = UINT64_MAX;
    for (unsigned i = 0; i < host_cpu_count(); i++) {
        enum host_cpu_state state = host_cpu_state(i);
        if ((state == HOST_IDLE || state == HOST_USER) && host_timer_deadline(i) < next) {
            next = host_timer_deadline(i);
        }
    }
    return next;
}

void machine_run(uint64_t until) {
    for (;;) {
        machine_settle();
        uint64_t next = next_deadline();
        if (next > until || next == UINT64_MAX) {
            break;
        }
        host_time_set(next > host_time() ? next : host_time());
    }
    if (until != UINT64_MAX && until > host_time()) {
        host_time_set(until);
    }
}

enum activity { NOTHING_TO_DO, WAITS_FOR_TIME, WAITS_FOR_CPU };

static enum activity activity_of(struct thread *thread) {
    const struct player *player = player_of(thread);
    if (thread->state == THREAD_PARKED) {
        return timer_pending(&thread->park.timer) && !player->resting ? WAITS_FOR_TIME : NOTHING_TO_DO;
    }
    bool idle = player->program == nullptr && (player->request == USER_NOTHING || player->resting);
    return idle ? NOTHING_TO_DO : WAITS_FOR_CPU;
}

static enum activity activity(void) {
    bool queued = slice_pending() || console_get_stats().sending > 0;
    enum activity most = queued ? WAITS_FOR_TIME : NOTHING_TO_DO;
    for (struct process *process = process_after(0); process != nullptr; process = process_after(process->pid)) {
        list_for_each(link, &process->threads) {
            enum activity of = activity_of(container_of(link, struct thread, siblings));
            most = of > most ? of : most;
        }
    }
    return most;
}

void machine_run_until_idle(void) {
    for (;;) {
        machine_settle();
        enum activity most = activity();
        if (most == NOTHING_TO_DO) {
            return;
        }
        if (most != WAITS_FOR_CPU || !rest_a_puppet()) {
            to_next_deadline();
        }
    }
}

// ---- boot ------------------------------------------------------------------------------------------------------------

static void learn_bootstrap(struct player *player) {
    struct abi_bootstrap record;
    struct user *self = &player->user;
    self->argument = frame_of(self->thread)->argument;
    if (self->argument != 0 && user_load(self, &record, self->argument, sizeof record) &&
        record.magic == BOOTSTRAP_MAGIC) {
        self->root = record.root;
        self->own = record.process;
    }
}

bool machine_try_boot(const struct machine_options *options) {
    static const struct host_options nothing;
    struct host_options host = options->host != nullptr ? *options->host : nothing;
    chooser = nullptr;
    steps = steps_before = 0;
    turn = 0;
    init = nullptr;
    playing = nullptr;
    players_forget();
    host.cpus = options->cpus;
    host.memory = options->memory;
    host.mapped_limit = options->mapped_limit;
    host.command_line = options->command_line;
    size_t size;
    void *archive = archive_make(options->file, options->file_count, &size);
    host.archive_count = 0;
    if (options->archive != nullptr) {
        host.archive[host.archive_count].data = options->archive;
        host.archive[host.archive_count++].size = options->archive_size;
    }
    host.archive[host.archive_count].data = archive;
    host.archive[host.archive_count++].size = size;
    host_reset(&host);
    free(archive);
    host_set_thread_gone(player_gone);
    alloc_fault_arm(options->refuse, false);
    bool booted = host_boot();
    boot_refused = alloc_fault_fired();
    alloc_fault_arm(0, false);
    if (!booted) {
        return false;
    }
    chooser = options->property;
    if (chooser != nullptr) {
        host_set_chooser(choose, chooser);
    }
    for (unsigned i = 0; i < 1000 && players == nullptr; i++) {
        machine_step();
        for (unsigned cpu = 0; cpu < host_cpu_count(); cpu++) {
            if (host_cpu_thread(cpu) != nullptr) {
                player_of(host_cpu_thread(cpu));
            }
        }
    }
    if (players == nullptr) {
        return false;
    }
    init = &players->user;
    learn_bootstrap(players);
    int64_t pages = CALL(init, PAGES_CREATE, USER_SCRATCH_SIZE);
    if (pages > 0 &&
        CALL(init, MAP, init->own, (uint64_t)pages, 0, 0, USER_SCRATCH_SIZE, PROT_READ | PROT_WRITE) == 0) {
        init->scratch = init->word[0];
        CALL(init, CLOSE, (uint64_t)pages);
    }
    players->program = options->init;
    return init->scratch != 0;
}

bool machine_boot_refused(void) {
    return boot_refused;
}

void machine_boot(const struct machine_options *options) {
    if (!machine_try_boot(options)) {
        machine_fail("the machine does not boot");
    }
}
