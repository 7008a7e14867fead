// A plugin for QEMU that counts what the machine executes, from outside, without any help of the kernel. scripts/bench
// builds and loads it: -plugin counter.so,config=FILE,out=FILE; where `out` is a folder, each machine writes a file of its
// own into it.
//
// Each instruction counts once, before it executes, as the kernel's or as a user program's, by its virtual address: the
// kernel's are those of the upper half on every machine. The configuration is lines of words; addresses in hexadecimal:
//
//   mark ADDRESS           executing this begins a new run
//   head ADDRESS NAME      the first instruction of an iteration: each time, the counts since the last time in this run
//                          are one sample
//   trace NAME FROM COUNT  the addresses of all instructions of COUNT samples of that head, from the FROM-th on
//   firmware LOW HIGH      instructions here count for neither
//   resume ADDRESS         the first pass of this instruction ends the boot
//   leave ADDRESS          behind this instruction interrupts are on: a return to user mode, or a halt
//   stay LEAST             keep the stays in the kernel of at least so many instructions
//
// A stay is what one CPU executes of the kernel from one entry to where it leaves: interrupts are off in all of it. Of each
// place where stays spend their time (the instruction that executed most often), the longest is kept. What happens before
// the kernel first goes to a thread is boot and no stay.
//
// At its end it writes the samples of each run and head as lines "sample RUN NAME KERNEL USER HOW_OFTEN"; a line
// "boot COUNT" with the kernel's instructions in the boot; the traces as "trace NAME KERNEL USER" and the
// addresses, one a line, "." behind the last; the stays in the same form as "stay LENGTH CPU"; and
// "cpus N", as many as executed anything of the kernel.
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// What is used of QEMU's interface for plugins; the plugin says which version of it that is.
typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
extern void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
                                                  void (*callback)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb));
extern void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, void (*callback)(qemu_plugin_id_t id, void *data),
                                           void *data);
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
extern struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
extern uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
extern void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
                                                   void (*callback)(unsigned cpu, void *data), int flags, void *data);

[[gnu::visibility("default")]] extern int qemu_plugin_version;
int qemu_plugin_version = PLUGIN_VERSION;
[[gnu::visibility("default")]] int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv);

enum {
    NO_REGISTERS = 0, // QEMU_PLUGIN_CB_NO_REGS: the callback looks at none
    HEADS_MAX = 64,
    CPUS_MAX = 64,
    LEAVES_MAX = 256,
    STAYS_MAX = 64,
    LOG_MAX = 1 << 21, // instructions of which the addresses are kept; a longer stay keeps its first
    NAME_MAX_LENGTH = 64,
};

struct sample {
    uint32_t run;
    uint32_t head;
    uint32_t kernel;
    uint32_t user;
};

struct head {
    char name[NAME_MAX_LENGTH];
    uint64_t address;
    bool begun; // in this run
    uint64_t kernel;
    uint64_t user;
    uint64_t passes; // in this run
};

struct log {
    uint64_t count; // also of what did not fit
    uint64_t *address;
};

struct stay {
    uint64_t place;
    uint64_t length;
    unsigned cpu;
    uint64_t kept;
    uint64_t *address;
};

static struct head heads[HEADS_MAX];
static unsigned head_count;
static uint64_t leaves[LEAVES_MAX];
static unsigned leave_count;
static uint64_t mark;
static uint64_t firmware_low;
static uint64_t firmware_high;
static uint64_t stay_least;
static int trace_head = -1;
static char trace_name[NAME_MAX_LENGTH];
static uint64_t trace_from;
static uint64_t trace_count;
static char out_path[4096];

static uint64_t kernel_executed;
static uint64_t user_executed;
static uint64_t boot;
static uint64_t resume_address;
static bool booted;
static uint32_t run;
static struct sample *samples;
static size_t sample_count;
static size_t sample_room;

static bool tracing;
static struct log trace;
static FILE *out;

static struct log running[CPUS_MAX];
static struct stay stays[STAYS_MAX];
static unsigned stay_count;
static unsigned cpus;

[[noreturn]] static void fail(const char *what) {
    (void)fprintf(stderr, "counter: %s\n", what);
    exit(1);
}

static void *allocate(size_t size) {
    void *memory = malloc(size);
    if (memory == nullptr) {
        fail("no memory");
    }
    return memory;
}

static void log_add(struct log *log, uint64_t address) {
    if (log->address == nullptr) {
        log->address = allocate(LOG_MAX * sizeof *log->address);
    }
    if (log->count < LOG_MAX) {
        log->address[log->count] = address;
    }
    log->count++;
}

