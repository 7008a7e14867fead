#include "on_host.h"

#include <string.h>

static struct user *actor[TRANSCRIPT_ACTORS];
static on_host_line *sink;

static int64_t call(void *, enum transcript_actor who, uint64_t number, const uint64_t arg[6], uint64_t result[4]) {
    int64_t status = user_call(actor[who], number, arg);
    if (status == USER_PARKED) {
        status = user_finish(actor[who]);
    }
    memcpy(result, actor[who]->word, sizeof actor[who]->word);
    return status;
}

static void load(void *, void *to, uint64_t from, size_t length) {
    require(user_load(actor[TRANSCRIPT_FIRST], to, from, length));
}

static void store(void *, uint64_t to, const void *from, size_t length) {
    require(user_store(actor[TRANSCRIPT_FIRST], to, from, length));
}

static void pass_line(void *context, const char *text) {
    sink(context, text);
}

void on_host_boot(unsigned cpus, struct property *property) {
    machine_boot(&(struct machine_options){.cpus = cpus, .memory = 32 << 20, .property = property});
    host_time_advance(1000); // what happens at 0 has not happened, by the record of a process
    actor[TRANSCRIPT_FIRST] = machine_init();
    actor[TRANSCRIPT_PARTNER] = machine_spawn_as(machine_init(), "partner", nullptr, nullptr, PRIORITY_DEFAULT,
                                                 TRANSCRIPT_USER, TRANSCRIPT_USER);
    require(actor[TRANSCRIPT_PARTNER] != nullptr);
}

bool on_host_run(uint64_t seed, unsigned count, on_host_line *line, void *context) {
    sink = line;
    const struct user *first = actor[TRANSCRIPT_FIRST], *partner = actor[TRANSCRIPT_PARTNER];
    const struct transcript_machine machine = {.context = context,
                                               .call = call,
                                               .load = load,
                                               .store = store,
                                               .line = pass_line,
                                               .root = first->root,
                                               .process = {first->own, partner->own},
                                               .partner = partner->process};
    return transcript_run(&machine, seed, count);
}
