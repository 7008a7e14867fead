// Output to the console: in order, in whole pieces, and nothing lost, whatever the line is like. Reports of faults are part
// of it.
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/calls.h"
#include "kernel/console.h"
#include "kernel/log.h"
#include "kernel/process.h"
#include "machine.h"
#include "property.h"

static char expected[1 << 16];
static size_t expected_length;

static void boot(unsigned cpus) {
    machine_boot(&(struct machine_options){.cpus = cpus});
    expected_length = 0;
    host_console_clear();
}

static handle_t open_console(struct user *self) {
    int64_t console = user_open(self, self->root, "/dev/console", OPEN_READ | OPEN_WRITE, 0);
    require(console > 0);
    return (handle_t)console;
}

// What the line must have got of a text.
static void expect(const char *text, size_t length) {
    require(expected_length + 2 * length <= sizeof expected);
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\n') {
            expected[expected_length++] = '\r';
        }
        expected[expected_length++] = text[i];
    }
}

static void came_as_expected(void) {
    const char *output;
    size_t length = host_console_output(&output);
    cr_assert_eq(length, expected_length, "%zu bytes came, not %zu:\n%s", length, expected_length, output);
    cr_assert_eq(memcmp(output, expected, length), 0, "%s", output);
}

static char piece[CONSOLE_WRITE_MAX];

// The n-th piece, of any length and with any line ends in it.
static size_t make_piece(unsigned n) {
    size_t length = 1 + n * 37 % sizeof piece;
    for (size_t i = 0; i < length; i++) {
        piece[i] = (n * 7 + i) % 19 == 0 ? '\n' : (char)('a' + (n + i) % 26);
    }
    return length;
}

// Write until there is no room: how many pieces were taken.
static unsigned fill(struct user *self, handle_t console) {
    for (unsigned n = 0;; n++) {
        size_t length = make_piece(n);
        int64_t status = user_write(self, console, piece, length, OFFSET_CURRENT);
        if (status == ERR_FULL) {
            return n;
        }
        require_equal(status, length);
        expect(piece, length);
    }
}

Test(console, a_line_that_is_behind_gets_everything) {
    boot(1);
    struct user *self = machine_init();
    handle_t console = open_console(self);
    host_console_line(0, 0);
    unsigned taken = fill(self, console);
    cr_assert_gt(taken, 50);
    struct console_stats stats = console_get_stats();
    cr_assert_eq(stats.sending, expected_length);
    cr_assert_eq(user_write(self, console, "", 0, OFFSET_CURRENT), 0);
    cr_assert_eq(user_wait_one(self, console, EVENT_WRITABLE, host_time() + 50000000), USER_PARKED);
    cr_assert_eq(user_finish(self), ERR_TIMED_OUT);
    // 16 bytes at each look.
    host_console_line(16, 1);
    cr_assert_eq(user_wait_one(self, console, EVENT_WRITABLE, FOREVER), USER_PARKED);
    cr_assert_eq(user_finish(self), 0);
    cr_assert_eq(user_write(self, console, "again\n", 6, OFFSET_CURRENT), 6);
    expect("again\n", 6);
    machine_run_until_idle();
    came_as_expected();
    cr_assert_eq(console_get_stats().sending, 0);
    cr_assert_eq(console_get_stats().lost, 0);
}

Test(console, a_line_that_takes_nothing_for_long_gets_everything) {
    boot(1);
    struct user *self = machine_init();
    handle_t console = open_console(self);
    host_console_line(0, 0);
    fill(self, console);
    machine_run(host_time() + 60000000000);
    cr_assert_eq(user_write(self, console, "x", 1, OFFSET_CURRENT), ERR_FULL);
    host_console_line(SIZE_MAX, 0);
    machine_run_until_idle();
    came_as_expected();
}

enum { WRITERS = 3, LINES = 120 };

static void write_lines(struct user *self) {
    handle_t console = open_console(self);
    for (unsigned n = 0; n < LINES; n++) {
        char line[64];
        int length = snprintf(line, sizeof line, "%s %u from beginning to end\n", (const char *)self->context, n);
        int64_t status;
        while ((status = user_write(self, console, line, (size_t)length, OFFSET_CURRENT)) == ERR_FULL) {
            require_equal(user_wait_one(self, console, EVENT_WRITABLE, FOREVER), 0);
        }
        require_equal(status, length);
    }
}

