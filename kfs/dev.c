// /dev/{console,null,zero,power}: devices that the kernel itself drives. See kfs/doc/dev.md.
#include "abi/abi.h"
#include "base/str.h"
#include "kernel/console.h"
#include "kernel/fault.h"
#include "kernel/include/arch.h"
#include "kernel/log.h"
#include "kernel/panic.h"
#include "kernel/process.h"
#include "kernel/thread.h"
#include "kfs/command.h"
#include "kfs/tree.h"

static const char zeroes[1024];

// Room is tried with zeroes first: what was taken from the console cannot be put back.
static long console_read(struct thread *, user_ptr_t buffer, uint64_t length) {
    uint64_t queued = console_get_stats().queued;
    if (queued == 0) {
        return length == 0 ? 0 : ERR_EMPTY;
    }
    char part[CONSOLE_WRITE_MAX];
    uint64_t wanted = length < queued ? length : queued;
    wanted = wanted < sizeof part ? wanted : sizeof part;
    status_t status = user_copy_out(buffer, zeroes, wanted);
    if (status < 0) {
        return status;
    }
    size_t taken = console_take(part, wanted);
    status = user_copy_out(buffer, part, taken);
    KASSERT(status == 0); // nothing has changed the caller's memory since the zeroes
    return (long)taken;
}

static long console_write(struct thread *, user_ptr_t buffer, uint64_t length) {
    char part[CONSOLE_WRITE_MAX];
    length = length < sizeof part ? length : sizeof part;
    status_t status = user_copy_in(part, buffer, length);
    if (status < 0) {
        return status;
    }
    return length == 0 || console_put(part, length) ? (long)length : ERR_FULL;
}

static long swallow(struct thread *, user_ptr_t, uint64_t length) {
    return (long)length;
}

static long zero_read(struct thread *, user_ptr_t buffer, uint64_t length) {
    for (uint64_t done = 0; done < length;) {
        uint64_t size = length - done < sizeof zeroes ? length - done : sizeof zeroes;
        status_t status = user_copy_out((user_ptr_t){buffer.va + done}, zeroes, size);
        if (status < 0) {
            return status;
        }
        done += size;
    }
    return (long)length;
}

static long power_command(struct node *, struct thread *self, const char *command) {
    int32_t status;
    bool reset = str_equal(command, "reset");
    if (!reset && (!command_number(command, "off", 0, &status) || status < 0)) {
        return ERR_INVALID;
    }
    if (self->process->owner != 0) {
        return ERR_ACCESS;
    }
    log_print("power: %s, asked for by %s (%u)", reset ? "reset" : "off", self->process->name,
              (unsigned)self->process->pid);
    fault_write_all();
    console_finish();
    if (reset) {
        arch_power_reset();
    }
    arch_power_off((unsigned)status);
}

static const struct tree_ops console_ops = {.read = console_read, .write = console_write, .source = console_source};
static const struct tree_ops null_ops = {.write = swallow};
static const struct tree_ops zero_ops = {.read = zero_read, .write = swallow};
static const struct tree_ops power_ops = {.command = power_command};

static const struct tree_entry entries[] = {
    {"dev/console", NODE_DEVICE, 0622, &console_ops},
    {"dev/null", NODE_DEVICE, 0666, &null_ops},
    {"dev/zero", NODE_DEVICE, 0666, &zero_ops},
    {"dev/power", NODE_DEVICE, 0200, &power_ops},
};

status_t dev_build(struct node *root) {
    return tree_build(root, entries, sizeof entries / sizeof entries[0]);
}
