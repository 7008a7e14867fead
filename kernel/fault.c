#include "kernel/fault.h"

#include "base/format.h"
#include "base/memory.h"
#include "kernel/backtrace.h"
#include "kernel/console.h"
#include "kernel/log.h"
#include "kernel/panic.h"
#include "kernel/process.h"
#include "kernel/slab.h"
#include "kernel/slice.h"
#include "kernel/thread.h"

enum { TRACE_WIDTH = 8 }; // addresses in a line
// Of a slice's budget: to make a line, one that may be long, and to tell it, with so many bytes for a unit.
enum { MAKE_UNITS = 10, MAKE_UNITS_LONG = 40, TELL_UNITS = 12, TELL_BYTES = 5 };

// Lines of a report: what happened, the back trace, a heading, a register each.
enum { LINE_FAULT, LINE_TRACE, LINE_HEADING = LINE_TRACE + FAULT_TRACE_MAX / TRACE_WIDTH, LINE_REGISTERS };

static struct list records = LIST_INIT(records); // by the order of faults; the first one's report has begun, or is next
static struct slice writer;                      // queued, or waiting for the console, while there are any
static char line[CONSOLE_LINE_MAX];              // of the first, to be told next; zero-terminated, without a line end
static size_t line_length;                       // 0: it is to be made

// ---- what is told ----------------------------------------------------------------------------------------------------

static const char *access_name(unsigned access) {
    return access == ARCH_PROT_WRITE ? "write to" : access == ARCH_PROT_EXEC ? "execution at" : "read of";
}

static const char *kind_name(enum fault_kind kind) {
    switch (kind) {
    case FAULT_PAGE:
        return "page fault";
    case FAULT_INSTRUCTION:
        return "undefined or privileged instruction";
    case FAULT_ARITHMETIC:
        return "arithmetic error";
    case FAULT_ALIGNMENT:
        return "misaligned access";
    case FAULT_BREAKPOINT:
        return "breakpoint";
    case FAULT_PROTECTION:
        return "protection violation";
    case FAULT_MACHINE:
        return "machine error";
    }
    return "fault";
}

// Why a page fault was not resolved.
static const char *page_reason(const struct process *process, const struct fault *fault, status_t status) {
    if (status == ERR_NO_MEMORY) {
        return "there is no memory left for the page";
    }
    if (fault->address < ARCH_USER_BASE) {
        return "a null pointer: nothing is ever mapped there";
    }
    if (fault->address >= ARCH_USER_TOP) {
        return "the address belongs to the kernel";
    }
    if (space_find(&process->space, fault->address) == nullptr) {
        return "nothing is mapped there";
    }
    return fault->access == ARCH_PROT_WRITE  ? "the mapping is read-only"
           : fault->access == ARCH_PROT_EXEC ? "the mapping is not executable"
                                             : "the mapping is not readable";
}

// Behind what the line holds, as far as there is room.
[[gnu::format(printf, 1, 2)]] static void add(const char *message, ...) {
    va_list args;
    va_start(args, message);
    line_length += vformat(line + line_length, sizeof line - line_length, message, args);
    va_end(args);
    line_length = line_length < sizeof line ? line_length : sizeof line - 1;
}

static void add_fault(const struct thread *thread) {
    const struct fault *fault = &thread->fault.fault;
    unsigned long long pc = arch_frame_pc(&thread->frame);
    add("fault: program %s, process %u, thread %u: ", thread->process->name, thread->process->pid, thread->id);
    if (fault->kind == FAULT_PAGE) {
        add("%s address 0x%llx at pc 0x%llx: %s (%s)", access_name(fault->access), (unsigned long long)fault->address,
            pc, thread->fault.reason, fault->name);
    } else {
        add("%s at pc 0x%llx (%s, code 0x%llx)", kind_name(fault->kind), pc, fault->name,
            (unsigned long long)fault->code);
    }
}

static void add_trace(const struct fault_record *record, unsigned from) {
    add("%s", from == 0 ? "back trace:" : "           ");
    for (unsigned i = from; i < record->depth && i < from + TRACE_WIDTH; i++) {
        add(" 0x%llx", (unsigned long long)record->trace[i]);
    }
}

// False: the report is whole.
static bool make_line(struct thread *thread) {
    struct fault_record *record = &thread->fault;
    if (record->line > LINE_TRACE && record->line < LINE_HEADING &&
        (record->line - LINE_TRACE) * TRACE_WIDTH >= record->depth) {
        record->line = LINE_HEADING;
    }
    unsigned number = record->line++;
    line_length = 0;
    if (number == LINE_FAULT) {
        add_fault(thread);
    } else if (number < LINE_HEADING) {
        add_trace(record, (number - LINE_TRACE) * TRACE_WIDTH);
    } else if (number == LINE_HEADING) {
        add("registers:");
    } else {
        uint64_t value;
        const char *name = arch_frame_register(&thread->frame, number - LINE_REGISTERS, &value);
        if (name == nullptr) {
            return false;
        }
        add("%s %016llx", name, (unsigned long long)value);
    }
    return true;
}