static uint64_t log_kept(const struct log *log) {
    return log->count < LOG_MAX ? log->count : LOG_MAX;
}

// ---- stays in the kernel ---------------------------------------------------------------------------------------------

// The address that occurs most often, by a table of counts; of several that share a slot the first stands for all.
static uint64_t busiest(const struct log *log) {
    enum { SLOTS = 4096 };
    static uint64_t address[SLOTS];
    static uint64_t count[SLOTS];
    memset(address, 0, sizeof address);
    memset(count, 0, sizeof count);
    unsigned best = 0;
    for (uint64_t i = 0; i < log_kept(log); i++) {
        unsigned slot = (unsigned)(log->address[i] * 0x9e3779b97f4a7c15u >> 52);
        address[slot] = address[slot] == 0 ? log->address[i] : address[slot];
        if (++count[slot] > count[best]) {
            best = slot;
        }
    }
    return address[best];
}

static void stay_end(unsigned cpu) {
    struct log *log = &running[cpu];
    if (log->count >= stay_least) {
        uint64_t place = busiest(log);
        unsigned at = 0;
        while (at < stay_count && stays[at].place != place) {
            at++;
        }
        if (at < STAYS_MAX && (at == stay_count || stays[at].length < log->count)) {
            stay_count += at == stay_count;
            free(stays[at].address);
            stays[at] = (struct stay){.place = place, .length = log->count, .cpu = cpu, .kept = log_kept(log)};
            stays[at].address = allocate(stays[at].kept * sizeof *log->address);
            memcpy(stays[at].address, log->address, stays[at].kept * sizeof *log->address);
        }
    }
    log->count = 0;
}

// ---- what happens at instructions ------------------------------------------------------------------------------------

static void at_kernel(unsigned cpu, void *data) {
    kernel_executed++;
    cpus = cpu >= cpus ? cpu + 1 : cpus;
    if (stay_least != 0 && booted) {
        log_add(&running[cpu], (uintptr_t)data);
    }
    if (tracing) {
        log_add(&trace, (uintptr_t)data);
    }
}

static void at_leave(unsigned cpu, void *) {
    stay_end(cpu);
}

static void at_resume(unsigned, void *) {
    if (!booted) {
        booted = true;
        boot = kernel_executed;
    }
}

static void at_user(unsigned cpu, void *data) {
    user_executed++;
    if (running[cpu].count != 0) {
        stay_end(cpu);
    }
    if (tracing) {
        log_add(&trace, (uintptr_t)data);
    }
}

static void write_log(const uint64_t *address, uint64_t count) {
    for (uint64_t i = 0; i < count; i++) {
        (void)fprintf(out, "%" PRIx64 "\n", address[i]);
    }
    (void)fputs(".\n", out);
}

static void at_mark(unsigned, void *) {
    run++;
    for (unsigned i = 0; i < head_count; i++) {
        heads[i].begun = false;
        heads[i].passes = 0;
    }
}

static void keep_sample(const struct head *head, unsigned index) {
    if (sample_count == sample_room) {
        sample_room = sample_room == 0 ? 1 << 16 : 2 * sample_room;
        samples = realloc(samples, sample_room * sizeof *samples);
        if (samples == nullptr) {
            fail("no memory");
        }
    }
    samples[sample_count++] = (struct sample){.run = run,
                                              .head = index,
                                              .kernel = (uint32_t)(kernel_executed - head->kernel),
                                              .user = (uint32_t)(user_executed - head->user)};
}

static void at_head(unsigned, void *data) {
    unsigned index = (unsigned)(uintptr_t)data;
    struct head *head = &heads[index];
    if (head->begun) {
        keep_sample(head, index);
    }
    if (tracing && trace_head == (int)index) {
        (void)fprintf(out, "trace %s %" PRIu64 " %" PRIu64 "\n", head->name, kernel_executed - head->kernel,
                      user_executed - head->user);
        write_log(trace.address, log_kept(&trace));
        tracing = false;
    }
    if (trace_head == (int)index && head->passes >= trace_from && head->passes < trace_from + trace_count) {
        trace.count = 0;
        tracing = true;
    }
    head->begun = true;
    head->passes++;
    head->kernel = kernel_executed;
    head->user = user_executed;
}

static bool is_kernel(uint64_t address) {
    return address >> 63 != 0;
}

