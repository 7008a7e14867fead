// Reading executables: a hardened parser of static ELF64 files, shared by the kernel (which starts init) and the user
// library (which starts everything else). It does no I/O, allocates nothing and trusts nothing: whatever the bytes are,
// the answer is either ERR_NOT_EXEC or an image that is safe to map as described.
#pragma once

#include "base/types.h"

enum {
    ELF_SEGMENTS_MAX = 8,  // loadable segments that one image may have
    ELF_HEADER_MAX = 4096, // all headers must lie in this many bytes at the file's beginning
};

enum elf_machine {
    ELF_MACHINE_X86_64 = 62,
    ELF_MACHINE_ARM64 = 183,
    ELF_MACHINE_RISCV = 243,
};

// One loadable segment. Guaranteed of every one that elf_parse gives:
//   - file_offset + file_size does not exceed the file; file_size <= memory_size, memory_size > 0
//   - address and file_offset are congruent modulo PAGE_SIZE, so that its pages can be mapped from the file
//   - address + memory_size, rounded up to a page, does not wrap around
//   - never writable and executable; memory_size == file_size unless it is writable
//   - segments ascend and no two share a page
struct elf_segment {
    uint64_t address;
    uint64_t memory_size; // bytes; those beyond file_size are zero
    uint64_t file_offset;
    uint64_t file_size;
    uint32_t protection; // PROT_*; PROT_READ is always set
};

struct elf_image {
    uint64_t entry;         // lies in an executable segment, within its file bytes
    uint32_t segment_count; // 1 to ELF_SEGMENTS_MAX
    struct elf_segment segment[ELF_SEGMENTS_MAX];
};

// Parse the headers of an executable. `header` is the beginning of the file, header_size bytes of it (the whole file,
// or ELF_HEADER_MAX); file_size is the length of the whole file. 0, or ERR_NOT_EXEC: not a static little-endian ELF64
// executable of `machine` that keeps the promises above; the image is then unspecified.
[[nodiscard]] status_t elf_parse(const void *header, size_t header_size, uint64_t file_size, enum elf_machine machine,
                                 struct elf_image *image);
