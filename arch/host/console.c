// The serial line: what the core writes is kept, what the test types waits.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

enum { OUTPUT_MAX = 1 << 20, INPUT_MAX = 1 << 16 };

static char output[OUTPUT_MAX + 1];
static size_t output_length;
static unsigned char input[INPUT_MAX];
static size_t input_head, input_tail;
static size_t fifo;
static unsigned busy; // how often it takes nothing after it took something
static unsigned busy_now;

static bool moved;

bool host_console_moved(void) {
    bool did = moved;
    moved = false;
    return did;
}

void host_console_line(size_t bytes, unsigned pause) {
    fifo = bytes;
    busy = pause;
    busy_now = 0;
}

void host_console_reset(void) {
    host_console_line(SIZE_MAX, 0);
    output_length = 0;
    output[0] = 0;
    input_head = input_tail = 0;
}

size_t arch_console_put(const char *text, size_t length) {
    static int echo = -1;
    if (echo < 0) {
        echo = getenv("ISTHMUS_CONSOLE") != nullptr;
    }
    if (busy_now > 0) {
        busy_now--;
        return 0;
    }
    length = length < fifo ? length : fifo;
    busy_now = busy;
    moved = length > 0;
    if (echo == 1) {
        fwrite(text, 1, length, stderr);
    }
    size_t kept = length;
    if (kept > OUTPUT_MAX - output_length) { // keep the newest
        host_console_clear();
        kept = kept > OUTPUT_MAX ? OUTPUT_MAX : kept;
    }
    memcpy(output + output_length, text + length - kept, kept);
    output_length += kept;
    output[output_length] = 0;
    return length;
}

bool arch_console_sent(void) {
    return true;
}

int arch_console_read(void) {
    return input_head == input_tail ? -1 : input[input_head++ % INPUT_MAX];
}

void arch_console_enable(void) {
    host.console_enabled = true;
}

bool host_console_pending(void) {
    return host.console_enabled && input_head != input_tail;
}

void host_console_type(const void *text, size_t length) {
    for (size_t i = 0; i < length && input_tail - input_head < INPUT_MAX; i++) {
        input[input_tail++ % INPUT_MAX] = ((const unsigned char *)text)[i];
    }
}

size_t host_console_output(const char **text) {
    *text = output;
    return output_length;
}

void host_console_clear(void) {
    output_length = 0;
    output[0] = 0;
}