static void lines_stay_whole(struct property *p) {
    unsigned cpus = (unsigned)property_between(p, "cpus", 1, 4);
    machine_boot(&(struct machine_options){.cpus = cpus, .property = p});
    host_console_clear();
    host_console_line(property_between(p, "bytes at once", 1, 40), (unsigned)property_choose(p, "pause", 4));
    static char *names[WRITERS] = {"one", "two", "three"};
    for (unsigned i = 0; i < WRITERS; i++) {
        machine_spawn(machine_init(), names[i], write_lines, names[i], PRIORITY_DEFAULT);
    }
    machine_run_until_idle();
    unsigned next[WRITERS] = {};
    const char *at;
    host_console_output(&at);
    while (*at != '\0') {
        char name[8];
        unsigned n, i = 0;
        int length = 0;
        property_check(p, sscanf(at, "%7s %u from beginning to end\r\n%n", name, &n, &length) == 2 && length > 0);
        while (i < WRITERS && strcmp(name, names[i]) != 0) {
            i++;
        }
        property_check(p, i < WRITERS && n == next[i]);
        next[i]++;
        at += length;
    }
    for (unsigned i = 0; i < WRITERS; i++) {
        property_equal(p, next[i], LINES);
    }
    machine_check();
}

Test(console, lines_of_several_writers_stay_whole) {
    cr_assert(property_run("lines_stay_whole", 20, lines_stay_whole));
}

Test(console, a_line_of_the_kernel_begins_a_line) {
    boot(1);
    struct user *self = machine_init();
    handle_t console = open_console(self);
    require_equal(user_write(self, console, "half", 4, OFFSET_CURRENT), 4);
    host_become(0);
    console_line("kernel\n", 7);
    console_line("\n", 1);
    require_equal(user_write(self, console, "rest", 4, OFFSET_CURRENT), 4);
    expect("half\nkernel\n\nrest", 17);
    came_as_expected();
}

Test(console, the_power_goes_behind_everything) {
    boot(1);
    struct user *self = machine_init();
    handle_t console = open_console(self);
    host_console_line(0, 0);
    fill(self, console);
    uint64_t power = (uint64_t)user_open(self, self->root, "/dev/power", OPEN_WRITE, 0);
    host_console_line(5, 9);
    cr_assert(user_store(self, self->scratch, "off", 3));
    user_begin(self, CALL_WRITE, (const uint64_t[6]){power, self->scratch, 3});
    cr_assert_eq(machine_run_to_end(), HOST_POWER_OFF);
    came_as_expected();
}

Test(console, a_panic_comes_behind_everything) {
    boot(1);
    struct user *self = machine_init();
    handle_t console = open_console(self);
    host_console_line(0, 0);
    fill(self, console);
    host_console_line(7, 3);
    host_enter(0, HOST_KERNEL_FAULT, &(struct fault){.kind = FAULT_PROTECTION, .name = "#GP"});
    cr_assert_eq(host_ended(), HOST_PANIC);
    const char *output;
    host_console_output(&output);
    cr_assert_eq(memcmp(output, expected, expected_length), 0, "%s", output);
    cr_assert_eq(strncmp(output + expected_length, "\r\nkernel panic: protection violation in the kernel (#GP", 54), 0);
    cr_assert_not_null(strstr(output + expected_length, "registers:\r\npc "));
}

// Each line of the boot is out before what comes next is done.
Test(console, the_boot_waits_for_a_slow_line) {
    struct host_options host = {.memory = 4u << 20};
    host_reset(&host);
    host_console_line(3, 7);
    cr_assert_not(host_boot());
    cr_assert_eq(host_ended(), HOST_PANIC);
    const char *output;
    host_console_output(&output);
    const char *first = strstr(output, "Isthmus "),
               *last = strstr(output, "\r\nkernel panic: cannot boot: no /bin/init");
    cr_assert(first != nullptr && last > first, "%s", output);
}

Test(console, a_flood_of_input_is_taken_in_parts) {
    boot(1);
    struct user *self = machine_init();
    handle_t console = open_console(self);
    char typed[3000], read[3000];
    for (size_t i = 0; i < sizeof typed; i++) {
        typed[i] = (char)('a' + i % 23);
    }
    host_console_type(typed, sizeof typed);
    host_enter(0, HOST_CONSOLE, nullptr);
    cr_assert_lt(console_get_stats().queued, 500);
    machine_run_until_idle();
    cr_assert_eq(console_get_stats().queued, sizeof typed);
    size_t length = 0;
    for (int64_t count; (count = user_read(self, console, read + length, sizeof read - length, OFFSET_CURRENT)) > 0;) {
        length += (size_t)count;
    }
    cr_assert_eq(length, sizeof typed);
    cr_assert_eq(memcmp(read, typed, length), 0);
}

