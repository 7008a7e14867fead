// Spawning, step by step; spawn_program lists the steps. The process handle is the only thing that holds the child
// until its thread runs: closing it takes everything back that was already mapped and given.
#include "lib/spawn.h"

#include "base/memory.h"
#include "base/str.h"
#include "elf/elf.h"
#include "isthmus/calls.h"
#include "lib/file.h"
#include "lib/memory.h"
#include "lib/path.h"
#include "lib/process.h"
#include "lib/self.h"
#include "machine.h"

// Where the stack and the record are put: low enough for the smallest user address space (38 bits). Below the stack and
// between the two, a page stays unmapped.
constexpr uint64_t STACK_TOP = 0x3ff0000000;
constexpr uint64_t RECORD_ADDRESS = STACK_TOP + PAGE_SIZE;

static uint64_t page_floor(uint64_t value) {
    return value & ~(uint64_t)(PAGE_SIZE - 1);
}

static long read_image(handle_t file, struct elf_image *image) {
    char header[1024]; // a static program's headers fit many times over
    long length = sys_read(file, header, sizeof header, 0);
    if (length < 0) {
        return length;
    }
    struct abi_stat stat;
    long status = sys_stat(file, "", 0, &stat);
    return status < 0 ? status : elf_parse(header, (size_t)length, stat.size, MACHINE_ELF, image);
}

// Copy `length` bytes at `from` in the file to `to` in a memory object.
static long copy_to_pages(handle_t file, uint64_t from, handle_t pages, uint64_t to, uint64_t length) {
    char buffer[4096];
    while (length > 0) {
        long count = sys_read(file, buffer, length < sizeof buffer ? length : sizeof buffer, from);
        if (count <= 0) {
            return count < 0 ? count : ERR_NOT_EXEC; // cut off since its headers were read
        }
        long status = sys_write(pages, buffer, (uint64_t)count, to);
        if (status != count) {
            return status < 0 ? status : ERR_NO_MEMORY;
        }
        from += (uint64_t)count;
        to += (uint64_t)count;
        length -= (uint64_t)count;
    }
    return 0;
}

static long map_segment(handle_t process, handle_t file, const struct elf_segment *segment) {
    uint64_t address = page_floor(segment->address);
    uint64_t skip = segment->address - address;
    uint64_t length = skip + segment->memory_size;
    if (!(segment->protection & PROT_WRITE)) {
        return sys_map(process, file, address, page_floor(segment->file_offset), length, segment->protection, nullptr);
    }
    long pages = sys_pages_create(length);
    if (pages < 0) {
        return pages;
    }
    long status = copy_to_pages(file, segment->file_offset, (handle_t)pages, skip, segment->file_size);
    if (status == 0) {
        status = sys_map(process, (handle_t)pages, address, 0, length, segment->protection, nullptr);
    }
    (void)sys_close((handle_t)pages);
    return status;
}

static long map_image(handle_t process, const char *path, uint64_t *entry) {
    long file = file_open(path, OPEN_READ | OPEN_EXEC, 0);
    if (file < 0) {
        return file;
    }
    struct elf_image image;
    long status = read_image((handle_t)file, &image);
    for (unsigned i = 0; status == 0 && i < image.segment_count; i++) {
        status = map_segment(process, (handle_t)file, &image.segment[i]);
    }
    file_close((handle_t)file);
    if (status == 0) {
        *entry = image.entry;
    }
    return status;
}

static long map_stack(handle_t process) {
    long pages = sys_pages_create(SPAWN_STACK_SIZE);
    if (pages < 0) {
        return pages;
    }
    long status = sys_map(process, (handle_t)pages, STACK_TOP - SPAWN_STACK_SIZE, 0, SPAWN_STACK_SIZE,
                          PROT_READ | PROT_WRITE, nullptr);
    (void)sys_close((handle_t)pages);
    return status;
}

// Give the child a handle and store its value there; a zero handle stays zero.
static long equip(handle_t process, handle_t handle, uint32_t rights, uint32_t *value) {
    *value = 0;
    if (handle == 0) {
        return 0;
    }
    long given = rights == RIGHTS_ALL ? process_give(process, handle) : sys_give(process, handle, rights);
    if (given == ERR_RIGHTS) {
        given = process_give(process, handle);
    }
    if (given < 0) {
        return given;
    }
    *value = (uint32_t)given;
    return 0;
}

static long equip_all(const struct spawn *spawn, handle_t process, struct abi_bootstrap *record, uint32_t *further) {
    constexpr uint32_t input_rights = RIGHT_READ | RIGHT_WATCH | RIGHT_GRANT;
    constexpr uint32_t output_rights = RIGHT_WRITE | RIGHT_WATCH | RIGHT_GRANT;
    long status = equip(process, spawn->root != 0 ? spawn->root : self_root(), RIGHTS_ALL, &record->root);
    if (status == 0) {
        status = equip(process, process, RIGHTS_ALL, &record->process);
    }
    if (status == 0) {
        status = equip(process, spawn->input, input_rights, &record->input);
    }
    if (status == 0) {
        status = equip(process, spawn->output, output_rights, &record->output);
    }
    if (status == 0) {
        status = equip(process, spawn->error, output_rights, &record->error);
    }
    for (unsigned i = 0; status == 0 && i < spawn->handle_count; i++) {
        status = equip(process, spawn->handles[i], RIGHTS_ALL, &further[i]);
    }
    return status;
}

