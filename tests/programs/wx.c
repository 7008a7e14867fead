// wx: have the kernel write where this program may not, and make code writable by every way there is. Each attempt must
// be refused and the bytes stay as they are. The line at the end counts what was refused.
#include "base/str.h"
#include "isthmus/calls.h"
#include "lib/memory.h"
#include "lib/option.h"
#include "lib/print.h"
#include "lib/self.h"

static const struct program program = {"", "Try to change code.", nullptr};

static const char constant[PAGE_SIZE] = "constant";
static unsigned tries, refusals;

static void expect(const char *what, long status, long expected) {
    tries++;
    refusals += status == expected;
    if (status != expected) {
        print("%s: %ld instead of %ld\n", what, status, expected);
    }
}

static long open_self(uint32_t flags) {
    static const char path[] = "/test/wx";
    return sys_open(self_root(), path, sizeof path - 1, flags, 0);
}

// The kernel writes for this program only where the program could write itself.
static void by_kernel_copies(void) {
    void *code = (void *)(uintptr_t)by_kernel_copies;
    uint64_t before = *(volatile uint64_t *)code;
    expect("process_info over code", sys_process_info(self_process(), code), ERR_FAULT);
    expect("process_info over constants", sys_process_info(self_process(), (void *)(uintptr_t)constant), ERR_FAULT);
    long file = open_self(OPEN_READ);
    expect("read over code", sys_read((handle_t)file, code, 64, 0), ERR_FAULT);
    expect("read over constants", sys_read((handle_t)file, (void *)(uintptr_t)constant, 64, 0), ERR_FAULT);
    expect("code is as it was", *(volatile uint64_t *)code == before && str_equal(constant, "constant"), 1);
    (void)sys_close((handle_t)file);
}

// This program's own file is mapped executable while it runs.
static void by_its_file(void) {
    long file = open_self(OPEN_READ | OPEN_WRITE);
    uint64_t at = 0;
    expect("open", file > 0, 1);
    expect("write", sys_write((handle_t)file, "evil", 4, 0), ERR_BUSY);
    expect("map writable", sys_map(self_process(), (handle_t)file, 0, 0, PAGE_SIZE, PROT_WRITE, &at), ERR_BUSY);
    expect("map executable without the right", sys_map(self_process(), (handle_t)file, 0, 0, PAGE_SIZE, PROT_EXEC, &at),
           ERR_RIGHTS);
    expect("truncate", open_self(OPEN_WRITE | OPEN_TRUNCATE), ERR_BUSY);
    (void)sys_close((handle_t)file);
}

static void by_memory_objects(void) {
    handle_t pages = (handle_t)sys_pages_create(PAGE_SIZE);
    handle_t self = self_process();
    uint64_t code = 0, at = 0;
    expect("map both", sys_map(self, pages, 0, 0, PAGE_SIZE, PROT_WRITE | PROT_EXEC, &at), ERR_INVALID);
    expect("map executable", sys_map(self, pages, 0, 0, PAGE_SIZE, PROT_EXEC, &code), 0);
    expect("map writable too", sys_map(self, pages, 0, 0, PAGE_SIZE, PROT_WRITE, &at), ERR_BUSY);
    expect("write", sys_write(pages, "evil", 4, 0), ERR_BUSY);
    expect("process_info over it", sys_process_info(self, (void *)(uintptr_t)code), ERR_FAULT);
    expect("unmap", sys_unmap(self, code), 0);
    expect("map writable now", sys_map(self, pages, 0, 0, PAGE_SIZE, PROT_WRITE, &at), 0);
    expect("map executable now", sys_map(self, pages, 0, 0, PAGE_SIZE, PROT_EXEC, &code), ERR_BUSY);
    (void)sys_unmap(self, at);
    (void)sys_close(pages);
}

int main(int argc, char **argv) {
    struct option_state state = option_begin(&program, argc, argv);
    (void)option_next(&state);
    option_operands(&state, 0, 0);
    by_kernel_copies();
    by_its_file();
    by_memory_objects();
    print("%u of %u as they must be\n", refusals, tries);
    return refusals != tries;
}
