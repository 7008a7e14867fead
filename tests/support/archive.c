// The initial archive of a test machine: cpio (newc), with the smallest program that can be started as init.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elf/elf.h"
#include "machine_impl.h"

enum { TEXT = 0x400000, ENTRY_OFFSET = 0x1000, INIT_SIZE = 0x2000, ARCHIVE_MAX = 16 << 20 };

static unsigned char *archive;
static size_t used;
static unsigned number;

static void put(const void *data, size_t size) {
    if (used + size + 4 > ARCHIVE_MAX) {
        machine_fail("the initial archive is too large");
    }
    if (size > 0) {
        memcpy(archive + used, data, size);
    }
    used += size;
    while (used % 4 != 0) {
        archive[used++] = 0;
    }
}

static void entry(const char *path, unsigned mode, const void *data, size_t size) {
    char header[512];
    int length = snprintf(header, sizeof header, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08zX%08X%s",
                          ++number, mode, 0u, 0u, 1u, 0u, (unsigned)size, 0u, 0u, 0u, 0u, strlen(path) + 1, 0u, path);
    put(header, (size_t)length + 1);
    put(data, size);
}

static char folders[256][256];
static unsigned folder_count;

static void add(const char *path, unsigned mode, const void *data, size_t size) {
    for (const char *slash = strchr(path, '/'); slash != nullptr; slash = strchr(slash + 1, '/')) {
        char folder[256];
        snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
        bool known = false;
        for (unsigned i = 0; i < folder_count; i++) {
            known = known || strcmp(folders[i], folder) == 0;
        }
        if (!known && folder_count < 256) {
            strcpy(folders[folder_count++], folder);
            entry(folder, 0040755, nullptr, 0);
        }
    }
    entry(path, 0100000 | mode, data, size);
}

static void put_number(unsigned char *at, uint64_t value, size_t size) {
    memcpy(at, &value, size);
}

// One executable segment; what its instructions are nobody looks at.
static void make_init(unsigned char *elf) {
    memset(elf, 0, INIT_SIZE);
    memcpy(elf,
           "\x7f"
           "ELF\2\1\1",
           7);
    put_number(elf + 16, 2, 2);
    put_number(elf + 18, ELF_MACHINE_X86_64, 2);
    put_number(elf + 20, 1, 4);
    put_number(elf + 24, machine_entry(nullptr), 8);
    put_number(elf + 32, 64, 8);
    put_number(elf + 52, 64, 2);
    put_number(elf + 54, 56, 2);
    put_number(elf + 56, 1, 2);
    unsigned char *segment = elf + 64;
    put_number(segment, 1, 4);
    put_number(segment + 4, 5, 4);
    put_number(segment + 8, ENTRY_OFFSET, 8);
    put_number(segment + 16, TEXT, 8);
    put_number(segment + 24, TEXT, 8);
    put_number(segment + 32, INIT_SIZE - ENTRY_OFFSET, 8);
    put_number(segment + 40, INIT_SIZE - ENTRY_OFFSET, 8);
    put_number(segment + 48, 0x1000, 8);
}

void *archive_make(const struct machine_file *file, unsigned count, size_t *size) {
    archive = malloc(ARCHIVE_MAX);
    used = 0;
    number = 0;
    folder_count = 0;
    unsigned char init[INIT_SIZE];
    make_init(init);
    add("bin/init", 0755, init, sizeof init);
    for (unsigned i = 0; i < count; i++) {
        add(file[i].path, file[i].mode == 0 ? 0644 : file[i].mode, file[i].data, file[i].size);
    }
    entry("TRAILER!!!", 0, nullptr, 0);
    *size = used;
    return archive;
}
