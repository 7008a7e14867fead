// copy-check: bytes between a program and the kernel, of many lengths, from every alignment to every other: all arrive,
// and nothing beside them changes.
#include "base/memory.h"
#include "isthmus/calls.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/option.h"
#include "lib/print.h"

enum { WORD = 8, LONGEST = 300, MARGIN = 2 * WORD, AREA = LONGEST + 4 * WORD, BEGIN = 2 * 4096 };
enum { BESIDE = 0xee };

static const struct program program = {"", "Check copies between programs and the kernel.", nullptr};
static const char path[] = "/tmp/copy-check";
alignas(WORD) static unsigned char here[AREA], there[AREA]; // the program's bytes, and the file's from BEGIN on
static unsigned failures, copies;

static unsigned char byte_of(unsigned length, unsigned index) {
    return (unsigned char)(length * 5 + index * 3 + 1);
}

static void expect(const char *what, unsigned length, unsigned from, unsigned to, bool good) {
    if (!good && failures++ < 20) {
        print("%s of %u bytes from %u to %u\n", what, length, from, to);
    }
}

static bool whole(const unsigned char *area, unsigned begin, unsigned length) {
    for (unsigned i = 0; i < AREA; i++) {
        unsigned char wanted = i >= begin && i < begin + length ? byte_of(length, i - begin) : BESIDE;
        if (area[i] != wanted) {
            return false;
        }
    }
    return true;
}

static void fill(unsigned char *area, unsigned begin, unsigned length) {
    memset(area, BESIDE, AREA);
    for (unsigned i = 0; i < length; i++) {
        area[begin + i] = byte_of(length, i);
    }
}

static long put(handle_t file, const unsigned char *from, unsigned at, unsigned length) {
    return sys_write(file, from, length, BEGIN + at);
}

static long get(handle_t file, unsigned char *to, unsigned at, unsigned length) {
    return sys_read(file, to, length, BEGIN + at);
}

static void copy(handle_t file, unsigned length, unsigned here_at, unsigned there_at) {
    copies++;
    memset(there, BESIDE, sizeof there);
    expect("preparation", length, here_at, there_at, put(file, there, 0, AREA) == AREA);
    fill(here, here_at, length);
    expect("length", length, here_at, there_at, put(file, here + here_at, there_at, length) == (long)length);
    expect("look", length, here_at, there_at, get(file, there, 0, AREA) == AREA);
    expect("copy", length, here_at, there_at, whole(there, there_at, length));
    memset(here, BESIDE, sizeof here);
    expect("length", length, there_at, here_at, get(file, here + here_at, there_at, length) == (long)length);
    expect("copy back", length, there_at, here_at, whole(here, here_at, length));
}

int main(int argc, char **argv) {
    struct option_state state = option_begin(&program, argc, argv);
    (void)option_next(&state);
    option_operands(&state, 0, 0);
    long file = file_open(path, OPEN_READ | OPEN_WRITE | OPEN_CREATE, 0600);
    if (file < 0) {
        return error_report(path, file);
    }
    // The pages, so that the rest is about copying alone.
    long status = sys_write((handle_t)file, here, 1, BEGIN);
    if (status < 0) {
        return error_report(path, status);
    }
    for (unsigned length = 0; length <= LONGEST; length += length < 48 ? 1 : 7) {
        for (unsigned i = 0; i < WORD * WORD; i++) {
            copy((handle_t)file, length, MARGIN + i / WORD, MARGIN + i % WORD);
        }
    }
    for (unsigned length = 32; length <= 256; length += 32) {
        for (unsigned i = 0; i < 3 * WORD; i++) {
            copy((handle_t)file, length + i % 3 - 1, MARGIN + i / 3, MARGIN + i / 3);
        }
    }
    print("%u copies, %u failures\n", copies, failures);
    return failures > 0;
}