// The record under construction: `size` bytes of `bytes` are used.
struct record_builder {
    char *bytes;
    size_t size;
};

static bool add_bytes(struct record_builder *builder, const void *bytes, size_t length) {
    if (length > SPAWN_RECORD_MAX - builder->size) {
        return false;
    }
    memcpy(builder->bytes + builder->size, bytes, length);
    builder->size += length;
    return true;
}

static bool add_string(struct record_builder *builder, const char *text) {
    return add_bytes(builder, text, strlen(text) + 1);
}

static bool add_arguments(struct record_builder *builder, const struct spawn *spawn, struct abi_bootstrap *record) {
    record->args = (uint32_t)builder->size;
    if (spawn->arguments == nullptr) {
        record->argc = 1;
        return add_string(builder, spawn->path);
    }
    for (; spawn->arguments[record->argc] != nullptr; record->argc++) {
        if (!add_string(builder, spawn->arguments[record->argc])) {
            return false;
        }
    }
    return true;
}

static bool add_environment(struct record_builder *builder, const struct spawn *spawn, struct abi_bootstrap *record) {
    record->env = (uint32_t)builder->size;
    for (;; record->envc++) {
        const char *entry =
            spawn->environment != nullptr ? spawn->environment[record->envc] : self_env_at(record->envc);
        if (entry == nullptr) {
            return true;
        }
        if (!add_string(builder, entry)) {
            return false;
        }
    }
}

static long write_record(handle_t process, const struct record_builder *builder) {
    long pages = sys_pages_create(builder->size);
    if (pages < 0) {
        return pages;
    }
    long status = sys_write((handle_t)pages, builder->bytes, builder->size, 0);
    if (status >= 0) {
        status = (size_t)status == builder->size ? 0 : ERR_TOO_BIG;
    }
    if (status == 0) {
        status = sys_map(process, (handle_t)pages, RECORD_ADDRESS, 0, builder->size, PROT_READ | PROT_WRITE, nullptr);
    }
    (void)sys_close((handle_t)pages);
    return status;
}

static long map_record(const struct spawn *spawn, handle_t process) {
    struct abi_bootstrap record = {.magic = BOOTSTRAP_MAGIC};
    uint32_t further[SPAWN_HANDLES_MAX];
    long status = equip_all(spawn, process, &record, further);
    if (status < 0) {
        return status;
    }
    struct record_builder builder = {.bytes = malloc(SPAWN_RECORD_MAX), .size = sizeof record};
    if (builder.bytes == nullptr) {
        return ERR_NO_MEMORY;
    }
    record.handles = (uint32_t)builder.size; // first, because they must be aligned
    record.handlec = spawn->handle_count;
    bool fits = add_bytes(&builder, further, spawn->handle_count * sizeof further[0]) &&
                add_arguments(&builder, spawn, &record) && add_environment(&builder, spawn, &record);
    record.cwd = (uint32_t)builder.size;
    fits = fits && add_string(&builder, spawn->cwd != nullptr ? spawn->cwd : self_cwd());
    record.size = (uint32_t)builder.size;
    memcpy(builder.bytes, &record, sizeof record);
    status = fits ? write_record(process, &builder) : ERR_TOO_BIG;
    free(builder.bytes);
    return status;
}

static long create(const struct spawn *spawn) {
    const char *name = path_base(spawn->path);
    size_t length = strlen(name);
    if (length > PROCESS_NAME_MAX) {
        length = PROCESS_NAME_MAX;
    }
    return sys_process_create(name, length, spawn->other_identity ? spawn->owner : ID_INHERIT,
                              spawn->other_identity ? spawn->group : ID_INHERIT);
}

long spawn_program(const struct spawn *spawn) {
    if (spawn->handle_count > SPAWN_HANDLES_MAX) {
        return ERR_LIMIT;
    }
    long process = create(spawn);
    if (process < 0) {
        return process;
    }
    uint64_t entry = 0;
    long status = map_image((handle_t)process, spawn->path, &entry);
    if (status == 0) {
        status = map_stack((handle_t)process);
    }
    if (status == 0) {
        status = map_record(spawn, (handle_t)process);
    }
    if (status == 0) {
        status = sys_thread_create((handle_t)process, entry, STACK_TOP, RECORD_ADDRESS,
                                   spawn->priority != 0 ? spawn->priority : PRIORITY_DEFAULT);
    }
    if (status < 0) {
        (void)sys_close((handle_t)process);
        return status;
    }
    (void)sys_close((handle_t)status); // the thread goes on without our handle
    return process;
}