static void translated(qemu_plugin_id_t, struct qemu_plugin_tb *tb) {
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        uint64_t address = qemu_plugin_insn_vaddr(insn);
        if (address >= firmware_low && address < firmware_high) {
            continue;
        }
        for (unsigned head = 0; head < head_count; head++) {
            if (heads[head].address == address) { // before it counts itself: it belongs to the next iteration
                qemu_plugin_register_vcpu_insn_exec_cb(insn, at_head, NO_REGISTERS, (void *)(uintptr_t)head);
            }
        }
        if (address == resume_address) {
            qemu_plugin_register_vcpu_insn_exec_cb(insn, at_resume, NO_REGISTERS, nullptr);
        }
        if (address == mark) {
            qemu_plugin_register_vcpu_insn_exec_cb(insn, at_mark, NO_REGISTERS, nullptr);
        }
        qemu_plugin_register_vcpu_insn_exec_cb(insn, is_kernel(address) ? at_kernel : at_user, NO_REGISTERS,
                                               (void *)(uintptr_t)address);
        for (unsigned leave = 0; leave < leave_count; leave++) {
            if (leaves[leave] == address) {
                qemu_plugin_register_vcpu_insn_exec_cb(insn, at_leave, NO_REGISTERS, nullptr);
            }
        }
    }
}

// ---- the end ---------------------------------------------------------------------------------------------------------

static int compare(const void *a, const void *b) {
    return memcmp(a, b, sizeof(struct sample));
}

static void finish(qemu_plugin_id_t, void *) {
    (void)fprintf(out, "boot %" PRIu64 "\ncpus %u\n", boot, cpus);
    qsort(samples, sample_count, sizeof *samples, compare);
    for (size_t i = 0, next; i < sample_count; i = next) {
        for (next = i + 1; next < sample_count && compare(&samples[i], &samples[next]) == 0; next++) {
        }
        (void)fprintf(out, "sample %u %s %u %u %zu\n", samples[i].run, heads[samples[i].head].name, samples[i].kernel,
                      samples[i].user, next - i);
    }
    for (unsigned i = 0; i < stay_count; i++) {
        (void)fprintf(out, "stay %" PRIu64 " %u\n", stays[i].length, stays[i].cpu);
        write_log(stays[i].address, stays[i].kept);
    }
    if (fclose(out) != 0) {
        fail("cannot write the results");
    }
}

static bool configure(char *line) {
    char name[NAME_MAX_LENGTH];
    uint64_t a;
    uint64_t b;
    if (sscanf(line, "mark %" SCNx64, &a) == 1) {
        mark = a;
    } else if (sscanf(line, "head %" SCNx64 " %63s", &a, name) == 2 && head_count < HEADS_MAX) {
        heads[head_count].address = a;
        memcpy(heads[head_count++].name, name, sizeof name);
    } else if (sscanf(line, "trace %63s %" SCNu64 " %" SCNu64, trace_name, &a, &b) == 3) {
        trace_from = a;
        trace_count = b;
    } else if (sscanf(line, "resume %" SCNx64, &a) == 1) {
        resume_address = a;
    } else if (sscanf(line, "firmware %" SCNx64 " %" SCNx64, &a, &b) == 2) {
        firmware_low = a;
        firmware_high = b;
    } else if (sscanf(line, "leave %" SCNx64, &a) == 1 && leave_count < LEAVES_MAX) {
        leaves[leave_count++] = a;
    } else if (sscanf(line, "stay %" SCNu64, &a) == 1) {
        stay_least = a;
    } else {
        return false;
    }
    return true;
}

int qemu_plugin_install(qemu_plugin_id_t id, const void *, int argc, char **argv) {
    FILE *config = nullptr;
    char line[256];
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "config=", 7) == 0) {
            config = fopen(argv[i] + 7, "r");
        } else if (strncmp(argv[i], "out=", 4) == 0) {
            bool folder = argv[i][strlen(argv[i]) - 1] == '/';
            (void)snprintf(out_path, sizeof out_path, folder ? "%s%d" : "%s", argv[i] + 4, (int)getpid());
        }
    }
    out = fopen(out_path, "w");
    if (config == nullptr || out == nullptr) {
        (void)fprintf(stderr, "counter: config=FILE and out=FILE are needed\n");
        return 1;
    }
    while (fgets(line, sizeof line, config) != nullptr) {
        if (!configure(line)) {
            (void)fprintf(stderr, "counter: not understood: %s", line);
            return 1;
        }
    }
    (void)fclose(config);
    for (unsigned i = 0; i < head_count; i++) {
        if (strcmp(heads[i].name, trace_name) == 0) {
            trace_head = (int)i;
        }
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, finish, nullptr);
    return 0;
}
