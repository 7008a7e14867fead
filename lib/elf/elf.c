// The ELF64 parser: flat checks, one after another; every field is copied out before it is looked at, since the header
// bytes need not be aligned.
#include "elf/elf.h"

#include "abi/abi.h"
#include "base/memory.h"

struct elf_file_header {
    uint8_t ident[16];
    uint16_t type;
    uint16_t machine;
    uint32_t version;
    uint64_t entry;
    uint64_t program_offset;
    uint64_t section_offset;
    uint32_t flags;
    uint16_t header_size;
    uint16_t program_entry_size;
    uint16_t program_count;
    uint16_t section_entry_size;
    uint16_t section_count;
    uint16_t section_names;
};
static_assert(sizeof(struct elf_file_header) == 64);

struct elf_program_header {
    uint32_t type;
    uint32_t flags;
    uint64_t offset;
    uint64_t address;
    uint64_t physical;
    uint64_t file_size;
    uint64_t memory_size;
    uint64_t align;
};
static_assert(sizeof(struct elf_program_header) == 56);

enum {
    ELF_TYPE_EXEC = 2,
    ELF_PROGRAM_LOAD = 1,
    ELF_PROGRAM_INTERPRETER = 3,
    ELF_FLAG_EXEC = 1,
    ELF_FLAG_WRITE = 2,
};

// "\x7fELF", 64-bit, little-endian, version 1
static const uint8_t elf_ident[7] = {0x7f, 'E', 'L', 'F', 2, 1, 1};

static uint64_t page_floor(uint64_t address) {
    return address & ~(uint64_t)(PAGE_SIZE - 1);
}

static bool file_header_valid(const struct elf_file_header *header, size_t header_size, enum elf_machine machine) {
    if (memcmp(header->ident, elf_ident, sizeof elf_ident) != 0) {
        return false;
    }
    if (header->type != ELF_TYPE_EXEC || header->machine != (uint16_t)machine || header->version != 1) {
        return false;
    }
    if (header->program_entry_size != sizeof(struct elf_program_header)) {
        return false;
    }
    if (header->program_offset > header_size) {
        return false;
    }
    return header->program_count <= (header_size - header->program_offset) / sizeof(struct elf_program_header);
}

// The promises about one segment alone; `end` receives the first page boundary after it.
static bool segment_valid(const struct elf_program_header *program, uint64_t file_size, uint64_t *end) {
    if (program->file_size > program->memory_size || program->offset > file_size ||
        program->file_size > file_size - program->offset) {
        return false;
    }
    if ((program->address ^ program->offset) & (PAGE_SIZE - 1)) {
        return false;
    }
    bool write = program->flags & ELF_FLAG_WRITE;
    bool exec = program->flags & ELF_FLAG_EXEC;
    if ((write && exec) || (!write && program->memory_size != program->file_size)) {
        return false;
    }
    if (program->memory_size > UINT64_MAX - PAGE_SIZE ||
        program->address > UINT64_MAX - PAGE_SIZE - program->memory_size) {
        return false;
    }
    *end = page_floor(program->address + program->memory_size + PAGE_SIZE - 1);
    return true;
}

status_t elf_parse(const void *header, size_t header_size, uint64_t file_size, enum elf_machine machine,
                   struct elf_image *image) {
    struct elf_file_header file;
    if (header_size < sizeof file || file_size < header_size) {
        return ERR_NOT_EXEC;
    }
    memcpy(&file, header, sizeof file);
    if (!file_header_valid(&file, header_size, machine)) {
        return ERR_NOT_EXEC;
    }
    image->entry = file.entry;
    image->segment_count = 0;
    bool entry_found = false;
    uint64_t previous_end = 0;
    for (unsigned i = 0; i < file.program_count; i++) {
        struct elf_program_header program;
        memcpy(&program, (const uint8_t *)header + file.program_offset + i * sizeof program, sizeof program);
        if (program.type == ELF_PROGRAM_INTERPRETER) {
            return ERR_NOT_EXEC;
        }
        if (program.type != ELF_PROGRAM_LOAD || program.memory_size == 0) {
            continue;
        }
        uint64_t end;
        if (image->segment_count == ELF_SEGMENTS_MAX || !segment_valid(&program, file_size, &end)) {
            return ERR_NOT_EXEC;
        }
        if (image->segment_count > 0 && page_floor(program.address) < previous_end) {
            return ERR_NOT_EXEC;
        }
        previous_end = end;
        bool exec = program.flags & ELF_FLAG_EXEC;
        if (exec && file.entry >= program.address && file.entry - program.address < program.file_size) {
            entry_found = true;
        }
        image->segment[image->segment_count++] = (struct elf_segment){
            .address = program.address,
            .memory_size = program.memory_size,
            .file_offset = program.offset,
            .file_size = program.file_size,
            .protection = PROT_READ | (program.flags & ELF_FLAG_WRITE ? PROT_WRITE : 0) | (exec ? PROT_EXEC : 0),
        };
    }
    return entry_found ? 0 : ERR_NOT_EXEC;
}