// ---- how -------------------------------------------------------------------------------------------------------------

static struct thread *first_of(const struct list *list) {
    struct list *link = list_first(list);
    return link == nullptr ? nullptr : container_of(link, struct thread, fault.link);
}

// Into fault_text, as far as there is room.
static void keep_line(struct thread *thread) {
    struct fault_record *record = &thread->fault;
    char *text = thread->process->fault_text;
    if (text != nullptr && line_length + 1 < FAULT_TEXT_MAX - record->told) {
        memcpy(text + record->told, line, line_length);
        record->told += line_length;
        text[record->told++] = '\n';
        text[record->told] = '\0';
    }
}

static void end_report(struct thread *thread) {
    list_remove(&thread->fault.link);
    console_claim(false);
    process_reported(thread->process);
    object_unref(&thread->object);
}

// What the next part of a report is worth, in units of a slice.
static unsigned next_units(const struct thread *thread) {
    if (line_length > 0) {
        return TELL_UNITS + (unsigned)line_length / TELL_BYTES;
    }
    return thread->fault.line < LINE_HEADING ? MAKE_UNITS_LONG : MAKE_UNITS;
}

// Make a line, tell it, or end the report.
static void go_on(struct thread *thread) {
    if (line_length > 0) {
        log_alert_line(line, line_length);
        keep_line(thread);
        line_length = 0;
    } else if (make_line(thread)) {
        console_claim(true);
    } else {
        end_report(thread);
    }
}

static bool write_some(struct slice *, unsigned *budget) {
    while (!list_empty(&records)) {
        if (!console_roomy()) {
            console_await(&writer, write_some);
            return true;
        }
        // A part that is worth more than the rest of a share begins the next one.
        unsigned units = next_units(first_of(&records));
        if (units > *budget && *budget < SLICE_BUDGET) {
            *budget = 0;
            return false;
        }
        slice_spend(budget, units);
        go_on(first_of(&records));
    }
    return true;
}

void fault_report(struct thread *self, const struct fault *fault, status_t status) {
    struct process *process = self->process;
    KASSERT(self->wait_count == 0);
    self->fault = (struct fault_record){.fault = *fault};
    self->fault.reason = fault->kind == FAULT_PAGE ? page_reason(process, fault, status) : nullptr;
    self->fault.depth = backtrace(&self->frame, self->fault.trace, FAULT_TRACE_MAX);
    object_ref(&self->object);
    process_reporting(process);
    process->fault_text = slab_alloc_partly(FAULT_TEXT_MAX, 1); // or there is none: the console and the log tell
    if (list_empty(&records)) {
        slice_queue(&writer, write_some);
    }
    list_push_back(&records, &self->fault.link);
}

void fault_write_all(void) {
    while (!list_empty(&records)) {
        go_on(first_of(&records));
    }
}

void fault_write_rest(void) {
    for (struct thread *thread = first_of(&records); thread != nullptr; thread = first_of(&records)) {
        if (thread->fault.line > LINE_FAULT) {
            log_panic("rest of the report on process %u:\n", thread->process->pid);
        }
        while (line_length > 0 || make_line(thread)) {
            log_panic("%s\n", line);
            line_length = 0;
        }
        list_remove(&thread->fault.link);
    }
}

void fault_kernel_report(const struct arch_frame *frame, const struct fault *fault) {
    panic_begin();
    log_panic("\nkernel panic: %s in the kernel (%s, code 0x%llx)", kind_name(fault->kind), fault->name,
              (unsigned long long)fault->code);
    if (fault->kind == FAULT_PAGE) {
        log_panic(": %s address 0x%llx, %s", access_name(fault->access), (unsigned long long)fault->address,
                  fault->present ? "which its mapping forbids" : "which is not mapped");
    }
    log_panic(" at pc 0x%llx\nback trace:", (unsigned long long)arch_frame_pc(frame));
    uint64_t trace[FAULT_TRACE_MAX];
    unsigned depth = backtrace(frame, trace, FAULT_TRACE_MAX);
    for (unsigned i = 0; i < depth; i++) {
        log_panic(" 0x%llx", (unsigned long long)trace[i]);
    }
    log_panic("\nregisters:\n");
    uint64_t value;
    const char *name;
    for (unsigned i = 0; (name = arch_frame_register(frame, i, &value)) != nullptr; i++) {
        log_panic("%s %016llx\n", name, (unsigned long long)value);
    }
    panic_end();
}