// The newest lines, whole, however often the log has been written over; and those that come while it is read.
Test(console, the_log_is_read_line_by_line) {
    boot(1);
    struct user *self = machine_init();
    char text[LOG_SIZE + 1000];
    for (unsigned rounds = 0; rounds < 3; rounds++) {
        static unsigned n;
        int64_t log = user_open(self, self->root, "/kern/log", OPEN_READ, 0);
        cr_assert_gt(user_read(self, (handle_t)log, text, 100, OFFSET_CURRENT), 10);
        for (unsigned i = 0; i < 700; i++) {
            log_print("line %u of many %.*s", n, (int)(n % 60),
                      "which are not all of the same length but longer or shorter");
            n++;
        }
        log_print("%400s", "");
        int64_t length = user_text(self, "/kern/log", text, sizeof text);
        cr_assert(length > LOG_SIZE - 2 * CONSOLE_LINE_MAX && length <= LOG_SIZE, "%lld", (long long)length);
        unsigned lines = 0;
        for (const char *at = text; *at != '\0'; at = strchr(at, '\n') + 1) {
            cr_assert_eq(*at, '[');
            lines++;
        }
        const char *first = strstr(text, "] line ");
        cr_assert_not_null(first);
        cr_assert_eq(strtoul(first + 7, nullptr, 10), n - lines + 1);
        // The reader from before goes on with what is there now.
        int64_t part = user_read(self, (handle_t)log, text, sizeof text, OFFSET_CURRENT);
        cr_assert_gt(part, 0);
        cr_assert_eq(CALL(self, CLOSE, (uint64_t)log), 0);
    }
}

// ---- reports of faults -----------------------------------------------------------------------------------------------

static const char *const report_lines[] = {"fault: program ", "back trace: ", "registers:", "pc ", "sp ", "fp ",
                                           "number "};
enum { REPORT_LINES = sizeof report_lines / sizeof report_lines[0] };

static void fault(struct user *self) {
    user_work(self, 1000);
    user_raise(self, FAULT_INSTRUCTION);
}

static void write_whole(struct user *self, handle_t console, const char *text) {
    while (user_write(self, console, text, strlen(text), OFFSET_CURRENT) == ERR_FULL) {
        require_equal(user_wait_one(self, console, EVENT_WRITABLE, FOREVER), 0);
    }
}

// Start a program that faults, wait for its end, and say so.
static void start_one_that_faults(struct user *self) {
    handle_t console = open_console(self);
    char name[16], text[32];
    snprintf(name, sizeof name, "f%s", (const char *)self->context);
    struct user *child = machine_spawn(self, name, fault, nullptr, PRIORITY_DEFAULT);
    require(child != nullptr);
    snprintf(text, sizeof text, "begun %s\n", name);
    write_whole(self, console, text);
    require_equal(user_wait_one(self, child->process, EVENT_EXITED, FOREVER), 0);
    snprintf(text, sizeof text, "seen %s\n", name);
    write_whole(self, console, text);
}

// Next line of the output, or null; its time stamp is cut off.
static const char *next_line(const char **at, char *line, size_t capacity) {
    const char *end = strstr(*at, "\r\n");
    if (end == nullptr) {
        return nullptr;
    }
    const char *begin = **at == '[' ? strstr(*at, "] ") + 2 : *at;
    snprintf(line, capacity, "%.*s", (int)(end - begin), begin);
    *at = end + 2;
    return line;
}

static void reports_stay_whole(struct property *p) {
    unsigned cpus = (unsigned)property_between(p, "cpus", 1, 4);
    machine_boot(&(struct machine_options){.cpus = cpus, .property = p});
    host_console_clear();
    host_console_line(property_between(p, "bytes at once", 1, 100), (unsigned)property_choose(p, "pause", 3));
    static char *names[WRITERS] = {"one", "two", "three"};
    for (unsigned i = 0; i < WRITERS; i++) {
        machine_spawn(machine_init(), names[i], write_lines, names[i], PRIORITY_DEFAULT);
        machine_spawn(machine_init(), "starter", start_one_that_faults, names[i], PRIORITY_DEFAULT);
    }
    machine_run_until_idle();
    const char *at;
    char line[400], name[16];
    bool told[WRITERS] = {};
    unsigned seen = 0;
    host_console_output(&at);
    while (next_line(&at, line, sizeof line) != nullptr) {
        unsigned i = 0;
        if (sscanf(line, "fault: program f%15[a-z],", name) == 1) {
            while (strcmp(names[i], name) != 0) {
                i++;
            }
            for (unsigned n = 1; n < REPORT_LINES; n++) {
                property_check(p, next_line(&at, line, sizeof line) != nullptr &&
                                      strncmp(line, report_lines[n], strlen(report_lines[n])) == 0);
            }
            property_check(p, !told[i]);
            told[i] = true;
        } else if (sscanf(line, "seen f%15s", name) == 1) {
            while (strcmp(names[i], name) != 0) {
                i++;
            }
            property_check(p, told[i]); // an end is seen behind its report
            seen++;
        }
    }
    property_check(p, *at == '\0');
    property_equal(p, seen, WRITERS);
    machine_check();
}

