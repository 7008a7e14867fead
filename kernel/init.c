#include "kernel/init.h"

#include "base/bits.h"
#include "base/memory.h"
#include "base/str.h"
#include "elf/elf.h"
#include "kernel/pages.h"
#include "kernel/process.h"
#include "kernel/thread.h"

enum { STACK_SIZE = 262144, RECORD_SIZE = PAGE_SIZE };
static_assert(BOOT_COMMAND_LINE_MAX + 512 < RECORD_SIZE);

static const char name[] = "init";

static uint64_t page_floor(uint64_t value) {
    return align_down(value, PAGE_SIZE);
}

// Copy bytes of a file to the beginning, plus skip, of another memory object.
static status_t copy(struct pages *file, uint64_t from, struct pages *pages, uint64_t skip, uint64_t length) {
    status_t status = 0;
    while (status == 0 && length > 0) {
        uint64_t at = from % PAGE_SIZE;
        uint64_t count = length < PAGE_SIZE - at ? length : PAGE_SIZE - at;
        paddr_t page = pages_get(file, from / PAGE_SIZE, false);
        if (page != 0) { // a hole is zeroes, as is what it would be copied to
            status = pages_fill(pages, (const char *)arch_phys_to_virt(page) + at, skip, count);
        }
        from += count;
        skip += count;
        length -= count;
    }
    return status;
}

// What is only read is mapped from the file itself; what is written gets a memory object with a copy.
static status_t map_segment(struct process *process, struct pages *file, const struct elf_segment *segment) {
    uint64_t address = page_floor(segment->address);
    uint64_t skip = segment->address - address;
    uint64_t length = skip + segment->memory_size;
    if ((segment->protection & PROT_WRITE) == 0) {
        return space_map(&process->space, file, &address, page_floor(segment->file_offset), length,
                         segment->protection);
    }
    struct pages *pages;
    status_t status = pages_create(length, &pages);
    if (status < 0) {
        return status;
    }
    status = copy(file, segment->file_offset, pages, skip, segment->file_size);
    if (status == 0) {
        status = space_map(&process->space, pages, &address, 0, length, segment->protection);
    }
    object_unref(&pages->object);
    return status;
}

static status_t map_image(struct process *process, struct pages *file, uint64_t size, uint64_t *entry) {
    struct elf_image image;
    paddr_t first = pages_get(file, 0, false);
    if (first == 0) {
        return ERR_NOT_EXEC;
    }
    status_t status = elf_parse(arch_phys_to_virt(first), size < ELF_HEADER_MAX ? size : ELF_HEADER_MAX, size,
                                ARCH_ELF_MACHINE, &image);
    for (unsigned i = 0; status == 0 && i < image.segment_count; i++) {
        status = map_segment(process, file, &image.segment[i]);
    }
    *entry = image.entry;
    return status;
}

static status_t map_new(struct process *process, uint64_t size, const void *content, uint64_t length,
                        uint64_t *address) {
    struct pages *pages;
    status_t status = pages_create(size, &pages);
    if (status < 0) {
        return status;
    }
    *address = 0;
    status = length > 0 ? pages_fill(pages, content, 0, length) : 0;
    if (status == 0) {
        status = space_map(&process->space, pages, address, 0, size, PROT_READ | PROT_WRITE);
    }
    object_unref(&pages->object);
    return status;
}

// Append the words of the command line that are settings (NAME=value) or those that are not, each zero-terminated.
static uint32_t add_words(char *bytes, uint32_t *size, const char *line, bool settings) {
    uint32_t count = 0;
    while (*line != '\0') {
        size_t length = 0;
        bool setting = false;
        while (line[length] != '\0' && line[length] != ' ') {
            setting = setting || (line[length] == '=' && length > 0);
            length++;
        }
        if (length > 0 && setting == settings) {
            memcpy(bytes + *size, line, length);
            bytes[*size + length] = '\0';
            *size += (uint32_t)length + 1;
            count++;
        }
        line += length + (line[length] == ' ' ? 1 : 0);
    }
    return count;
}

static status_t map_record(struct process *process, handle_t root, handle_t self, const char *command_line,
                           uint64_t *address) {
    static char bytes[RECORD_SIZE]; // the assertion above leaves room for every command line
    struct abi_bootstrap record = {.magic = BOOTSTRAP_MAGIC, .root = root, .process = self};
    uint32_t size = sizeof record;
    record.args = size;
    memcpy(bytes + size, name, sizeof name);
    size += sizeof name;
    record.argc = 1 + add_words(bytes, &size, command_line, false);
    record.env = size;
    record.envc = add_words(bytes, &size, command_line, true);
    record.cwd = size;
    memcpy(bytes + size, "/", 2);
    size += 2;
    record.handles = (uint32_t)align_up(size, sizeof(uint32_t));
    record.size = record.handles;
    memcpy(bytes, &record, sizeof record);
    return map_new(process, RECORD_SIZE, bytes, record.size, address);
}

static status_t equip(struct process *process, struct pages *file, uint64_t size, struct object *root,
                      const char *command_line) {
    handle_t root_handle, self_handle;
    uint64_t entry, stack, record;
    struct thread *thread;
    status_t status = handle_insert(&process->handles, root, RIGHTS_ALL, 0, nullptr, &root_handle);
    if (status == 0) {
        status = handle_insert(&process->handles, &process->object, RIGHTS_ALL, 0, nullptr, &self_handle);
    }
    if (status == 0) {
        status = map_image(process, file, size, &entry);
    }
    if (status == 0) {
        status = map_new(process, STACK_SIZE, nullptr, 0, &stack);
    }
    if (status == 0) {
        status = map_record(process, root_handle, self_handle, command_line, &record);
    }
    if (status == 0) {
        status = thread_create(process, entry, stack + STACK_SIZE, record, PRIORITY_DEFAULT, &thread);
    }
    if (status == 0) {
        thread_start(thread);
        object_unref(&thread->object);
    }
    return status;
}

status_t init_start(struct pages *file, uint64_t size, struct object *root, const char *command_line) {
    struct process *process;
    status_t status = process_create(name, 0, 0, 0, &process);
    if (status < 0) {
        return status;
    }
    status = equip(process, file, size, root, command_line);
    if (status < 0) {
        process_end(process, PROCESS_KILLED, -1);
    }
    object_unref(&process->object);
    return status;
}
