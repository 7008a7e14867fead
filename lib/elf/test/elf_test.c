// What the ELF parser must accept, and each thing that it must refuse; then a million damaged headers.
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "abi/abi.h"
#include "elf/elf.h"

enum { FILE_SIZE = 0x5000 };

static unsigned char file[FILE_SIZE];
static struct elf_image image;

static void put(size_t offset, uint64_t value, size_t size) {
    memcpy(file + offset, &value, size);
}

static void put_program(unsigned index, uint32_t flags, uint64_t offset, uint64_t address, uint64_t file_size,
                        uint64_t memory_size) {
    size_t at = 64 + 56 * (size_t)index;
    put(at, 1, 4);
    put(at + 4, flags, 4);
    put(at + 8, offset, 8);
    put(at + 16, address, 8);
    put(at + 32, file_size, 8);
    put(at + 40, memory_size, 8);
    put(at + 48, 0x1000, 8);
}

// A good executable: read-only data, text, writable data with a zero-filled tail.
static void build(void) {
    memset(file, 0, sizeof file);
    memcpy(file,
           "\x7f"
           "ELF\2\1\1",
           7);
    put(16, 2, 2);
    put(18, ELF_MACHINE_X86_64, 2);
    put(20, 1, 4);
    put(24, 0x401010, 8);
    put(32, 64, 8);
    put(54, 56, 2);
    put(56, 3, 2);
    put_program(0, 4, 0x0000, 0x400000, 0x800, 0x800);
    put_program(1, 5, 0x1000, 0x401000, 0x1234, 0x1234);
    put_program(2, 6, 0x3000, 0x403000, 0x100, 0x2100);
}

static status_t parse(void) {
    return elf_parse(file, 4096, FILE_SIZE, ELF_MACHINE_X86_64, &image);
}

TestSuite(elf, .init = build);

Test(elf, good_executable_accepted) {
    cr_assert_eq(parse(), 0);
    cr_assert_eq(image.segment_count, 3);
    cr_assert_eq(image.entry, 0x401010);
    cr_assert_eq(image.segment[1].protection, PROT_READ | PROT_EXEC);
    cr_assert_eq(image.segment[2].protection, PROT_READ | PROT_WRITE);
    cr_assert_eq(image.segment[2].memory_size, 0x2100);
}

#define REFUSED(name, damage)                                                                                          \
    Test(elf, name##_refused) {                                                                                        \
        damage;                                                                                                        \
        cr_assert_eq(parse(), ERR_NOT_EXEC);                                                                           \
    }

REFUSED(bad_magic, file[0] = 0)
REFUSED(class_32_bit, file[4] = 1)
REFUSED(big_endian, file[5] = 2)
REFUSED(relocatable, put(16, 1, 2))
REFUSED(shared_object, put(16, 3, 2))
REFUSED(other_machine, put(18, ELF_MACHINE_ARM64, 2))
REFUSED(program_headers_beyond_header, put(32, 4090, 8))
REFUSED(program_headers_far_away, put(32, UINT64_MAX, 8))
REFUSED(too_many_program_headers, put(56, 0xffff, 2))
REFUSED(odd_program_header_size, put(54, 57, 2))
REFUSED(no_segment, put(56, 0, 2))
REFUSED(interpreter, put(64, 3, 4))
REFUSED(writable_and_executable, put_program(1, 7, 0x1000, 0x401000, 0x1234, 0x1234))
REFUSED(misaligned, put_program(1, 5, 0x1010, 0x401000, 0x1234, 0x1234))
REFUSED(file_bytes_beyond_file, put_program(2, 6, 0x3000, 0x403000, 0x2001, 0x2001))
REFUSED(offset_wraps, put_program(2, 6, UINT64_MAX - 0xfff, 0x403000, 0x1001, 0x2001))
REFUSED(file_size_above_memory_size, put_program(2, 6, 0x3000, 0x403000, 0x101, 0x100))
REFUSED(zero_tail_in_text, put_program(1, 5, 0x1000, 0x401000, 0x1234, 0x1235))
REFUSED(segments_share_a_page, put_program(2, 6, 0x2fff, 0x402fff, 0x100, 0x100); put(64 + 56 + 32, 0x1fff, 8);
        put(64 + 56 + 40, 0x1fff, 8))
REFUSED(segments_descend, put_program(2, 6, 0x3000, 0x300000, 0x100, 0x100))
REFUSED(address_wraps, put_program(2, 6, 0x3000, UINT64_MAX - 0xfff, 0x100, 0x2100))
REFUSED(memory_size_wraps, put_program(2, 6, 0x3000, 0x403000, 0x100, UINT64_MAX))
REFUSED(entry_in_data, put(24, 0x403000, 8))
REFUSED(entry_behind_text, put(24, 0x402234, 8))

Test(elf, short_file_refused) {
    for (size_t size = 0; size < 64 + 3 * 56; size++) {
        cr_assert_eq(elf_parse(file, size, size, ELF_MACHINE_X86_64, &image), ERR_NOT_EXEC);
    }
}

Test(elf, any_damage_is_refused_or_harmless) {
    srand(4);
    for (int round = 0; round < 300000; round++) {
        build();
        for (int n = 1 + rand() % 6; n > 0; n--) {
            file[rand() % (64 + 3 * 56)] = (unsigned char)(rand() % 3 ? rand() : rand() % 2 * 255);
        }
        if (parse() != 0) {
            continue;
        }
        uint64_t end = 0;
        cr_assert(image.segment_count >= 1 && image.segment_count <= ELF_SEGMENTS_MAX);
        for (unsigned i = 0; i < image.segment_count; i++) {
            const struct elf_segment *s = &image.segment[i];
            cr_assert(s->file_offset <= FILE_SIZE && s->file_size <= FILE_SIZE - s->file_offset);
            cr_assert(s->file_size <= s->memory_size && s->memory_size > 0);
            cr_assert((s->address & ~0xfffull) >= end);
            end = (s->address + s->memory_size + 0xfff) & ~0xfffull;
            cr_assert(end > s->address);
            cr_assert(!((s->protection & PROT_WRITE) && (s->protection & PROT_EXEC)));
            cr_assert((s->address - s->file_offset) % 0x1000 == 0);
        }
    }
}
