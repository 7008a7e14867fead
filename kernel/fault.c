#include "kernel/fault.h"

#include "base/format.h"
#include "base/memory.h"
#include "kernel/include/trap.h"
#include "kernel/log.h"
#include "kernel/panic.h"
#include "kernel/process.h"
#include "kernel/slab.h"
#include "kernel/thread.h"

enum { BACKTRACE_MAX = 16 };

// A report under construction: zero-terminated, cut at the end if there is no more room.
struct text {
    char *at;
    size_t length, capacity;
};

static void add_bytes(void *context, const char *bytes, size_t length) {
    struct text *text = context;
    size_t room = text->capacity - 1 - text->length;
    if (length > room) {
        length = room;
    }
    memcpy(text->at + text->length, bytes, length);
    text->length += length;
    text->at[text->length] = '\0';
}

[[gnu::format(printf, 2, 3)]] static void add(struct text *text, const char *message, ...) {
    va_list args;
    va_start(args, message);
    format_to(add_bytes, text, message, args);
    va_end(args);
}

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

static void describe(struct text *text, const struct thread *self, const struct fault *fault, status_t status) {
    const struct process *process = self->process;
    add(text, "fault: program %s, process %u, thread %u: ", process->name, process->pid, self->id);
    uint64_t pc = arch_frame_pc(&self->frame);
    if (fault->kind == FAULT_PAGE) {
        add(text, "%s address 0x%llx at pc 0x%llx: %s (%s)\n", access_name(fault->access),
            (unsigned long long)fault->address, (unsigned long long)pc, page_reason(process, fault, status),
            fault->name);
    } else {
        add(text, "%s at pc 0x%llx (%s, code 0x%llx)\n", kind_name(fault->kind), (unsigned long long)pc, fault->name,
            (unsigned long long)fault->code);
    }
    uint64_t trace[BACKTRACE_MAX];
    unsigned depth = arch_frame_backtrace(&self->frame, trace, BACKTRACE_MAX);
    add(text, "back trace:");
    for (unsigned i = 0; i < depth; i++) {
        add(text, " 0x%llx", (unsigned long long)trace[i]);
    }
    add(text, "\nregisters:\n");
    arch_frame_print(&self->frame, add_bytes, text);
}

void fault_report(struct thread *self, const struct fault *fault, status_t status) {
    static char buffer[FAULT_TEXT_MAX]; // under the lock; there must be a report even when memory has run out
    struct text text = {.at = buffer, .capacity = sizeof buffer};
    describe(&text, self, fault, status);
    for (const char *line = buffer; *line != '\0';) {
        size_t length = 0;
        while (line[length] != '\0' && line[length] != '\n') {
            length++;
        }
        log_alert("%.*s", (int)length, line);
        line += length + (line[length] == '\n' ? 1 : 0);
    }
    struct process *process = self->process;
    if (process->fault_text == nullptr) {
        process->fault_text = slab_alloc(FAULT_TEXT_MAX);
    }
    if (process->fault_text != nullptr) {
        memcpy(process->fault_text, buffer, text.length + 1);
    }
}

static void emit_panic(void *, const char *bytes, size_t length) {
    log_panic("%.*s", (int)length, bytes);
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
    uint64_t trace[BACKTRACE_MAX];
    unsigned depth = arch_frame_backtrace(frame, trace, BACKTRACE_MAX);
    for (unsigned i = 0; i < depth; i++) {
        log_panic(" 0x%llx", (unsigned long long)trace[i]);
    }
    log_panic("\nregisters:\n");
    arch_frame_print(frame, emit_panic, nullptr);
    panic_end();
}