Test(console, reports_stay_whole_and_come_before_the_end_is_seen) {
    cr_assert(property_run("reports_stay_whole", 30, reports_stay_whole));
}

static size_t fault_text(uint32_t pid, char *text, size_t capacity) {
    char path[32];
    snprintf(path, sizeof path, "/proc/%u/fault", pid);
    int64_t length = user_text(machine_init(), path, text, capacity);
    cr_assert_geq(length, 0);
    return (size_t)length;
}

// The report waits for a line that is behind, and so does the end of the process; not what it holds, and not for ever.
Test(console, a_line_that_takes_nothing_keeps_no_process_for_ever) {
    boot(1);
    struct user *self = machine_init();
    handle_t console = open_console(self);
    host_console_line(0, 0);
    fill(self, console);
    struct user *child = machine_spawn(self, "child", fault, nullptr, PRIORITY_DEFAULT);
    char text[FAULT_TEXT_MAX];
    cr_assert_eq(user_wait_one(self, child->process, EVENT_EXITED, host_time() + 500000000), USER_PARKED);
    cr_assert_eq(user_finish(self), ERR_TIMED_OUT);
    cr_assert_eq(fault_text(child->pid, text, sizeof text), 0);
    cr_assert_eq(process_by_pid(child->pid)->handles.used, 0);
    cr_assert_eq(user_wait_one(self, child->process, EVENT_EXITED, FOREVER), USER_PARKED);
    cr_assert_eq(user_finish(self), 0);
    cr_assert_gt(fault_text(child->pid, text, sizeof text), 100);
    cr_assert_gt(console_get_stats().lost, 100);
    char log[LOG_SIZE];
    cr_assert_gt(user_text(self, "/kern/log", log, sizeof log), 0);
    cr_assert_not_null(strstr(log, "fault: program child"));
    cr_assert_not_null(strstr(log, "] number "));
    host_console_line(SIZE_MAX, 0);
    machine_run_until_idle();
    const char *output;
    host_console_output(&output);
    cr_assert_eq(memcmp(output, expected, expected_length), 0);
}

// Two that have faulted on two CPUs, and nothing is told yet.
static void two_faults(void) {
    boot(3);
    struct user *self = machine_init();
    handle_t console = open_console(self);
    host_console_line(0, 0);
    fill(self, console);
    machine_spawn(self, "first", fault, nullptr, PRIORITY_DEFAULT);
    machine_run(host_time() + 10000000);
    machine_spawn(self, "second", fault, nullptr, PRIORITY_DEFAULT);
    machine_run(host_time() + 10000000);
    host_console_line(30, 2);
}

// The second report is whole; behind the first one's beginning comes this text before the rest.
static void both_are_told(const char *between) {
    const char *output;
    host_console_output(&output);
    cr_assert_eq(memcmp(output, expected, expected_length), 0);
    const char *first = strstr(output, "fault: program first"), *second = strstr(output, "fault: program second");
    cr_assert(first != nullptr && second > first, "%s", output);
    first = strstr(first, between);
    cr_assert(first != nullptr && first < second, "%s", output);
    for (const char *at = first; at != nullptr; at = at == first ? second : nullptr) {
        const char *line = at;
        for (unsigned n = 1; n < REPORT_LINES; n++) {
            line = strstr(line, "\n");
            cr_assert_not_null(line);
            line += line[1] == '[' ? strcspn(line, "]") + 2 : 1;
            cr_assert_eq(strncmp(line, report_lines[n], strlen(report_lines[n])), 0, "%s", line);
        }
    }
}

Test(console, the_power_goes_behind_all_reports) {
    two_faults();
    struct user *self = machine_init();
    uint64_t power = (uint64_t)user_open(self, self->root, "/dev/power", OPEN_WRITE, 0);
    cr_assert(user_store(self, self->scratch, "off 3", 5));
    user_begin(self, CALL_WRITE, (const uint64_t[6]){power, self->scratch, 5});
    cr_assert_eq(machine_run_to_end(), HOST_POWER_OFF);
    cr_assert_eq(host_status(), 3);
    both_are_told("first");
}

Test(console, a_panic_tells_what_is_left_of_reports) {
    two_faults();
    unsigned cpu = 0;
    while (host_cpu_state(cpu) != HOST_IDLE && host_cpu_state(cpu) != HOST_USER) {
        cpu++;
    }
    host_enter(cpu, HOST_KERNEL_FAULT, &(struct fault){.kind = FAULT_PROTECTION, .name = "#GP"});
    cr_assert_eq(host_ended(), HOST_PANIC);
    both_are_told("rest of the report on process 2:");
}
